/** Why a call failed, as the broker said it or as this library found out. */
import { type Failure, failure, type PipeErrorCode, pipeErrorCode } from "../../shared/failure.ts";
import { isRecord } from "./parse-fields.ts";

export interface BrokerFailure {
  /** The word to act on. */
  readonly code: PipeErrorCode;
  /** The finer cause, for logs. Newer brokers may send words unknown here. */
  readonly detail: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
}

const knownCodes: Readonly<Record<PipeErrorCode, true>> = {
  not_paired: true,
  not_permitted: true,
  not_connected: true,
  reconnect_required: true,
  provider_unavailable: true,
  invalid_request: true,
  rate_limited: true,
  vault_locked: true,
  shutting_down: true,
  internal_error: true,
};

/** A failure that this library found itself. */
export function localFailure(code: Failure["code"], remedy?: string): BrokerFailure {
  const { message, remedy: usualRemedy, retryable } = failure(code);
  return { code: pipeErrorCode(code), detail: code, message, remedy: remedy ?? usualRemedy, retryable };
}

/** The pipe is not there, or closed while a call was under way. */
export function brokerUnreachable(): BrokerFailure {
  return localFailure("broker_unreachable");
}

/** The other side could not prove the key. A removed program sees the same: the broker no longer has its key. */
export function brokerNotGenuine(): BrokerFailure {
  return localFailure(
    "broker_not_genuine",
    "If this program was removed in DMS Connect, pair it again. Otherwise do not go on, and call your administrator.",
  );
}

/** Parses a JSON-RPC `error`. One without understandable `data` counts as `internal_error`. */
export function parseFailure(error: unknown): BrokerFailure {
  const data = isRecord(error) && isRecord(error["data"]) ? error["data"] : {};
  const unknown = localFailure("internal_error");
  const { code, detail, message, remedy, retryable, retryAfterSeconds } = data;
  return {
    code: isKnownCode(code) ? code : unknown.code,
    detail: textOr(detail, textOr(code, unknown.detail)),
    message: textOr(message, unknown.message),
    remedy: textOr(remedy, unknown.remedy),
    retryable: retryable === true,
    ...(typeof retryAfterSeconds === "number" ? { retryAfterSeconds } : {}),
  };
}

function isKnownCode(code: unknown): code is PipeErrorCode {
  return typeof code === "string" && Object.hasOwn(knownCodes, code);
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}
