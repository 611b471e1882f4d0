/** A value once it has stopped changing: each letter typed must not start a search of its own. */
import { useEffect, useState } from "react";

/** The last `value` that stayed the same for `afterMs`. */
export function useSettled<T>(value: T, afterMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), afterMs);
    return () => window.clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}
