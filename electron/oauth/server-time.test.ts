import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createOAuthClient, type OAuthClientOptions } from "./oauth-client.ts";
import { closedOrigin, type LoopbackProvider, sendJson, startProvider, startRawServer } from "./testing/loopback-provider.ts";
import { mazdaClient, oldGrant, testNowMs, webfleetClient } from "./testing/resolved-client.ts";

const never = new AbortController().signal;
const servers: LoopbackProvider[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const tokens = { access_token: "new-access", refresh_token: "new-refresh", expires_in: 3600 };
/** In whole seconds, as the header is. */
const serverNowMs = testNowMs + 7_200_000;
const date = new Date(serverNowMs).toUTCString();

async function provider(respond: (response: ServerResponse) => void): Promise<LoopbackProvider> {
  const server = await startProvider((response) => {
    // Node's own would be there otherwise.
    response.sendDate = false;
    respond(response);
  });
  servers.push(server);
  return server;
}

interface Told {
  readonly endpoint: string;
  readonly dateMs: number;
}

function clientThatHears(told: Told[], options: Partial<OAuthClientOptions> = {}) {
  const onServerTime = (endpoint: string, dateMs: number) => void told.push({ endpoint, dateMs });
  return createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs, monotonicMs: () => 0, onServerTime, ...options });
}

describe("a provider's time", () => {
  it("is told before the times of its tokens are reckoned", async () => {
    const server = await provider((response) => sendJson(response, 200, tokens, { date }));
    let nowMs = testNowMs;
    const told: string[] = [];
    const oauth = createOAuthClient({
      fetch: globalThis.fetch,
      nowMs: () => nowMs,
      monotonicMs: () => 0,
      onServerTime: (endpoint, dateMs) => {
        told.push(endpoint);
        nowMs = dateMs;
      },
    });
    const client = mazdaClient(server.origin);
    const grant = { obtainedAtMs: serverNowMs, accessTokenExpiresAtMs: serverNowMs + 3_600_000 };
    expect(await oauth.refresh(client, oldGrant, never)).toMatchObject({ kind: "rotated", grant });
    nowMs = testNowMs;
    const request = await oauth.authorizationRequest(client, "http://127.0.0.1/callback");
    expect(await oauth.exchangeCode(client, request, new URLSearchParams({ code: "c" }), never)).toMatchObject({ value: grant });
    expect(told).toEqual([client.endpoints.tokenEndpoint, client.endpoints.tokenEndpoint]);
  });

  it.each([
    ["an error", 400, "application/json", `{"error":"invalid_grant"}`],
    ["a 503", 503, "text/plain", ""],
    ["a 429", 429, "application/json", "{}"],
  ])("is told by %s, too", async (_what, status, contentType, body) => {
    const server = await provider((response) => response.writeHead(status, { date, "content-type": contentType }).end(body));
    const told: Told[] = [];
    const oauth = clientThatHears(told);
    await oauth.refresh(webfleetClient(server.origin), oldGrant, never);
    await oauth.revoke(webfleetClient(server.origin), "the-token", never);
    const { tokenEndpoint, revocationEndpoint } = webfleetClient(server.origin).endpoints;
    expect(told).toEqual([
      { endpoint: tokenEndpoint, dateMs: serverNowMs },
      { endpoint: revocationEndpoint, dateMs: serverNowMs },
    ]);
  });

  it.each([
    ["a portal's page", 200, { date, "content-type": "text/html" }],
    ["a block page", 403, { date, "content-type": "text/html" }],
    ["a page of something on the way", 502, { date, "content-type": "text/html" }],
    ["a network that wants a sign-in", 511, { date, "content-type": "application/json" }],
    ["a redirect", 302, { date, location: "https://elsewhere.example/" }],
    ["a cache", 400, { date, age: "30", "content-type": "application/json" }],
    ["a header that is no date", 400, { date: "-5", "content-type": "application/json" }],
    ["a header that only looks like one", 400, { date: "Mon, 99 Foo 2026 12:00:00 GMT", "content-type": "application/json" }],
    ["an answer without the header", 400, { "content-type": "application/json" }],
  ])("is not taken from %s", async (_what, status, headers) => {
    const server = await provider((response) => response.writeHead(status, headers).end("<html></html>"));
    const told: Told[] = [];
    await clientThatHears(told).refresh(mazdaClient(server.origin), oldGrant, never);
    expect(server.requests).toHaveLength(1);
    expect(told).toEqual([]);
  });
});

