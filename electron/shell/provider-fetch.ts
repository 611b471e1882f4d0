/**
 * The fetch of provider calls, on Chromium's network stack: it knows the system's proxy (also by PAC) and trust store, which
 * dealer networks with TLS inspection need. Invariants: no cookie, no cache and no redirect followed, because a token endpoint
 * that redirects would pass the client secret on; a proxy's sign-in is tried once a request, and goes to that proxy alone.
 *
 * It is built on `net.request`, because `net.fetch` lets nobody answer a proxy that asks for a password: it has no `login`
 * event, and `app`'s event of that name is about web pages and utility processes (electron/electron#44249). A proxy that wants
 * NTLM or Negotiate is answered by Chromium itself with the person's log-on to the computer; only if that is not good enough is
 * there a `login` event here, too.
 */
import { Readable } from "node:stream";
import type { AuthInfo, ClientRequest, IncomingMessage, Net } from "electron";
import { createProxyDealings, type ProxyDealings } from "./provider-fetch-proxy.ts";
import type { ProxySignIns } from "./proxy-sign-ins.ts";

export interface ProviderFetchParts {
  readonly net: Pick<Net, "request">;
  readonly proxySignIns: Pick<ProxySignIns, "take" | "takeAhead">;
  /** The session's: names the proxy that a request will go to, and where Chromium's error does not, that it went to. */
  readonly resolveProxy?: (url: string) => Promise<string>;
}

type Answer = (userName?: string, password?: string) => void;

/**
 * Makes the fetch for provider calls.
 *
 * @returns a `fetch` that rejects as Electron's `net.fetch` does: with `net::ERR_…` in the message for a network error
 *   (Chromium's net_error_list.h), and with "Redirect was cancelled" for a redirect (lib/common/api/net-client-request.ts);
 *   for a proxy that wants a sign-in with `net::ERR_PROXY_AUTH_REQUESTED` and, where it is known, host and port as `proxy`.
 *   oauth/transport-error.ts reads all three. The signal ends the body, too.
 */
export function createProviderFetch(parts: ProviderFetchParts): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    // Not `request.signal`: Node's follows the caller's only as long as nothing collects it.
    const signal = init?.signal ?? request.signal;
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    signal.throwIfAborted();
    const dealings = createProxyDealings(parts.proxySignIns, signal);
    try {
      const proxy = await nameProxy(parts, request.url);
      const maySend = proxy === undefined || (await dealings.waitFor(proxy));
      signal.throwIfAborted();
      if (!maySend) throw signInWanted(proxy);
      const response = await send({ ...parts, dealings, signal }, request, body);
      dealings.end(true);
      return response;
    } finally {
      dealings.end(false);
    }
  };
}

interface SendParts extends ProviderFetchParts {
  readonly dealings: ProxyDealings;
  readonly signal: AbortSignal;
}

function send(parts: SendParts, request: Request, body: Buffer | undefined): Promise<Response> {
  const { signal } = parts;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const outgoing = parts.net.request({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    // Says "no" to a server's challenge (401), not to a proxy's (407): ShouldApplyProxyAuth knows no privacy mode.
    credentials: "omit",
    cache: "no-store",
    redirect: "manual",
    bypassCustomProtocolHandlers: true,
  });
  // Stays until the caller's signal goes: the body may still be on its way when Electron says `close`.
  const onAbort = (): void => {
    reject(signal.reason);
    outgoing.abort();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const fail = (error: unknown): void => {
    signal.removeEventListener("abort", onAbort);
    outgoing.abort();
    reject(error);
  };
  // From here on nothing else decides: a proxy's challenge that is given up may be told as an error of its own, too.
  const wantSignIn = (proxy?: string): void => {
    resolve(rejectForSignIn(parts, request.url, proxy));
    outgoing.abort();
  };
  answerProxy(outgoing, parts.dealings, wantSignIn);
  // Also after the answer has begun: an error without a listener would end the app.
  outgoing.on("error", (error) => (isProxyChallenge(error) ? wantSignIn() : fail(error)));
  outgoing.on("response", (message) => {
    message.on("error", () => undefined);
    if (message.statusCode === 407) return wantSignIn();
    try {
      resolve(toResponse(message, request.method));
    } catch (error) {
      // A status that no Response can have.
      fail(error);
    }
  });
  outgoing.end(body);
  return promise;
}

/** Gives a proxy what is saved for it, once; when that is refused, or nothing is there, `onMissing` is told. */
function answerProxy(outgoing: ClientRequest, dealings: ProxyDealings, onMissing: (proxy: string) => void): void {
  const answer = async (info: AuthInfo, callback: Answer): Promise<void> => {
    const proxy = `${info.host}:${info.port}`;
    const found = await dealings.signInFor(proxy);
    if (found === undefined) onMissing(proxy);
    else callback(found.userName, found.password);
  };
  outgoing.on("login", (info, callback) => {
    // A server's challenge is an answer like any other, and is read as one.
    if (!info.isProxy) return callback();
    void answer(info, callback);
  });
}

/** Chromium's words for a proxy that wants a sign-in and has got none it accepts. */
function isProxyChallenge(error: Error): boolean {
  return /net::ERR_PROXY_AUTH_(UNSUPPORTED|REQUESTED)/.test(error.message);
}

async function rejectForSignIn(parts: ProviderFetchParts, url: string, known: string | undefined): Promise<never> {
  throw signInWanted(known ?? (await nameProxy(parts, url)));
}

function signInWanted(proxy: string | undefined): Error {
  return Object.assign(new Error("net::ERR_PROXY_AUTH_REQUESTED"), proxy === undefined ? {} : { proxy });
}

async function nameProxy({ resolveProxy }: ProviderFetchParts, url: string): Promise<string | undefined> {
  if (resolveProxy === undefined) return undefined;
  // In the form of a PAC file's answer: `PROXY host:port; DIRECT`.
  const list = await resolveProxy(url).catch(() => "");
  return /^(?:PROXY|HTTPS)\s+([^\s;]+)/.exec(list)?.[1];
}

function toResponse(message: IncomingMessage, method: string): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  const init = { status: message.statusCode, headers };
  if (method === "HEAD" || [204, 205, 304].includes(message.statusCode)) return new Response(null, init);
  // It is one, which its typings leave out, and `net.fetch` reads it in just this way (lib/browser/api/net-fetch.ts).
  const readable = message as unknown as Readable;
  // Node's web stream is the one its own Response takes; the two typings differ only in name.
  return new Response(Readable.toWeb(readable) as ReadableStream, init);
}
