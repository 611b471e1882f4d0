import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { makeLoopbackCertificate } from "./loopback-certificate.ts";
import { createOAuthClient } from "./oauth-client.ts";
import {
  closedOrigin,
  type LoopbackProvider,
  type ReceivedRequest,
  sendJson,
  startProvider,
  startRawServer,
} from "./testing/loopback-provider.ts";
import { mazdaClient, oldGrant, testNowMs } from "./testing/resolved-client.ts";

const never = new AbortController().signal;
const servers: LoopbackProvider[] = [];
const oauth = createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs });

async function provider(respond: (response: ServerResponse, request: ReceivedRequest) => void): Promise<LoopbackProvider> {
  const server = await startProvider(respond);
  servers.push(server);
  return server;
}

const answering = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  provider((response) => sendJson(response, status, body, headers));

const tokens = { access_token: "new-access", refresh_token: "new-refresh", token_type: "bearer", expires_in: 3600 };

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe("a refresh on a bad line", () => {
  async function raw(onRequest: Parameters<typeof startRawServer>[0]) {
    // Answers once the whole form has arrived.
    const server = await startRawServer((socket, received) => {
      if (received.includes("old-refresh")) onRequest(socket, received);
    });
    servers.push(server);
    return server;
  }

  it("is not-sent when nobody listens", async () => {
    const outcome = await oauth.refresh(mazdaClient(await closedOrigin()), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "not-sent", failure: { code: "provider_unreachable" } });
  });

  it("is not-sent when the name does not exist", async () => {
    const outcome = await oauth.refresh(mazdaClient("https://provider.invalid"), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "not-sent", failure: { code: "network_offline" } });
  });

  it("is not-sent when the certificate is not trusted", async () => {
    const server = await startProvider((response) => sendJson(response, 200, tokens), await makeLoopbackCertificate(Date.now()));
    servers.push(server);
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({
      kind: "not-sent",
      failure: { params: { problem: "its certificate is not trusted, DEPTH_ZERO_SELF_SIGNED_CERT" } },
    });
    expect(server.requests).toHaveLength(0);
  });

  it("is not-sent when the other side speaks no TLS", async () => {
    const server = await answering(200, tokens);
    const outcome = await oauth.refresh(mazdaClient(server.origin.replace("http:", "https:")), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "not-sent" });
  });

  it("is not-sent when the line closes during the TLS handshake", async () => {
    const server = await startRawServer((socket) => socket.end());
    servers.push(server);
    const outcome = await oauth.refresh(mazdaClient(server.origin.replace("http:", "https:")), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "not-sent", failure: { params: { problem: "no secure connection" } } });
  });

  it("is not-sent when it was aborted before", async () => {
    const server = await answering(200, tokens);
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, AbortSignal.abort())).toMatchObject({ kind: "not-sent" });
    expect(server.requests).toHaveLength(0);
  });

  it("is ambiguous when the connection is reset after the request", async () => {
    const server = await raw((socket) => socket.resetAndDestroy());
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({
      kind: "ambiguous",
      failure: { code: "refresh_ambiguous", params: { problem: "connection lost, ECONNRESET" } },
    });
  });

  it("is ambiguous when the connection closes without an answer", async () => {
    const server = await raw((socket) => socket.end());
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, never)).toMatchObject({ kind: "ambiguous" });
  });

  it("is ambiguous when a good answer breaks off", async () => {
    const server = await raw((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"access_token":"abc"'),
    );
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, never)).toMatchObject({ kind: "ambiguous" });
  });

  it("is refused-for-now when the page of a 503 breaks off", async () => {
    const server = await raw((socket) =>
      socket.end("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"),
    );
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "provider_busy", retryAfterSeconds: 7 } });
  });

  it("is ambiguous when the answer does not come in time", async () => {
    const server = await provider(() => undefined);
    const impatient = createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs, timeoutMs: 100 });
    const outcome = await impatient.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { params: { problem: "no answer in time" } } });
  });

  it("is ambiguous when the body stalls", async () => {
    const server = await provider((response) => response.writeHead(200, { "content-type": "application/json" }).write("{"));
    const impatient = createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs, timeoutMs: 100 });
    expect(await impatient.refresh(mazdaClient(server.origin), oldGrant, never)).toMatchObject({ kind: "ambiguous" });
  });

  it("is ambiguous when it is aborted after it was sent", async () => {
    const controller = new AbortController();
    const server = await provider(() => controller.abort());
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, controller.signal)).toMatchObject({ kind: "ambiguous" });
  });
});