describe("asking for the time", () => {
  it("sends no credentials and no body, and needs no answer but a head", async () => {
    const server = await provider((response) => {
      response.writeHead(405, { date, "content-type": "application/json" });
      // The rest never comes.
      response.write("{");
    });
    const told: Told[] = [];
    const client = mazdaClient(server.origin);
    expect(await clientThatHears(told).askServerTime(client, never)).toBe(true);
    expect(told).toEqual([{ endpoint: client.endpoints.tokenEndpoint, dateMs: serverNowMs }]);
    const [request] = server.requests;
    expect(request).toMatchObject({ path: "/oauth/token", body: "" });
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.headers.cookie).toBeUndefined();
  });

  it.each([404, 405, 403, 502])("takes the time of an error page (%i), which is what most endpoints answer", async (status) => {
    const server = await provider((response) => response.writeHead(status, { date, "content-type": "text/html" }).end("<html></html>"));
    const told: Told[] = [];
    const client = mazdaClient(server.origin);
    expect(await clientThatHears(told).askServerTime(client, never)).toBe(true);
    expect(told).toEqual([{ endpoint: client.endpoints.tokenEndpoint, dateMs: serverNowMs }]);
  });

  it.each([
    ["a portal's page", 200, { date, "content-type": "text/html" }],
    ["a network that wants a sign-in", 511, { date, "content-type": "text/html" }],
    ["a redirect", 302, { date, location: "/elsewhere" }],
    ["a cache's error page", 404, { date, age: "0", "content-type": "text/html" }],
    ["an error page whose date is none", 404, { date: "today", "content-type": "text/html" }],
    ["an answer without a date", 405, { "content-type": "application/json" }],
  ])("gets none from %s, and goes nowhere else", async (_what, status, headers) => {
    const server = await provider((response) => response.writeHead(status, headers).end("<html></html>"));
    const told: Told[] = [];
    expect(await clientThatHears(told).askServerTime(mazdaClient(server.origin), never)).toBe(false);
    expect(told).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it("gets none where nobody answers, in time or at all", async () => {
    const silent = await startRawServer(() => undefined);
    servers.push(silent);
    const oauth = clientThatHears([], { timeoutMs: 100 });
    expect(await oauth.askServerTime(mazdaClient(silent.origin), never)).toBe(false);
    expect(await oauth.askServerTime(mazdaClient(await closedOrigin()), never)).toBe(false);
    expect(await oauth.askServerTime(mazdaClient("http://login.example"), never)).toBe(false);
  });

  it("ends when nobody wants it any more", async () => {
    const controller = new AbortController();
    const server = await provider(() => controller.abort());
    const oauth = clientThatHears([]);
    expect(await oauth.askServerTime(mazdaClient(server.origin), controller.signal)).toBe(false);
    expect(await oauth.askServerTime(mazdaClient(server.origin), controller.signal)).toBe(false);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a token whose answer took long", () => {
  /** Each reading of the clock that nobody sets is `stepMs` after the one before. */
  function clientOnSteps(stepMs: number, onServerTime: (dateMs: number) => void = () => undefined, nowMs = () => testNowMs) {
    let monotonicMs = 0;
    return createOAuthClient({
      fetch: globalThis.fetch,
      nowMs,
      monotonicMs: () => (monotonicMs += stepMs),
      onServerTime: (_endpoint, dateMs) => onServerTime(dateMs),
    });
  }

  it.each([
    ["is counted from when it was asked for", 3600, 25_000.5, 3_600_000 - 25_001],
    ["keeps a second, when all of its life has passed", 20, 25_000, 1_000],
    ["keeps what it had, if that is less than a second", 0.5, 25_000, 500],
    ["keeps an end that is told as a time", Math.round(testNowMs / 1000) + 3600, 25_000, 3_600_000],
  ])("%s", async (_what, expires_in, tookMs, leftMs) => {
    const server = await provider((response) => sendJson(response, 200, { ...tokens, expires_in }));
    const client = mazdaClient(server.origin, { provider: { expiresIn: "seconds-or-epoch" } });
    const grant = { obtainedAtMs: testNowMs, accessTokenExpiresAtMs: testNowMs + leftMs };
    expect(await clientOnSteps(tookMs).refresh(client, oldGrant, never)).toMatchObject({ kind: "rotated", grant });
    const request = await clientOnSteps(tookMs).authorizationRequest(client, "http://127.0.0.1/callback");
    const callback = new URLSearchParams({ code: "c" });
    expect(await clientOnSteps(tookMs).exchangeCode(client, request, callback, never)).toMatchObject({ ok: true, value: grant });
  });

  it("is not counted by a clock that its own answer has set right", async () => {
    const server = await provider((response) => sendJson(response, 200, tokens, { date }));
    let nowMs = testNowMs;
    const heard = (dateMs: number) => {
      nowMs = dateMs;
    };
    const outcome = await clientOnSteps(2_000, heard, () => nowMs).refresh(mazdaClient(server.origin), oldGrant, never);
    const grant = { obtainedAtMs: serverNowMs, accessTokenExpiresAtMs: serverNowMs + 3_600_000 - 2_000 };
    expect(outcome).toMatchObject({ kind: "rotated", grant });
  });
});

describe("a token without a usable end", () => {
  it.each([undefined, 0, -5, "soon", 1e15])("(%j) is marked as an estimate", async (expires_in) => {
    const server = await provider((response) => sendJson(response, 200, { ...tokens, expires_in }));
    const outcome = await clientThatHears([]).refresh(webfleetClient(server.origin), oldGrant, never);
    const grant = { accessTokenExpiresAtMs: testNowMs + 600_000, accessTokenExpiryIsEstimate: true };
    expect(outcome).toMatchObject({ kind: "rotated", grant });
  });

  it("is not, when the provider says when it ends", async () => {
    const server = await provider((response) => sendJson(response, 200, tokens));
    const estimated = { ...oldGrant, accessTokenExpiryIsEstimate: true as const };
    const outcome = await clientThatHears([]).refresh(webfleetClient(server.origin), estimated, never);
    expect(outcome.kind === "rotated" && "accessTokenExpiryIsEstimate" in outcome.grant).toBe(false);
  });
});
