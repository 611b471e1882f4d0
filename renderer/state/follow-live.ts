/**
 * A value that is listed once and then kept up to date by events.
 *
 * Invariant: a change is never lost to the list it raced with. Listening starts before the list is
 * asked for; changes that arrive first are applied again on top of the list.
 */
import type { Failure } from "../../shared/failure.ts";
import type { Result } from "../../shared/result.ts";

export type Loaded<T> =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "ready"; readonly value: T };

export interface LiveSource<T, Change> {
  readonly load: () => Promise<Result<T>>;
  /** Starts listening; returns a function that stops. */
  readonly listen: (listener: (change: Change) => void) => () => void;
  readonly apply: (value: T, change: Change) => T;
}

/** Takes what to show next, given what is shown. */
export type Show<T> = (update: (previous: Loaded<T>) => Loaded<T>) => void;

/** Starts following `source`; returns a function that stops, after which `show` is not called any more. */
export function follow<T, Change>(source: LiveSource<T, Change>, show: Show<T>): () => void {
  const early: Change[] = [];
  let phase: "loading" | "loaded" | "stopped" = "loading";

  const stopListening = source.listen((change) => {
    if (phase === "loading") early.push(change);
    show((previous) => (previous.kind === "ready" ? { kind: "ready", value: source.apply(previous.value, change) } : previous));
  });
  void source.load().then((result) => {
    if (phase === "stopped") return;
    phase = "loaded";
    const next: Loaded<T> = result.ok
      ? { kind: "ready", value: early.reduce(source.apply, result.value) }
      : { kind: "failed", failure: result.error };
    show(() => next);
  });

  return () => {
    phase = "stopped";
    stopListening();
  };
}
