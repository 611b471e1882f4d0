/** The time, for everything that shows it. Invariant: one timer, and only while something is on screen that needs it. */
import { useCallback, useSyncExternalStore } from "react";

const tickMs = 1000;
const listeners = new Set<() => void>();
let timer: number | undefined;

/**
 * The current time (Unix milliseconds), rounded down to `stepMs`: the caller is drawn again once a step, not once a tick.
 */
export function useNow(stepMs: number): number {
  const read = useCallback(() => Math.floor(Date.now() / stepMs) * stepMs, [stepMs]);
  return useSyncExternalStore(subscribe, read);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    for (const each of listeners) each();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}
