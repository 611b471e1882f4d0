/**
 * How a failure looks in JSON-RPC 2.0: its numeric code and its `data`.
 *
 * Invariants: every error the broker sends carries `PipeErrorData`; programs act on `data.code`, and the
 * number is only for generic JSON-RPC tools; `shutting_down` always says when to come back.
 */
import { type Failure, type FailureCode, type PipeErrorCode, pipeErrorCode } from "../../shared/failure.ts";
import type { PipeErrorData } from "../../shared/pipe-protocol.ts";
import { problemOf } from "../core/pipe-problem.ts";
import { usualRetryAfterSeconds } from "./pipe-limits.ts";

/** The codes JSON-RPC 2.0 section 5.1 defines. */
export const standardErrorNumbers = { parseError: -32700, invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602 } as const;

/** One number a word, in JSON-RPC's range for servers. Stable: never renumber. */
export const errorNumbers: Readonly<Record<PipeErrorCode, number>> = {
  not_paired: -32000,
  not_permitted: -32001,
  not_connected: -32002,
  reconnect_required: -32003,
  provider_unavailable: -32004,
  invalid_request: -32005,
  rate_limited: -32006,
  vault_locked: -32007,
  shutting_down: -32008,
  internal_error: -32603,
};

/** Failures the standard has a code of its own for. */
const standardNumbers: Partial<Record<FailureCode, number>> = {
  message_invalid: standardErrorNumbers.invalidParams,
  message_too_large: standardErrorNumbers.invalidRequest,
  method_unknown: standardErrorNumbers.methodNotFound,
};

export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data: PipeErrorData;
}

/** The JSON-RPC error of a failure; `number` only where the failure alone does not tell (a bad envelope). */
export function jsonRpcError(failure: Failure, number?: number): JsonRpcError {
  const code = number ?? standardNumbers[failure.code] ?? errorNumbers[pipeErrorCode(failure.code)];
  const data = problemOf(failure);
  const comesBack = data.code === "shutting_down" ? { retryAfterSeconds: usualRetryAfterSeconds } : {};
  return { code, message: failure.message, data: { ...comesBack, ...data } };
}