describe("a refresh through Electron's net", () => {
  // Its errors are plain ones with a net::ERR_ word in the message.
  it.each([
    ["net::ERR_NAME_NOT_RESOLVED", "not-sent", "network_offline"],
    ["net::ERR_DNS_TIMED_OUT", "not-sent", "network_offline"],
    ["net::ERR_INTERNET_DISCONNECTED", "not-sent", "network_offline"],
    ["net::ERR_ADDRESS_UNREACHABLE", "not-sent", "provider_unreachable"],
    ["net::ERR_NETWORK_ACCESS_DENIED", "not-sent", "provider_unreachable"],
    ["net::ERR_DNS_NO_MATCHING_SUPPORTED_ALPN", "not-sent", "provider_unreachable"],
    ["net::ERR_CONNECTION_REFUSED", "not-sent", "provider_unreachable"],
    ["net::ERR_CONNECTION_TIMED_OUT", "not-sent", "provider_unreachable"],
    ["net::ERR_PROXY_CONNECTION_FAILED", "not-sent", "provider_unreachable"],
    ["net::ERR_TUNNEL_CONNECTION_FAILED", "not-sent", "provider_unreachable"],
    ["net::ERR_PROXY_AUTH_UNSUPPORTED", "not-sent", "provider_unreachable"],
    ["net::ERR_CERT_AUTHORITY_INVALID", "not-sent", "provider_unreachable"],
    ["net::ERR_CERT_DATE_INVALID", "not-sent", "certificate_date_invalid"],
    ["net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", "not-sent", "provider_unreachable"],
    ["net::ERR_CONNECTION_RESET", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_CONNECTION_CLOSED", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_EMPTY_RESPONSE", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_TIMED_OUT", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_NETWORK_CHANGED", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_NETWORK_IO_SUSPENDED", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_UNEXPECTED_PROXY_AUTH", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_SSL_PROTOCOL_ERROR", "ambiguous", "refresh_ambiguous"],
    ["net::ERR_FAILED", "ambiguous", "refresh_ambiguous"],
    ["Redirect was cancelled", "refused-for-now", "network_sign_in_needed"],
  ])("that throws %s is %s (%s)", async (message, kind, code) => {
    expect(await refreshThatThrows(new Error(message))).toMatchObject({ kind, failure: { code } });
  });

  it("names the proxy that wants a sign-in", async () => {
    const error = Object.assign(new Error("net::ERR_PROXY_AUTH_REQUESTED"), { proxy: "proxy.example:8080" });
    expect(await refreshThatThrows(error)).toMatchObject({
      kind: "not-sent",
      failure: { code: "proxy_sign_in_needed", params: { proxy: "proxy.example:8080" } },
    });
  });

  it.each(["user:secret@proxy.example:8080", "proxy example", 5])("passes on no strange name of a proxy (%j)", async (proxy) => {
    const error = Object.assign(new Error("net::ERR_PROXY_AUTH_REQUESTED"), { proxy });
    expect(await refreshThatThrows(error)).toMatchObject({ kind: "not-sent", failure: { code: "provider_unreachable" } });
  });

  it("sends no cookies and reads no cache", async () => {
    const inits: unknown[] = [];
    const recording = createOAuthClient({
      fetch: (_url, init) => {
        inits.push(init);
        return Promise.resolve(Response.json(tokens));
      },
      nowMs: () => testNowMs,
    });
    expect((await recording.refresh(mazdaClient("https://login.example"), oldGrant, never)).kind).toBe("rotated");
    expect(inits).toEqual([expect.objectContaining({ credentials: "omit", cache: "no-store", redirect: "manual", method: "POST" })]);
  });
});

describe("several addresses that were tried", () => {
  const connect = (code: string) => Object.assign(new Error(`connect ${code}`), { code, syscall: "connect" });
  /** As Node's fetch reports it. */
  const tried = (...codes: readonly string[]) => {
    const all = Object.assign(new AggregateError(codes.map(connect)), { code: codes[0] });
    return new TypeError("fetch failed", { cause: all });
  };

  it.each([
    [["ENETUNREACH"], "network_offline"],
    [["ENETUNREACH", "ENETUNREACH"], "network_offline"],
    [["ENETDOWN"], "network_offline"],
    [["ENETUNREACH", "ECONNREFUSED"], "provider_unreachable"],
    [["ENETUNREACH", "ETIMEDOUT"], "provider_unreachable"],
    [["EHOSTUNREACH"], "provider_unreachable"],
  ])("%j mean %s, and nothing was sent", async (codes, code) => {
    expect(await refreshThatThrows(tried(...codes))).toMatchObject({ kind: "not-sent", failure: { code } });
  });

  it("is ambiguous when an open connection loses its way", async () => {
    const error = Object.assign(new Error("read ENETUNREACH"), { code: "ENETUNREACH", syscall: "read" });
    expect(await refreshThatThrows(new TypeError("fetch failed", { cause: error }))).toMatchObject({ kind: "ambiguous" });
  });
});

describe("the date of a certificate", () => {
  it.each(["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"])("that Node calls %s is looked for in the computer's clock", async (code) => {
    const error = new TypeError("fetch failed", { cause: Object.assign(new Error("certificate"), { code }) });
    expect(await refreshThatThrows(error)).toMatchObject({ kind: "not-sent", failure: { code: "certificate_date_invalid" } });
  });
});

function refreshThatThrows(thrown: Error) {
  const broken = createOAuthClient({ fetch: () => Promise.reject(thrown), nowMs: () => testNowMs });
  return broken.refresh(mazdaClient("https://login.example"), oldGrant, never);
}
