/** Follows a live value for as long as a component is on screen. */
import { useCallback, useEffect, useState } from "react";
import { follow, type LiveSource, type Loaded } from "./follow-live.ts";

export interface Live<T> {
  readonly state: Loaded<T>;
  readonly reload: () => void;
}

/**
 * @param source must be a constant: a new object starts over
 * @param epoch a new value loads again, e.g. once the vault has been opened; what is shown stays until the answer is there,
 *   unless it is why the former epoch had nothing to show
 */
export function useLive<T, Change>(source: LiveSource<T, Change>, epoch: string): Live<T> {
  const [state, setState] = useState<Loaded<T>>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);
  const [stateEpoch, setStateEpoch] = useState(epoch);
  if (stateEpoch !== epoch) {
    setStateEpoch(epoch);
    if (state.kind === "failed") setState({ kind: "loading" });
  }
  const reload = useCallback(() => setAttempt((previous) => previous + 1), []);

  // A new epoch or attempt starts over with the same source.
  // oxlint-disable-next-line react/exhaustive-effect-dependencies
  useEffect(() => follow(source, setState), [source, epoch, attempt]);

  return { state, reload };
}
