/**
 * A row that is asked for may not be in the list (yet): a program's sign-in is announced a moment later, a link may name
 * anything. It is waited for only until the person does something: nobody is taken away from what they have begun.
 */
import { useEffect } from "react";

export function useMarkWaiting(isWaiting: boolean, onDropped: () => void): void {
  useEffect(() => {
    if (!isWaiting) return undefined;
    const acts = ["pointerdown", "keydown"] as const;
    for (const act of acts) window.addEventListener(act, onDropped, { capture: true });
    return () => {
      for (const act of acts) window.removeEventListener(act, onDropped, { capture: true });
    };
  }, [isWaiting, onDropped]);
}
