/** A failure as programs get it in `error.data` and in a connection's `problem`. */
import { type Failure, pipeErrorCode } from "../../shared/failure.ts";
import type { PipeErrorData } from "../../shared/pipe-protocol.ts";
import { err, type Result } from "../../shared/result.ts";
import { connectionId } from "../../shared/views.ts";
import type { ConnectionKey } from "./connection-state.ts";

/** A failure that may name the connection it is about. */
interface ConnectionFailure extends Failure {
  readonly connectionId?: string;
}

export function problemOf(failure: ConnectionFailure): PipeErrorData {
  return {
    code: pipeErrorCode(failure.code),
    detail: failure.code,
    message: failure.message,
    remedy: failure.remedy,
    retryable: failure.retryable,
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
    ...(failure.connectionId === undefined ? {} : { connectionId: failure.connectionId }),
  };
}

/** Names the connection in a failure that a person has to mend in its row; gives anything else as it is. */
export function namingConnection<T>(result: Result<T>, key: ConnectionKey): Result<T> {
  if (result.ok) return result;
  const word = pipeErrorCode(result.error.code);
  if (word !== "not_connected" && word !== "reconnect_required") return result;
  const named: ConnectionFailure = { ...result.error, connectionId: connectionId(key) };
  return err(named);
}
