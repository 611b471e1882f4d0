/**
 * What a token endpoint says to an empty request. Invariant: no credentials are sent, so that nothing can be granted or counted
 * against anybody; nothing of an answer is shown but its status and its `error` word.
 */
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { type Check, fail, ok } from "./doctor-check.ts";
import { type DoctorRoute, errorWord, inTime } from "./doctor-connection.ts";

/** Enough for any error answer. */
const maxBodyBytes = 65_536;

const portalRemedy =
  "Open any page in the browser and sign in to the network if it asks for that. Otherwise ask your administrator what answers in the provider's place.";

export interface EndpointAnswer {
  readonly check: Check;
  /** How far this computer's clock is ahead, in milliseconds; absent when the endpoint itself did not tell its time. */
  readonly aheadMs?: number;
}

/** Sends an empty POST over an open connection and reads the answer. The caller ends the connection. */
export async function checkAnswer(name: string, socket: Socket, route: DoctorRoute, nowMs: () => number): Promise<EndpointAnswer> {
  const askedAtMs = nowMs();
  try {
    const { message, body } = await inTime(exchange(socket, route.url), route.timeoutMs, () => socket.destroy());
    const check = judge(name, message, body);
    const dateMs = Date.parse(message.headers.date ?? "");
    const isOwnWord = check.outcome === "ok" && message.headers.age === undefined && Number.isFinite(dateMs);
    // `Date` has whole seconds, cut off.
    return isOwnWord ? { check, aheadMs: (askedAtMs + nowMs()) / 2 - (dateMs + 500) } : { check };
  } catch (error) {
    const remedy = "Try again in a few minutes. If it stays so, something between this computer and the provider cuts the connection.";
    return { check: fail(name, `no answer (${errorWord(error)})`, remedy) };
  }
}

/** Over five minutes is what DMS Connect tells people about. */
export function judgeClock(name: string, aheadMs: number): Check {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const direction = aheadMs > 0 ? "fast" : "slow";
  if (seconds <= 300) return ok(name, seconds <= 2 ? "right" : `${seconds} seconds ${direction}`);
  const found = `${durationText(seconds)} ${direction}, by the provider's time`;
  return fail(name, found, "Set the date, the time and the time zone of this computer right.");
}

function durationText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} days ${hours % 24} hours`;
  return hours > 0 ? `${hours} hours ${minutes % 60} minutes` : `${minutes} minutes`;
}

interface Answer {
  readonly message: IncomingMessage;
  readonly body: string;
}

function exchange(socket: Socket, url: URL): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      createConnection: () => socket,
      method: "POST",
      path: url.pathname + url.search,
      headers: {
        host: url.host,
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": 0,
        "user-agent": "DMS-Connect",
      },
    });
    outgoing.once("response", (message) => {
      readText(message).then((body) => resolve({ message, body }), reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function readText(message: IncomingMessage): Promise<string> {
  const stream: AsyncIterable<Buffer> = message;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > maxBodyBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function judge(name: string, { statusCode: status = 0, headers }: IncomingMessage, body: string): Check {
  const type = (headers["content-type"] ?? "").toLowerCase();
  const isPage = /^(text\/html|application\/xhtml)/.test(type) && body.trim() !== "";
  if (status >= 300 && status < 400) return fail(name, `a redirect (status ${status}) instead of an answer`, portalRemedy);
  if (status === 511 || (isPage && (status < 300 || status === 403))) {
    return fail(name, `a page (status ${status}) instead of an answer: the network wants somebody to sign in, or blocks it`, portalRemedy);
  }
  if (status === 429 || status >= 500) {
    return fail(
      name,
      `the provider is busy or out of order (status ${status})`,
      "Try again in a few minutes. DMS Connect does so by itself.",
    );
  }
  const error = oauthError(body);
  if (error !== undefined) return ok(name, `status ${status}, ${error}: an OAuth server that wants credentials`);
  if (status === 401 && headers["www-authenticate"] !== undefined) return ok(name, `status ${status}: a server that wants credentials`);
  const remedy =
    "Check the token endpoint's address in the registration. If it is right, ask your administrator what answers in its place.";
  return fail(name, `status ${status}, which is not the answer of an OAuth server`, remedy);
}

/** The `error` of an error response (RFC 6749 section 5.2), without anything that could do harm on a terminal. */
function oauthError(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null || !("error" in parsed) || typeof parsed.error !== "string") return undefined;
    const word = parsed.error.replace(/[^A-Za-z0-9_.-]/g, "").slice(0, 60);
    return word === "" ? undefined : word;
  } catch {
    return undefined;
  }
}
