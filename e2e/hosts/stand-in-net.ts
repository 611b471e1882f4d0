/**
 * Electron's `net.fetch` on the Chromium host, over Node's http and https: it obeys the session's
 * certificate verify proc, rejects redirects as Electron does, and reports Chromium's error names.
 */
import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import type { Certificate, Net, Session } from "electron";
import { NotImplementedError, standIn } from "./not-implemented.ts";

/** The session's certificate verify proc at the time of asking. */
export type VerifyProc = Parameters<Session["setCertificateVerifyProc"]>[0];

/** Makes `net`. */
export function createStandInNet(verifyProc: () => VerifyProc): Net {
  const methods: Partial<Net> = {
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
      const message = await send(request, body, verifyProc());
      return toResponse(message, request.redirect);
    },
    isOnline: () => true,
    online: true,
  };
  return standIn<Net>("net", methods);
}

async function send(request: Request, body: Buffer | undefined, verifyProc: VerifyProc): Promise<IncomingMessage> {
  const url = new URL(request.url);
  const options: RequestOptions = {
    method: request.method,
    headers: { ...Object.fromEntries(request.headers), ...(body === undefined ? {} : { "content-length": String(body.length) }) },
    signal: request.signal,
  };
  try {
    if (url.protocol === "http:") return await answerTo(httpRequest(url, options), body);
    if (url.protocol !== "https:") throw new NotImplementedError(`net.fetch of ${url.protocol} URLs`);
    // No connection is kept: the verify proc sees the certificate before any byte of any request leaves.
    const socket = await connectVerified(url, verifyProc, request.signal);
    return await answerTo(httpsRequest(url, { ...options, createConnection: () => socket }), body);
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw error instanceof NotImplementedError ? error : chromiumError(error);
  }
}

function answerTo(outgoing: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function connectVerified(url: URL, verifyProc: VerifyProc, signal: AbortSignal): Promise<TLSSocket> {
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({
    host: hostname,
    port: Number(url.port || 443),
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: verifyProc === null,
  });
  try {
    await once(socket, "secureConnect", { signal });
    if (verifyProc !== null) await verify(socket, url.hostname, verifyProc);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function verify(socket: TLSSocket, hostname: string, verifyProc: NonNullable<VerifyProc>): Promise<void> {
  const peer = socket.getPeerX509Certificate();
  if (peer === undefined) return Promise.reject(new Error("net::ERR_SSL_PROTOCOL_ERROR"));
  const verdict = socket.authorized ? "net::OK" : certificateError(String(socket.authorizationError));
  const fields: Partial<Certificate> = {
    data: peer.toString(),
    fingerprint: `sha256/${Buffer.from(peer.fingerprint256.replaceAll(":", ""), "hex").toString("base64")}`,
    serialNumber: peer.serialNumber,
    validStart: Date.parse(peer.validFrom) / 1000,
    validExpiry: Date.parse(peer.validTo) / 1000,
  };
  const certificate = standIn<Certificate>("Certificate", fields);
  return new Promise((resolve, reject) => {
    verifyProc(
      {
        hostname,
        certificate,
        validatedCertificate: certificate,
        isIssuedByKnownRoot: socket.authorized,
        verificationResult: verdict,
        errorCode: socket.authorized ? 0 : -202,
      },
      (result) => {
        // 0 trusts, -3 keeps the verdict, anything else refuses (setCertificateVerifyProc).
        if (result === 0 || (result === -3 && socket.authorized)) resolve();
        else reject(new Error(result === -3 ? verdict : "net::ERR_FAILED"));
      },
    );
  });
}

function toResponse(message: IncomingMessage, redirect: Request["redirect"]): Response {
  const status = message.statusCode ?? 0;
  if (message.headers.location !== undefined && [301, 302, 303, 307, 308].includes(status)) {
    message.destroy();
    // lib/browser/api/net-client-request.ts, for the two policies that do not follow.
    if (redirect === "manual") throw new Error("Redirect was cancelled");
    if (redirect === "error") throw new Error("Attempted to redirect, but redirect policy was 'error'");
    throw new NotImplementedError("net.fetch following a redirect");
  }
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) for (const value of values ?? []) headers.append(name, value);
  const hasBody = ![101, 204, 205, 304].includes(status);
  // Node's web stream is the one its own Response takes; the two typings differ only in name.
  const stream = hasBody ? (Readable.toWeb(message) as ReadableStream) : null;
  return new Response(stream, { status, headers });
}

const chromiumNames: Readonly<Record<string, string>> = {
  ENOTFOUND: "ERR_NAME_NOT_RESOLVED",
  EAI_AGAIN: "ERR_NAME_NOT_RESOLVED",
  ECONNREFUSED: "ERR_CONNECTION_REFUSED",
  ECONNRESET: "ERR_CONNECTION_RESET",
  EPIPE: "ERR_CONNECTION_RESET",
  ETIMEDOUT: "ERR_CONNECTION_TIMED_OUT",
  ENETUNREACH: "ERR_INTERNET_DISCONNECTED",
  EHOSTUNREACH: "ERR_ADDRESS_UNREACHABLE",
};

function chromiumError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("net::ERR_FAILED");
  if (error.message.startsWith("net::")) return error;
  // Node puts its error word into `code`.
  const { code } = error as { readonly code?: string };
  // A peer that closes before it answers is ECONNRESET "socket hang up" in Node and an empty response in Chromium.
  if (error.message === "socket hang up") return new Error("net::ERR_EMPTY_RESPONSE");
  if (code === undefined) return new Error("net::ERR_FAILED");
  return new Error(chromiumNames[code] === undefined ? certificateError(code) : `net::${chromiumNames[code]}`);
}

function certificateError(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "net::ERR_CERT_COMMON_NAME_INVALID";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") return "net::ERR_CERT_DATE_INVALID";
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return "net::ERR_CERT_AUTHORITY_INVALID";
  return code === "EPROTO" || code.startsWith("ERR_SSL") ? "net::ERR_SSL_PROTOCOL_ERROR" : "net::ERR_FAILED";
}
