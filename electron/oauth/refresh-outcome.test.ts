import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createOAuthClient } from "./oauth-client.ts";
import { closedOrigin, type LoopbackProvider, type ReceivedRequest, sendJson, startProvider } from "./testing/loopback-provider.ts";
import { mazdaClient, oldGrant, testNowMs, webfleetClient } from "./testing/resolved-client.ts";

const never = new AbortController().signal;
const servers: LoopbackProvider[] = [];
const oauth = createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs, monotonicMs: () => 0 });

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

describe("a refresh", () => {
  it("posts the refresh token and returns the rotated grant", async () => {
    const server = await answering(200, {
      ...tokens,
      refresh_expires_in: 0,
      "not-before-policy": 0,
      id_token: "not.a.jwt",
      scope: "offline_access",
    });
    const outcome = await oauth.refresh(webfleetClient(server.origin), oldGrant, never);
    expect(outcome).toEqual({
      kind: "rotated",
      grant: {
        accessToken: "new-access",
        refreshToken: "new-refresh",
        scope: "offline_access",
        obtainedAtMs: testNowMs,
        accessTokenExpiresAtMs: testNowMs + 3_600_000,
        grantExpiresAtMs: testNowMs + 30 * 86_400_000,
        grantExpiryIsEstimate: true,
      },
    });
    expect(Object.fromEntries(server.requests[0]?.form ?? [])).toEqual({ grant_type: "refresh_token", refresh_token: "old-refresh" });
  });

  it.each([undefined, null, ""])("keeps the old refresh token and its end when %j comes back", async (refresh_token) => {
    const server = await answering(200, { access_token: "new-access", expires_in: "86400", refresh_token });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({
      kind: "rotated",
      grant: { accessToken: "new-access", refreshToken: "old-refresh", scope: "old-scope", grantExpiresAtMs: oldGrant.grantExpiresAtMs },
    });
  });

  it("keeps an access token of 8 KiB whole", async () => {
    const access_token = "x".repeat(8192);
    const server = await answering(200, { ...tokens, access_token });
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, never)).toMatchObject({
      kind: "rotated",
      grant: { accessToken: access_token },
    });
  });

  it("without a refresh token is rejected before anything is sent", async () => {
    const { refreshToken: _, ...grant } = oldGrant;
    const outcome = await oauth.refresh(mazdaClient(await closedOrigin()), grant, never);
    expect(outcome).toMatchObject({ kind: "rejected", failure: { code: "grant_not_renewable" } });
  });

  it.each([
    ["Mazda", 400, "invalid_request", "rejected", "grant_dead"],
    ["Mazda", 400, "invalid_grant", "rejected", "grant_dead"],
    ["Mazda", 401, "invalid_grant", "rejected", "grant_dead"],
    ["Mazda", 403, "invalid_grant", "refused-for-now", "provider_refused"],
    ["Webfleet", 400, "invalid_grant", "rejected", "grant_dead"],
    ["Webfleet", 400, "invalid_request", "refused-for-now", "provider_refused"],
    ["Webfleet", 503, "invalid_grant", "refused-for-now", "provider_busy"],
  ])("of %s answered %i %s is %s (%s)", async (name, status, error, kind, code) => {
    const server = await answering(status, { error });
    const client = name === "Mazda" ? mazdaClient(server.origin) : webfleetClient(server.origin);
    expect(await oauth.refresh(client, oldGrant, never)).toMatchObject({ kind, failure: { code, params: { provider: name } } });
  });

  it.each([
    [401, { error: "invalid_client" }, "client_rejected"],
    [400, { error: "invalid_client" }, "client_rejected"],
    [400, { error: "unsupported_grant_type" }, "provider_refused"],
    [404, { message: "x" }, "provider_response_invalid"],
    [429, {}, "provider_busy"],
    [500, {}, "provider_busy"],
  ])("answered %i %j keeps the tokens: %s", async (status, body, code) => {
    const server = await answering(status, body);
    expect(await oauth.refresh(webfleetClient(server.origin), oldGrant, never)).toMatchObject({
      kind: "refused-for-now",
      failure: { code },
    });
  });

  it("understands the wrong-secret answer that comes with a challenge", async () => {
    const server = await answering(401, { error: "invalid_client" }, { "www-authenticate": 'Basic realm="x"' });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "client_rejected" } });
  });

  it.each([
    ["120", 120],
    [new Date(testNowMs + 90_000).toUTCString(), 90],
    ["99999999", 86_400],
    ["soon", undefined],
    [new Date(testNowMs - 90_000).toUTCString(), undefined],
  ])("passes on Retry-After %s as %s seconds", async (header, seconds) => {
    const server = await answering(503, {}, { "retry-after": header });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome.kind === "refused-for-now" ? outcome.failure.retryAfterSeconds : "wrong kind").toBe(seconds);
  });

  it.each([400, 401, 404, 405])("answered %i with a page of the network is never taken for a dead grant", async (status) => {
    const page = `<html>{"error":"invalid_grant"}</html>`;
    const server = await provider((response) => response.writeHead(status, { "content-type": "text/html" }).end(page));
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "provider_response_invalid" } });
  });

  it.each([200, 201, 403, 511])("answered %i with a page keeps the tokens: the network wants somebody to sign in", async (status) => {
    const page = ` \n<!doctype html><title>Guest Wi-Fi</title>{"error":"invalid_grant"}`;
    const headers = { "content-type": "text/html; charset=utf-8" };
    const server = await provider((response) => response.writeHead(status, headers).end(page));
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({
      kind: "refused-for-now",
      failure: { code: "network_sign_in_needed", params: { provider: "Mazda" }, retryable: true },
    });
  });

  it("answered 511 is about the network, whatever else it says", async () => {
    const server = await answering(511, { error: "invalid_grant" });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "network_sign_in_needed" } });
  });

  it.each([500, 502, 503])("answered %i with a page is the provider's own trouble", async (status) => {
    const server = await provider((response) => response.writeHead(status, { "content-type": "text/html" }).end("<html>Oops</html>"));
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "provider_busy" } });
  });

  it.each([
    ["text/html", "<html>Gateway Time-out</html>"],
    ["application/json", `{"error":"invalid_grant"}`],
    ["text/plain", ""],
  ])("answered 504 as %s is ambiguous: the server behind the gateway may have done it", async (contentType, body) => {
    const server = await provider((response) => response.writeHead(504, { "content-type": contentType, "retry-after": "1" }).end(body));
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    const params = { provider: "Mazda", problem: "status 504" };
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { code: "refresh_ambiguous", params } });
  });

  it.each([301, 302, 303, 307, 308])("never follows a redirect (%i)", async (status) => {
    const target = await answering(200, tokens);
    const server = await provider((response) => response.writeHead(status, { location: `${target.origin}/oauth/token` }).end());
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "refused-for-now", failure: { code: "network_sign_in_needed" } });
    expect(target.requests).toHaveLength(0);
  });

  it("whose answer is of an unknown token type is ambiguous", async () => {
    const server = await answering(200, { ...tokens, token_type: "DPoP" });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { code: "token_type_unsupported" } });
  });

  it.each([
    ["an empty page", "text/html", ""],
    ["tokens that are called a page", "text/html", JSON.stringify(tokens)],
    ["nothing", "application/json", ""],
    ["half of the JSON", "application/json", `{"access_token":"abc`],
    ["no access token", "application/json", `{"refresh_token":"abc"}`],
    ["an access token with a line break", "application/json", `{"access_token":"a\\r\\nb"}`],
    ["an access token over 16 KiB", "application/json", JSON.stringify({ access_token: "x".repeat(16_385) })],
    ["no UTF-8", "application/json", Buffer.from([0x7b, 0xff, 0x7d])],
    ["JSON under another type", "text/plain", JSON.stringify(tokens)],
  ])("answered 200 with %s is ambiguous", async (_what, contentType, body) => {
    const server = await provider((response) => response.writeHead(200, { "content-type": contentType }).end(body));
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { code: "refresh_ambiguous", params: { provider: "Mazda" } } });
  });

  it("answered 204 is ambiguous", async () => {
    const server = await provider((response) => response.writeHead(204).end());
    expect(await oauth.refresh(mazdaClient(server.origin), oldGrant, never)).toMatchObject({ kind: "ambiguous" });
  });

  it("stops reading a body that never ends", async () => {
    const server = await provider((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const write = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", write);
      write();
    });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { params: { problem: "status 200, too large" } } });
  });

  it("refuses a body of 10 MB by its announced length", async () => {
    const server = await provider((response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "10000000" });
      response.write("{");
    });
    const outcome = await oauth.refresh(mazdaClient(server.origin), oldGrant, never);
    expect(outcome).toMatchObject({ kind: "ambiguous", failure: { params: { problem: "status 200, too large" } } });
  });
});
