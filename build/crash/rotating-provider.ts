/**
 * An authorization server on loopback that approves every sign-in, rotates every refresh token and takes reuse for theft.
 * Its knowledge stays with the parent, so it outlives every kill. Invariant: what it has decided stands, whether or not
 * anybody is left to receive the answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "./random.ts";
import type { ProviderStep } from "./steps.ts";
import type { Generation, Send, TokenFamilies } from "./token-families.ts";
import type { Seen } from "./totals.ts";

export interface RotatingProviderOptions {
  readonly families: TokenFamilies;
  readonly random: Random;
  readonly seen: Seen;
  /** Told of each refresh request before anything is decided about it. */
  readonly onRefreshSent: (generation: Generation, send: Send) => void;
  /** Returns whether the broker was killed at this step. */
  readonly onStep: (step: ProviderStep) => boolean;
}

export interface RotatingProvider {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** Answers take this long, so that kills fall into the wait for them; now and then much longer. */
const usualDelayMs = 12;
const longDelayMs = 80;
const longDelayShare = 0.1;

/** Listens on a free port of 127.0.0.1 until closed. */
export async function startRotatingProvider(options: RotatingProviderOptions): Promise<RotatingProvider> {
  const server = createServer((request, response) => {
    // A connection that ends early is what this harness is about; anything else is a bug and ends the run.
    response.on("error", () => undefined);
    void handle(options, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function handle(options: RotatingProviderOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname === "/authorize") return authorize(options, url, response);
  const form = await readForm(request);
  // Cut off in the middle: nothing was asked.
  if (form === undefined) return;
  const life = Number(url.searchParams.get("life"));
  if (url.pathname === "/revoke") return revoke(options, form, response);
  if (form.get("grant_type") === "authorization_code") return redeem(options, form, life, response);
  return refresh(options, form, life, response);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
  } catch {
    return undefined;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

function authorize({ families }: RotatingProviderOptions, url: URL, response: ServerResponse): void {
  const callback = new URL(url.searchParams.get("redirect_uri") ?? "");
  callback.searchParams.set("code", families.issueCode(url.searchParams.get("login_hint") ?? ""));
  callback.searchParams.set("state", url.searchParams.get("state") ?? "");
  response.writeHead(303, { location: callback.href }).end();
}

async function redeem(options: RotatingProviderOptions, form: URLSearchParams, life: number, response: ServerResponse): Promise<void> {
  await answerDelay(options.random);
  const generation = options.families.redeem(form.get("code") ?? "", life, Date.now());
  if (generation !== undefined && options.onStep("code-exchanged-unanswered")) return void response.destroy();
  answer(response, generation);
}

async function refresh(options: RotatingProviderOptions, form: URLSearchParams, life: number, response: ServerResponse): Promise<void> {
  const { families, random, seen, onStep } = options;
  const refreshToken = form.get("refresh_token") ?? "";
  const sent = families.byRefreshToken(refreshToken);
  if (sent !== undefined) {
    const send: Send = { life, atMs: Date.now() };
    options.onRefreshSent(sent, send);
    families.sent(sent, send);
  }
  // A request may be lost on its way in, or be worked on although nobody waits any more.
  if (onStep("request-received") && random.chance(0.5)) return void response.destroy();
  await answerDelay(random);
  const generation = families.rotate(refreshToken, life, Date.now());
  if (generation === undefined) return answer(response, undefined);
  seen.rotations += 1;
  if (onStep("rotated-unanswered")) return void response.destroy();
  await answerDelay(random);
  if (response.destroyed) return;
  answerInHalves(response, generation, () => onStep("answer-half-written"));
}

async function revoke(options: RotatingProviderOptions, form: URLSearchParams, response: ServerResponse): Promise<void> {
  await answerDelay(options.random);
  options.families.revoke(form.get("token") ?? "", Date.now());
  if (options.onStep("revoked-unanswered")) return void response.destroy();
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
}

function answer(response: ServerResponse, generation: Generation | undefined): void {
  const body = generation === undefined ? { error: "invalid_grant" } : tokenResponse(generation);
  response.writeHead(generation === undefined ? 400 : 200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function answerInHalves(response: ServerResponse, generation: Generation, isKilledAfterHalf: () => boolean): void {
  const text = JSON.stringify(tokenResponse(generation));
  const half = text.length / 2;
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  response.write(text.slice(0, half));
  if (isKilledAfterHalf()) response.destroy();
  else response.end(text.slice(half));
}

function tokenResponse({ accessToken, refreshToken, expiresInSeconds }: Generation) {
  return { access_token: accessToken, refresh_token: refreshToken, token_type: "Bearer", expires_in: expiresInSeconds };
}

async function answerDelay(random: Random): Promise<void> {
  await delay(random.between(0, random.chance(longDelayShare) ? longDelayMs : usualDelayMs));
}
