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
    expect(outcome).toMatchObject({ kind: "not-sent", failure: { code: "provider_unreachable" } });
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

describe("a refresh through Electron's net.fetch", () => {
  // Its errors are plain ones with a net::ERR_ word in the message.
  it.each([
    ["net::ERR_NAME_NOT_RESOLVED", "not-sent"],
    ["net::ERR_INTERNET_DISCONNECTED", "not-sent"],
    ["net::ERR_CONNECTION_REFUSED", "not-sent"],
    ["net::ERR_CONNECTION_TIMED_OUT", "not-sent"],
    ["net::ERR_PROXY_CONNECTION_FAILED", "not-sent"],
    ["net::ERR_TUNNEL_CONNECTION_FAILED", "not-sent"],
    ["net::ERR_CERT_AUTHORITY_INVALID", "not-sent"],
    ["net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", "not-sent"],
    ["net::ERR_CONNECTION_RESET", "ambiguous"],
    ["net::ERR_CONNECTION_CLOSED", "ambiguous"],
    ["net::ERR_EMPTY_RESPONSE", "ambiguous"],
    ["net::ERR_TIMED_OUT", "ambiguous"],
    ["net::ERR_NETWORK_CHANGED", "ambiguous"],
    ["net::ERR_NETWORK_IO_SUSPENDED", "ambiguous"],
    ["net::ERR_SSL_PROTOCOL_ERROR", "ambiguous"],
    ["net::ERR_FAILED", "ambiguous"],
    ["Redirect was cancelled", "refused-for-now"],
  ])("that throws %s is %s", async (message, kind) => {
    const broken = createOAuthClient({ fetch: () => Promise.reject(new Error(message)), nowMs: () => testNowMs });
    expect((await broken.refresh(mazdaClient("https://login.example"), oldGrant, never)).kind).toBe(kind);
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
