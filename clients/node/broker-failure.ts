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
  /** Where a person has to connect anew: the connection. */
  readonly connectionId?: string;
  /** Only where this library found that no answer came. After `not-sent` the broker surely never got the request. */
  readonly noAnswer?: "not-sent" | "connection-ended" | "timed-out";
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
export function brokerUnreachable(noAnswer: "not-sent" | "connection-ended"): BrokerFailure {
  return { ...localFailure("broker_unreachable"), noAnswer };
}

/** The broker holds the pipe open and says nothing. Whether it did what it was asked is not known. */
export function timedOut(): BrokerFailure {
  return {
    code: "internal_error",
    detail: "timed_out",
    message: "DMS Connect did not answer in time.",
    remedy: "Try again; if it stays so, restart DMS Connect.",
    retryable: true,
    noAnswer: "timed-out",
  };
}

/** The program itself has closed the session. */
export function sessionClosed(): BrokerFailure {
  return {
    code: "internal_error",
    detail: "session_closed",
    message: "This program has closed its session with DMS Connect.",
    remedy: "Restart the program.",
    retryable: false,
  };
}

/** The app says that it ends, or restarts. */
export function brokerClosing(retryAfterSeconds: number): BrokerFailure {
  return { ...localFailure("shutting_down"), retryAfterSeconds };
}

/** There are no credentials, or their key is not one. */
export function notPaired(message: string): BrokerFailure {
  return { ...localFailure("not_paired", "Pair the program with DMS Connect."), message };
}

/** The other side could not prove the key. A removed program sees the same: the broker no longer has its key. */
export function brokerNotGenuine(): BrokerFailure {
  return localFailure(
    "broker_not_genuine",
    "If this program was removed in DMS Connect, pair it again. Otherwise do not go on, and call your administrator.",
  );
}

/** The greeting was refused by somebody who has proved nothing: his word is kept, his words are not shown to anybody. */
export function greetingRefused({ code, detail, retryable, retryAfterSeconds }: BrokerFailure): BrokerFailure {
  const isOldOrNew = detail === "protocol_unsupported";
  return {
    code,
    detail,
    message: "The program on the pipe refused the greeting.",
    remedy: isOldOrNew ? "Update this program or DMS Connect." : "Restart DMS Connect and try again.",
    retryable,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** Parses a JSON-RPC `error`. One without understandable `data` counts as `internal_error`. */
export function parseFailure(error: unknown): BrokerFailure {
  const data = isRecord(error) && isRecord(error["data"]) ? error["data"] : {};
  const unknown = localFailure("internal_error");
  const { code, detail, message, remedy, retryable, retryAfterSeconds, connectionId } = data;
  return {
    code: isKnownCode(code) ? code : unknown.code,
    detail: textOr(detail, textOr(code, unknown.detail)),
    message: textOr(message, unknown.message),
    remedy: textOr(remedy, unknown.remedy),
    retryable: retryable === true,
    ...(typeof retryAfterSeconds === "number" ? { retryAfterSeconds } : {}),
    ...(typeof connectionId === "string" ? { connectionId } : {}),
  };
}

function isKnownCode(code: unknown): code is PipeErrorCode {
  return typeof code === "string" && Object.hasOwn(knownCodes, code);
}

/** These texts go to terminals and logs: what cannot be seen there becomes a blank. */
function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" && value !== "" ? value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ") : fallback;
}
