/**
 * The token endpoint that the app talks to: TLS before a stand-in provider that has none, and the eyes of the ledger.
 *
 * Invariants: every refresh token is in the ledger before the provider hears of it, and every new token before the app can
 * have it. What the provider has decided stands, whether or not anybody is left to receive the answer. Closing it and
 * opening it again is a restart of the server that keeps its state, as one with a database does.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../crash/random.ts";
import { boundPort } from "./bound-port.ts";
import type { ChaosProxy } from "./chaos-proxy.ts";
import { lifeParameter, type ProviderId } from "./child-contract.ts";
import type { Issued, Ledger, Presentation } from "./ledger.ts";
import { readTokenAnswer } from "./token-answer.ts";

export interface TokenEndpointOptions {
  readonly provider: ProviderId;
  /** The stand-in's own token endpoint. */
  readonly tokenUrl: string;
  /** Whose access token this is, by the stand-in's API; undefined if it does not take it. */
  readonly ownerOf: (accessToken: string) => Promise<string | undefined>;
  readonly certificate: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly proxy: ChaosProxy;
  readonly ledger: Ledger;
  readonly random: Random;
  /** A bug of the soak, or of the stand-in. */
  readonly onProblem: (text: string) => void;
}

export interface TokenEndpoint {
  /** Opens it at another port, and has the proxy lead there. */
  readonly open: () => Promise<void>;
  /** Ends all connections at once. What the provider is working on goes on. */
  readonly close: () => Promise<void>;
  /** While it is busy it carries nothing out. */
  readonly setBusy: (isBusy: boolean) => void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The provider's own work takes this long, before and after it has decided. */
const longestWorkMs = 40;
const longestRetryAfterSeconds = 3;

export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  let server: Server | undefined;
  let isBusy = false;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    // Cut off in the middle: nothing was asked.
    if (body === undefined) return;
    if (request.method !== "POST") return void response.writeHead(405).end();
    if (isBusy) return refuse(options, response);
    await answer(options, request, body, response);
  };
  return {
    open: async () => {
      const { privateKeyPem, certificatePem } = options.certificate;
      server = createServer({ key: privateKeyPem, cert: certificatePem }, (request, response) => {
        // A connection that ends early is what this is about.
        response.on("error", () => undefined);
        handle(request, response).catch((error: unknown) => options.onProblem(String(error)));
      });
      await listen(server);
      options.proxy.leadTo(boundPort(server));
    },
    close: async () => {
      const closing = server;
      server = undefined;
      if (closing !== undefined) await closeAll(closing);
    },
    setBusy: (busy) => {
      isBusy = busy;
    },
  };
}

async function listen(server: Server): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
}

async function closeAll(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

/** As a load balancer answers for a server that has too much to do. */
function refuse({ random }: TokenEndpointOptions, response: ServerResponse): void {
  response.writeHead(503, { "retry-after": String(random.between(1, longestRetryAfterSeconds + 1)) }).end();
}

async function answer(options: TokenEndpointOptions, request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
  const { proxy, ledger, random, onProblem } = options;
  const link = proxy.linkAt(request.socket.remotePort ?? 0);
  const life = Number(new URL(request.url ?? "/", "https://127.0.0.1").searchParams.get(lifeParameter));
  const refreshToken = new URLSearchParams(body).get("refresh_token");
  const arrival = { life, isOpen: () => link?.isOpen === true };
  const presentation = refreshToken === null ? undefined : ledger.presented(refreshToken, arrival);
  if (refreshToken !== null && presentation === undefined) onProblem("a refresh token arrived that nobody issued");
  await delay(random.between(0, longestWorkMs));
  const decided = await forward(options.tokenUrl, request, body);
  await delay(random.between(0, longestWorkMs));
  const issued = await note(options, decided, presentation);
  if (response.destroyed) return;
  const way = link?.answerBegins();
  if (presentation !== undefined) presentation.way = way;
  if (issued !== undefined) issued.way = way;
  response.writeHead(decided.status, { "content-type": "application/json", "content-length": Buffer.byteLength(decided.body) });
  response.end(decided.body);
}

async function forward(tokenUrl: string, { headers }: IncomingMessage, body: string): Promise<Answer> {
  const response = await fetch(tokenUrl, {
    method: "POST",
    headers: { "content-type": headers["content-type"] ?? "", authorization: headers.authorization ?? "" },
    body,
  });
  return { status: response.status, body: await response.text() };
}

/** Puts an answer into the ledger. */
async function note(
  { provider, ledger, ownerOf, onProblem }: TokenEndpointOptions,
  { status, body }: Answer,
  presentation: Presentation | undefined,
): Promise<Issued | undefined> {
  if (status !== 200) {
    // RFC 6749 section 5.2: 400 is what both providers say of a refresh token that is no good.
    if (status !== 400) onProblem(`${provider} answered with ${status}`);
    if (presentation !== undefined) presentation.outcome = status === 400 ? "dead" : "not carried out";
    if (presentation !== undefined && status === 400) presentation.issued.family.isRefused = true;
    return undefined;
  }
  const tokens = readTokenAnswer(body, Date.now());
  // An access token of a sign-in that has ended meanwhile has no owner any more.
  const user = (await ownerOf(tokens.accessToken)) ?? presentation?.issued.user;
  if (user === undefined) throw new Error(`${provider} does not know its own access token`);
  if (presentation === undefined) return ledger.issued({ ...tokens, provider, user });
  const issued = ledger.issued({ ...tokens, provider, user, replaced: presentation.issued });
  presentation.outcome = "rotated";
  presentation.successor = issued;
  return issued;
}

async function readAll(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}
