/** What a method hands back to its session. */
import type { Failure } from "../../shared/failure.ts";
import { err, type Result } from "../../shared/result.ts";

export interface Reply {
  readonly result: Result<unknown>;
  /** JSON-RPC number, where the failure alone does not tell it. */
  readonly errorNumber?: number;
  /** Runs once the answer has been handed to the connection, so that nothing overtakes it. */
  readonly afterwards?: () => void;
}

/** A reply that refuses. */
export function refusal(failure: Failure, errorNumber?: number): Reply {
  return errorNumber === undefined ? { result: err(failure) } : { result: err(failure), errorNumber };
}
