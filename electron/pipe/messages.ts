/**
 * What programs may send: the JSON-RPC 2.0 envelope and the parameters of every method.
 *
 * Invariant: past this module every value has its type. Problems name fields, never values.
 */
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";
import type {
  ConnectionSelector,
  ConnectStartParams,
  PairingRequestParams,
  PairingWaitParams,
  SessionAuthenticateParams,
  SessionHelloParams,
  TokenGetParams,
  TokenRejectedParams,
} from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { reservedActors } from "../core/ports.ts";
import { type JsonRpcError, jsonRpcError, standardErrorNumbers } from "./json-rpc-errors.ts";

export type RequestId = string | number;

export interface Request {
  readonly id: RequestId;
  readonly method: string;
  /** Still to be parsed by the method's schema. */
  readonly params: unknown;
}

/** A message that is no request; `id` is null where it could not be read (JSON-RPC 2.0 section 5). */
export interface InvalidMessage {
  readonly id: RequestId | null;
  readonly error: JsonRpcError;
}

/** Ids are sent back, so their length is bounded. */
const maxIdLength = 128;

/**
 * Reads one message as a request.
 *
 * @param text one line without its line ending
 */
export function parseRequest(text: string): Result<Request, InvalidMessage> {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return err({ id: null, error: invalidMessage("it is not JSON", standardErrorNumbers.parseError) });
  }
  if (Array.isArray(message)) return refuse(null, "batches are not accepted: send one request a line");
  if (!isRecord(message)) return refuse(null, "it is not an object");
  const id = message["id"];
  if (id === undefined) return refuse(null, "id is missing: programs send requests only, no notifications");
  if (!isRequestId(id)) return refuse(null, `id must be an integer, or a string of at most ${maxIdLength} characters`);
  if (message["jsonrpc"] !== "2.0") return refuse(id, 'jsonrpc must be "2.0"');
  const method = message["method"];
  if (typeof method !== "string") return refuse(id, "method must be a string");
  return ok({ id, method, params: message["params"] });
}

/** `message_invalid` as a JSON-RPC error. */
export function invalidMessage(problem: string, number: number): JsonRpcError {
  return jsonRpcError(failure("message_invalid", { problem }), number);
}

/** Parses a method's parameters; absent ones count as `{}`. */
export function parseParams<P>(schema: z.ZodType<P>, params: unknown): Result<P> {
  const parsed = schema.safeParse(params ?? {});
  return parsed.success ? ok(parsed.data) : err(paramsFailure(parsed.error));
}

function refuse(id: RequestId | null, problem: string): Result<never, InvalidMessage> {
  return err({ id, error: invalidMessage(problem, standardErrorNumbers.invalidRequest) });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isRequestId(value: unknown): value is RequestId {
  return (typeof value === "string" && value.length <= maxIdLength) || Number.isSafeInteger(value);
}

function paramsFailure(error: z.ZodError): Failure {
  const issue = error.issues[0];
  const field = ["params", ...(issue?.path ?? [])].map(String).join(".");
  return failure("message_invalid", { problem: `${field}: ${issue?.message ?? "not valid"}` });
}

// ---- parameters of the methods. Unknown fields are dropped, so that newer programs can talk to older brokers. ----

/** No control, formatting (bidirectional overrides) or lone surrogate characters: these texts are shown to people and used as keys. */
function plainText(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, "must not hold control characters")
    .regex(/\S/u, "must not be blank");
}
/** 32 bytes are 43 base64url characters without padding. */
const thirtyTwoBytes = z.string().regex(/^[\w-]{43}$/, "must be 32 bytes in base64url without padding");
const clientIdText = z
  .string()
  .regex(/^[\w.~-]{1,128}$/, "must be 1 to 128 letters, digits or . ~ _ -")
  .refine((id) => !reservedActors.includes(id), "is a word of the broker's own");

const selector = {
  provider: plainText(64),
  environment: z.enum(["acceptance", "production"]).exactOptional(),
  user: plainText(256),
};
const organisation = plainText(128).exactOptional();

export const noParams = z.object({});

export const pairingRequestParams: z.ZodType<PairingRequestParams> = z.object({
  name: plainText(64),
  publisher: plainText(64).exactOptional(),
  reason: plainText(256).exactOptional(),
});
export const pairingWaitParams: z.ZodType<PairingWaitParams> = z.object({ pairingId: plainText(128) });
/** What every version of `session.hello` begins with. */
export const protocolChoice = z.object({ protocol: z.int() });
export const sessionHelloParams: z.ZodType<SessionHelloParams> = z.object({
  protocol: z.int(),
  clientId: clientIdText,
  nonce: thirtyTwoBytes,
});
/** Of whatever form: a cut or padded proof is refused like any other wrong one. */
export const sessionAuthenticateParams: z.ZodType<SessionAuthenticateParams> = z.object({ proof: z.string().max(1024) });
export const connectionSelector: z.ZodType<ConnectionSelector> = z.object(selector);
export const tokenGetParams: z.ZodType<TokenGetParams> = z.object({
  ...selector,
  organisation,
  minValiditySeconds: z.int().min(0).max(86_400).exactOptional(),
});
export const tokenRejectedParams: z.ZodType<TokenRejectedParams> = z.object({ ...selector, tokenId: plainText(128), organisation });
export const connectStartParams: z.ZodType<ConnectStartParams> = z.object({ ...selector, organisation });
