/** A failure as programs get it in `error.data` and in a connection's `problem`. */
import { type Failure, pipeErrorCode } from "../../shared/failure.ts";
import type { PipeErrorData } from "../../shared/pipe-protocol.ts";

export function problemOf(failure: Failure): PipeErrorData {
  return {
    code: pipeErrorCode(failure.code),
    detail: failure.code,
    message: failure.message,
    remedy: failure.remedy,
    retryable: failure.retryable,
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
  };
}
