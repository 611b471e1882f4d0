/** A question that comes by itself must not be answered by a click or key that was meant for what stood in its place. */
import { useEffect, useState } from "react";

/** @returns whether the component has been on screen for `delayMs` milliseconds */
export function useOnScreenFor(delayMs: number): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsOver(true), delayMs);
    return () => clearTimeout(timer);
  }, [delayMs]);
  return isOver;
}
