/** One request over Node's http and https: direct or through a proxy, to its answer's head. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { AuthInfo } from "electron";
import { NotImplementedError } from "./not-implemented.ts";
import { connectVerified, type VerifyProc } from "./stand-in-net-tls.ts";

export interface Exchange {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
  readonly proxy: URL | undefined;
  readonly verifyProc: VerifyProc;
  /** What each proxy is sent at once: kept before it is known to be right, as Chromium does (HttpAuthController::ResetAuth). */
  readonly authMemory: Map<string, string>;
  /** Asks for what a proxy wants; undefined when nobody has it. */
  readonly logIn: (info: AuthInfo) => Promise<{ readonly userName: string; readonly password: string } | undefined>;
}

/** Throws Node's errors, or one in Chromium's words. */
export async function exchange(asked: Exchange): Promise<IncomingMessage> {
  const { url, signal, proxy } = asked;
  if (proxy !== undefined && proxy.protocol !== "http:") throw new NotImplementedError(`proxies by ${proxy.protocol}`);
  if (url.protocol === "http:") return proxy === undefined ? plain(asked) : plainThrough(asked, proxy);
  if (url.protocol !== "https:") throw new NotImplementedError(`net.request of ${url.protocol} URLs`);
  const tunnel = proxy === undefined ? undefined : await openTunnel(asked, proxy);
  const socket = await connectVerified(url, asked.verifyProc, signal, tunnel);
  return answerTo(httpsRequest(url, { ...requestOptions(asked), createConnection: () => socket }), asked.body);
}

function plain(asked: Exchange): Promise<IncomingMessage> {
  return answerTo(httpRequest(asked.url, { ...requestOptions(asked), agent: false }), asked.body);
}

/** RFC 9112 section 3.2.2: the proxy is asked for the whole address. */
async function plainThrough(asked: Exchange, proxy: URL): Promise<IncomingMessage> {
  const { url } = asked;
  let authorization = asked.authMemory.get(proxy.host);
  for (;;) {
    const options = requestOptions(asked, { host: url.host, ...authorizationHeader(authorization) });
    const message = await answerTo(httpRequest(proxy, { ...options, path: url.href, agent: false }), asked.body);
    if (message.statusCode !== 407) return message;
    authorization = await answerChallenge(asked, proxy, message, authorization);
    // Nobody has an answer: the page of the proxy is the answer, as in Chromium.
    if (authorization === undefined) return message;
    message.destroy();
  }
}

/** RFC 9110 section 9.3.6. */
async function openTunnel(asked: Exchange, proxy: URL): Promise<Socket> {
  const target = `${asked.url.hostname}:${asked.url.port || 443}`;
  let authorization = asked.authMemory.get(proxy.host);
  for (;;) {
    const options: RequestOptions = {
      method: "CONNECT",
      path: target,
      headers: { host: target, ...authorizationHeader(authorization) },
      signal: asked.signal,
      agent: false,
    };
    const { message, socket } = await tunnelAnswer(httpRequest(proxy, options));
    if (message.statusCode === 200) return socket;
    socket.destroy();
    if (message.statusCode !== 407) throw new Error("net::ERR_TUNNEL_CONNECTION_FAILED");
    authorization = await answerChallenge(asked, proxy, message, authorization);
    if (authorization === undefined) throw new Error("net::ERR_TUNNEL_CONNECTION_FAILED");
  }
}

/**
 * @param refused what the proxy has just got
 * @returns what to send as `Proxy-Authorization`; throws in Chromium's word for a scheme that is not done here
 */
async function answerChallenge(
  { authMemory, logIn }: Exchange,
  proxy: URL,
  { headers }: IncomingMessage,
  refused: string | undefined,
): Promise<string | undefined> {
  const challenge = /\bbasic\b(?:\s+realm="([^"]*)")?/i.exec(headers["proxy-authenticate"] ?? "");
  if (challenge === null) throw new Error("net::ERR_PROXY_AUTH_UNSUPPORTED");
  const remembered = authMemory.get(proxy.host);
  if (remembered !== undefined && remembered !== refused) return remembered;
  authMemory.delete(proxy.host);
  const info = { isProxy: true, scheme: "basic", host: proxy.hostname, port: Number(proxy.port || 80), realm: challenge[1] ?? "" };
  const found = await logIn(info);
  if (found === undefined) return undefined;
  const authorization = `Basic ${Buffer.from(`${found.userName}:${found.password}`).toString("base64")}`;
  authMemory.set(proxy.host, authorization);
  return authorization;
}

function authorizationHeader(authorization: string | undefined): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { "proxy-authorization": authorization };
}

function requestOptions({ method, headers, body, signal }: Exchange, more: Readonly<Record<string, string>> = {}): RequestOptions {
  return {
    method,
    headers: { ...headers, ...more, ...(body === undefined ? {} : { "content-length": String(body.length) }) },
    signal,
  };
}

function answerTo(outgoing: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    // Stays: what breaks off later is told by the message, too.
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function tunnelAnswer(outgoing: ClientRequest): Promise<{ readonly message: IncomingMessage; readonly socket: Socket }> {
  return new Promise((resolve, reject) => {
    // Node hands the connection over whatever the status is.
    outgoing.once("connect", (message: IncomingMessage, socket: Socket) => resolve({ message, socket }));
    outgoing.on("error", () => reject(new Error("net::ERR_PROXY_CONNECTION_FAILED")));
    outgoing.end();
  });
}
