/**
 * Puts delay, holds and overrides around a token endpoint, the same way for both providers.
 * Invariant: each request uses up at most one of `nextTokenResponses`, chosen when it arrives.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Answer, jsonAnswer, readBody } from "./http-exchange.ts";
import type { TokenEndpointGate } from "./token-endpoint-gate.ts";
import { type TokenResponseOverride, tokenResponseOverrideSchema } from "./token-response-override.ts";

/** Fields of a behaviour object that concern the token endpoint and the socket. */
export const tokenEndpointBehaviourShape = {
  /** Waits this long before a token request is handled. */
  tokenLatencyMs: z.number().min(0),
  /** A status such as 503 that every token request gets; null means none. */
  tokenDown: z.int().min(400).max(599).nullable(),
  /** Used up from the front, one a request. */
  nextTokenResponses: z.array(tokenResponseOverrideSchema),
  /** Used for every request for which `nextTokenResponses` has none. */
  everyTokenResponse: tokenResponseOverrideSchema.nullable(),
  /** Used for every n-th request that nothing above is meant for, counted from the server's start. */
  flaky: z.strictObject({ every: z.int().min(1), answer: tokenResponseOverrideSchema }).nullable(),
  /** Added to the `Date` header of every answer: a provider whose own clock is wrong. */
  dateOffsetSeconds: z.number(),
  /** Cuts every connection before the TLS handshake, or before the first answer with http. */
  refuseConnections: z.boolean(),
};

const tokenEndpointBehaviourSchema = z.strictObject(tokenEndpointBehaviourShape);
export type TokenEndpointBehaviour = z.infer<typeof tokenEndpointBehaviourSchema>;

/** A token endpoint that behaves. */
export function plainTokenEndpoint(): TokenEndpointBehaviour {
  return {
    tokenLatencyMs: 0,
    tokenDown: null,
    nextTokenResponses: [],
    everyTokenResponse: null,
    flaky: null,
    dateOffsetSeconds: 0,
    refuseConnections: false,
  };
}

export interface TokenExchange {
  readonly behaviour: TokenEndpointBehaviour;
  readonly gate: TokenEndpointGate;
  readonly request: IncomingMessage;
  /** Called with the form of a request that is read but not carried out. */
  readonly observe: (form: URLSearchParams) => void;
  /** Reads the request and carries it out. */
  readonly process: () => Promise<Answer>;
}

/**
 * Carries out a token request as `behaviour` wants it.
 *
 * @returns what to answer, or undefined when the connection was cut
 */
export async function shapeTokenResponse(exchange: TokenExchange): Promise<Answer | undefined> {
  const { behaviour, gate, request } = exchange;
  const override = chooseOverride(behaviour, gate.count());
  if (override?.kind === "drop" && override.when === "before-reading") return cut(request);
  await gate.pass("before-processing");
  if (behaviour.tokenLatencyMs > 0) await delay(behaviour.tokenLatencyMs, undefined, { ref: false });
  if (override !== undefined && !carriesOut(override)) {
    exchange.observe(new URLSearchParams(await readBody(request)));
    if (override.kind === "hang") await gate.hang(request);
    return override.kind === "replace" ? replacement(override) : cut(request);
  }
  const genuine = await exchange.process();
  await gate.pass("after-processing");
  if (override === undefined) return genuine;
  if (override.kind === "replace") return replacement(override);
  if (override.kind === "hang") await gate.hang(request);
  return override.kind === "amend" ? amended(genuine, override) : cut(request);
}

function chooseOverride(behaviour: TokenEndpointBehaviour, requestNumber: number): TokenResponseOverride | undefined {
  const next = behaviour.nextTokenResponses.shift();
  if (next !== undefined) return next;
  if (behaviour.tokenDown !== null) return { kind: "replace", status: behaviour.tokenDown };
  if (behaviour.everyTokenResponse !== null) return behaviour.everyTokenResponse;
  const { flaky } = behaviour;
  return flaky !== null && requestNumber % flaky.every === 0 ? flaky.answer : undefined;
}

function carriesOut(override: TokenResponseOverride): boolean {
  if (override.kind === "amend") return true;
  return override.kind === "replace" ? override.processed === true : override.when === "after-processing";
}

function cut(request: IncomingMessage): undefined {
  request.socket.destroy();
  return undefined;
}

function replacement(override: Extract<TokenResponseOverride, { kind: "replace" }>): Answer {
  return { status: override.status ?? 200, headers: override.headers ?? {}, body: override.body ?? "" };
}

function amended(genuine: Answer, override: Extract<TokenResponseOverride, { kind: "amend" }>): Answer {
  const fields = z.record(z.string(), z.unknown()).safeParse(parseJson(genuine.body));
  // An error answer keeps its fields: the tests amend tokens, not errors.
  if (!fields.success || genuine.status !== 200) return genuine;
  const kept = Object.entries(fields.data).filter(([name]) => override.omit?.includes(name) !== true);
  return jsonAnswer(200, { ...Object.fromEntries(kept), ...override.set }, { ...genuine.headers, ...override.headers });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
