/** Runs long readings of the audit log in steps. Invariant: between two steps everybody else has had their turn. */
import { ok, type Result } from "../../shared/result.ts";

/** Runs one step: turns the errors of SQLite into failures. */
export type Step = <T>(work: () => T) => Result<T>;

/** What `steps` returns at its end, or the failure of a step. */
export async function atTheEnd<T>(steps: Generator<undefined, T>, step: Step): Promise<Result<T>> {
  for (;;) {
    const done = step(() => steps.next());
    if (!done.ok) return done;
    if (done.value.done === true) return ok(done.value.value);
    await othersTurn();
  }
}

/** The parts that `steps` yields; a failure is the last one. */
export async function* partByPart(steps: Generator<string, undefined>, step: Step): AsyncGenerator<Result<string>, undefined> {
  for (;;) {
    const done = step(() => steps.next());
    if (!done.ok) yield done;
    if (!done.ok || done.value.done === true) return;
    yield ok(done.value.value);
    await othersTurn();
  }
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
