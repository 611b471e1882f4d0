/** One thing a person can start with a button: never twice at a time, and its failure stays to be shown. */
import { useCallback, useRef, useState } from "react";
import type { Failure } from "../../shared/failure.ts";
import type { Result } from "../../shared/result.ts";

export interface Action {
  readonly pending: boolean;
  readonly failure: Failure | undefined;
  /** Runs `work` unless it is already running; settles with the value, or `undefined` if it failed or did not run. */
  readonly run: <T>(work: () => Promise<Result<T>>) => Promise<{ readonly value: T } | undefined>;
  readonly clear: () => void;
}

export function useAction(): Action {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  // State would be too late to stop the second of two clicks in one frame.
  const running = useRef(false);

  const run = useCallback(async <T>(work: () => Promise<Result<T>>): Promise<{ readonly value: T } | undefined> => {
    if (running.current) return undefined;
    running.current = true;
    setPending(true);
    setFailure(undefined);
    const result = await work();
    running.current = false;
    setPending(false);
    if (result.ok) return { value: result.value };
    setFailure(result.error);
    return undefined;
  }, []);
  const clear = useCallback(() => setFailure(undefined), []);

  return { pending, failure, run, clear };
}
