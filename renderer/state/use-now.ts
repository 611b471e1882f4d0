/**
 * The time, for everything that shows it. Invariants: one timer, and only while something is on screen that needs it; the
 * time is the one that the main process goes by, also on a computer whose clock is wrong.
 */
import { useCallback, useEffect, useSyncExternalStore } from "react";

const tickMs = 1000;
const listeners = new Set<() => void>();
let timer: number | undefined;
let correctionMs = 0;

/** Unix milliseconds as the main process counts them. */
export function currentMs(): number {
  return Date.now() + correctionMs;
}

/**
 * The current time (Unix milliseconds), rounded down to `stepMs`: the caller is drawn again once a step, not once a tick.
 */
export function useNow(stepMs: number): number {
  const read = useCallback(() => Math.floor(currentMs() / stepMs) * stepMs, [stepMs]);
  return useSyncExternalStore(subscribe, read);
}

/** @param addMs what to add to the computer's clock (`StatusView.clockCorrectionMs`) */
export function useClockCorrection(addMs: number): void {
  useEffect(() => {
    correctionMs = addMs;
    tick();
  }, [addMs]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(tick, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  for (const each of listeners) each();
}
