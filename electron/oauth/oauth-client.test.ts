import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { AuthorizationRequest, ResolvedClient } from "../core/ports.ts";
import { createOAuthClient } from "./oauth-client.ts";
import { closedOrigin, type LoopbackProvider, type ReceivedRequest, sendJson, startProvider } from "./testing/loopback-provider.ts";
import { mazdaClient, testNowMs, webfleetClient } from "./testing/resolved-client.ts";

const redirectUri = "https://127.0.0.1:8080/dms/oauth/code";
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

function authorizationParameters(request: AuthorizationRequest): Record<string, string> {
  return Object.fromEntries(new URL(request.authorizationUrl).searchParams);
}

async function exchange(client: ResolvedClient, callback: Record<string, string>) {
  const request = await oauth.authorizationRequest(client, redirectUri);
  return oauth.exchangeCode(client, request, new URLSearchParams({ state: request.state, ...callback }), never);
}

describe("the authorization request", () => {
  it("carries what RFC 6749 asks for, and PKCE with S256", async () => {
    const request = await oauth.authorizationRequest(webfleetClient("https://login.example"), redirectUri);
    expect(request.redirectUri).toBe(redirectUri);
    expect(request.authorizationUrl.startsWith("https://login.example/oauth/authorize?")).toBe(true);
    expect(authorizationParameters(request)).toEqual({
      response_type: "code",
      client_id: "A0A10300-C967-9400-3559-7B5F1C5552AD",
      redirect_uri: redirectUri,
      state: request.state,
      scope: "offline_access",
      code_challenge: createHash("sha256")
        .update(request.codeVerifier ?? "")
        .digest("base64url"),
      code_challenge_method: "S256",
    });
  });

  it("uses a new state of 256 bits and a new verifier each time", async () => {
    const client = mazdaClient("https://login.example");
    const requests = await Promise.all([oauth.authorizationRequest(client, redirectUri), oauth.authorizationRequest(client, redirectUri)]);
    expect(new Set(requests.map((request) => request.state)).size).toBe(2);
    expect(new Set(requests.map((request) => request.codeVerifier)).size).toBe(2);
    for (const { state } of requests) expect(Buffer.from(state, "base64url").byteLength).toBeGreaterThanOrEqual(32);
  });

  it("leaves out PKCE when a registration switches it off", async () => {
    const client = mazdaClient("https://login.example", { registration: { pkce: false } });
    const request = await oauth.authorizationRequest(client, redirectUri);
    expect(request.codeVerifier).toBeUndefined();
    expect(Object.keys(authorizationParameters(request)).sort()).toEqual(["client_id", "redirect_uri", "response_type", "state"]);
  });

  it("leaves out the scope when none is set, and sends the registration's own instead of the default", async () => {
    const without = await oauth.authorizationRequest(mazdaClient("https://login.example"), redirectUri);
    expect(authorizationParameters(without)).not.toHaveProperty("scope");
    const emptied = webfleetClient("https://login.example", { registration: { scope: " " } });
    expect(authorizationParameters(await oauth.authorizationRequest(emptied, redirectUri))).not.toHaveProperty("scope");
    const own = mazdaClient("https://login.example", { registration: { scope: "read write" } });
    expect(authorizationParameters(await oauth.authorizationRequest(own, redirectUri))["scope"]).toBe("read write");
  });

  it("keeps the query of an overridden endpoint", async () => {
    const client = mazdaClient("https://login.example");
    const endpoints = { ...client.endpoints, authorizationEndpoint: "https://login.example/auth?realm=a%26b" };
    const request = await oauth.authorizationRequest({ ...client, endpoints }, redirectUri);
    expect(authorizationParameters(request)["realm"]).toBe("a&b");
  });

  it("is not made for an address that is neither https nor loopback", async () => {
    await expect(oauth.authorizationRequest(mazdaClient("http://login.example"), redirectUri)).rejects.toThrow("https or loopback");
  });
});

describe("the code exchange", () => {
  it("posts the code, the exact redirect URI and the verifier, with Basic credentials", async () => {
    const server = await answering(200, tokens);
    const client = mazdaClient(server.origin, { registration: { scope: "read" } });
    const request = await oauth.authorizationRequest(client, redirectUri);
    const callback = new URLSearchParams({ code: "the-code", state: request.state, session_state: "x" });
    const result = await oauth.exchangeCode(client, request, callback, never);
    expect(result).toEqual({
      ok: true,
      value: {
        accessToken: "new-access",
        refreshToken: "new-refresh",
        scope: "read",
        obtainedAtMs: testNowMs,
        accessTokenExpiresAtMs: testNowMs + 3_600_000,
        grantExpiresAtMs: testNowMs + 21 * 86_400_000,
        grantExpiryIsEstimate: true,
      },
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.path).toBe("/oauth/token");
    expect(Object.fromEntries(server.requests[0]?.form ?? [])).toEqual({
      grant_type: "authorization_code",
      code: "the-code",
      redirect_uri: redirectUri,
      code_verifier: request.codeVerifier,
    });
    expect(server.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from("A0A10300-C967-9400-3559-7B5F1C5552AD:secret").toString("base64")}`,
    );
    expect(server.requests[0]?.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
    expect(server.requests[0]?.headers.cookie).toBeUndefined();
  });

  it.each([
    ["form", "AK:S3cr%3Ae%2Bt%25+%C3%A4+x"],
    ["raw", "AK:S3cr:e+t% ä x"],
  ] as const)("sends a secret with : + %% ä and spaces as Basic credentials, %s", async (basicEncoding, expected) => {
    const server = await answering(200, tokens);
    const client = mazdaClient(server.origin, { registration: { clientId: "AK", basicEncoding }, clientSecret: "S3cr:e+t% ä x" });
    expect((await exchange(client, { code: "c" })).ok).toBe(true);
    expect(Buffer.from(server.requests[0]?.headers.authorization?.slice("Basic ".length) ?? "", "base64").toString("utf8")).toBe(expected);
  });

  it("sends the credentials in the body when a registration says so", async () => {
    const server = await answering(200, tokens);
    const client = webfleetClient(server.origin, { registration: { clientAuthentication: "body" }, clientSecret: "S3cr:e+t% ä x" });
    expect((await exchange(client, { code: "c" })).ok).toBe(true);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
    expect(server.requests[0]?.form.get("client_id")).toBe("A0A10300-C967-9400-3559-7B5F1C5552AD");
    expect(server.requests[0]?.form.get("client_secret")).toBe("S3cr:e+t% ä x");
  });

  it("is fine without a refresh token, and says that the grant ends with its access token", async () => {
    const server = await answering(200, { access_token: "a", expires_in: 60 });
    const result = await exchange(mazdaClient(server.origin), { code: "c" });
    expect(result).toEqual({
      ok: true,
      value: {
        accessToken: "a",
        obtainedAtMs: testNowMs,
        accessTokenExpiresAtMs: testNowMs + 60_000,
        grantExpiresAtMs: testNowMs + 60_000,
        grantExpiryIsEstimate: false,
      },
    });
  });

  it.each([
    ["access_denied", "consent_refused"],
    ["invalid_request", "authorization_invalid_request"],
    ["unauthorized_client", "authorization_unauthorized_client"],
    ["unsupported_response_type", "authorization_unsupported_response_type"],
    ["invalid_scope", "authorization_invalid_scope"],
    ["server_error", "authorization_server_error"],
    ["temporarily_unavailable", "authorization_temporarily_unavailable"],
    ["temporary_unavailable", "authorization_temporarily_unavailable"],
  ])("tells the authorization error %s as %s and sends nothing", async (error, code) => {
    const server = await answering(200, tokens);
    expect(await exchange(mazdaClient(server.origin), { error })).toMatchObject({
      ok: false,
      error: { code, params: { provider: "Mazda" } },
    });
    expect(server.requests).toHaveLength(0);
  });

  it("names an unknown authorization error without anything that could do harm", async () => {
    const error = `<b>Login_Required</b>${"x".repeat(100)}`;
    const result = await exchange(mazdaClient(await closedOrigin()), { error });
    expect(result).toMatchObject({
      ok: false,
      error: { code: "authorization_unknown_error", params: { error: `blogin_requiredb${"x".repeat(44)}` } },
    });
    expect(await exchange(mazdaClient(await closedOrigin()), { error: "ÄÖ" })).toMatchObject({
      ok: false,
      error: { params: { error: "unknown" } },
    });
  });

  it("calls a callback without code or error malformed", async () => {
    expect(await exchange(mazdaClient(await closedOrigin()), { code: "" })).toMatchObject({
      ok: false,
      error: { code: "callback_malformed" },
    });
  });

  it.each([
    ["required", "https://as.example", true],
    ["required", undefined, false],
    ["required", "https://evil.example", false],
    ["when-present", undefined, true],
    ["when-present", "https://as.example", true],
    ["when-present", "https://as.example/", false],
    ["never", "https://evil.example", true],
  ] as const)("with issuer check %s and iss %s goes on: %s", async (issuerCheck, iss, isAccepted) => {
    const server = await answering(200, tokens);
    const client = webfleetClient(server.origin, { provider: { issuerCheck }, issuer: "https://as.example" });
    const result = await exchange(client, { code: "c", ...(iss === undefined ? {} : { iss }) });
    expect(result.ok ? "accepted" : result.error.code).toBe(isAccepted ? "accepted" : "issuer_mismatch");
    expect(server.requests).toHaveLength(isAccepted ? 1 : 0);
  });

  it("checks the issuer of error responses too", async () => {
    const client = webfleetClient(await closedOrigin(), { issuer: "https://as.example" });
    const result = await exchange(client, { error: "access_denied", iss: "https://evil.example" });
    expect(result).toMatchObject({ ok: false, error: { code: "issuer_mismatch" } });
  });

  it.each([
    [400, { error: "invalid_grant" }, "code_rejected"],
    [401, { error: "invalid_client" }, "client_rejected"],
    [401, { error: "unauthorized_client" }, "client_rejected"],
    [400, { error: "invalid_request" }, "provider_refused"],
    [503, { error: "x" }, "provider_busy"],
    [200, { error: "invalid_grant" }, "provider_response_invalid"],
    [200, [], "provider_response_invalid"],
    [200, { access_token: "a", token_type: "mac" }, "token_type_unsupported"],
    [403, {}, "provider_response_invalid"],
  ])("answered %i %j fails with %s", async (status, body, code) => {
    const server = await answering(status, body);
    expect(await exchange(mazdaClient(server.origin), { code: "c" })).toMatchObject({ ok: false, error: { code } });
  });

  it("fails with client_rejected on a 401 whose challenge hides the reason", async () => {
    const server = await provider((response) => response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end());
    expect(await exchange(mazdaClient(server.origin), { code: "c" })).toMatchObject({ ok: false, error: { code: "client_rejected" } });
  });

  it("fails with network_sign_in_needed when the network puts its own page there", async () => {
    const server = await provider((response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
    expect(await exchange(mazdaClient(server.origin), { code: "c" })).toMatchObject({
      ok: false,
      error: { code: "network_sign_in_needed", params: { provider: "Mazda" } },
    });
  });

  it("fails with provider_unreachable when nobody listens", async () => {
    expect(await exchange(mazdaClient(await closedOrigin()), { code: "c" })).toMatchObject({
      ok: false,
      error: { code: "provider_unreachable", params: { provider: "Mazda", problem: "connection refused, ECONNREFUSED" } },
    });
  });

  it("sends nothing to an address that is neither https nor loopback", async () => {
    let calls = 0;
    const fetch = () => {
      calls += 1;
      return Promise.resolve(new Response());
    };
    const client = mazdaClient("http://login.example");
    const request = { authorizationUrl: "", state: "s", redirectUri };
    const result = await createOAuthClient({ fetch, nowMs: () => testNowMs }).exchangeCode(
      client,
      request,
      new URLSearchParams({ code: "c" }),
      never,
    );
    expect(result).toMatchObject({ ok: false, error: { code: "registration_invalid" } });
    expect(calls).toBe(0);
  });

  it("ends with connect_cancelled when it is aborted", async () => {
    const controller = new AbortController();
    const server = await provider(() => controller.abort());
    const client = mazdaClient(server.origin);
    const request = await oauth.authorizationRequest(client, redirectUri);
    const result = await oauth.exchangeCode(client, request, new URLSearchParams({ code: "c" }), controller.signal);
    expect(result).toMatchObject({ ok: false, error: { code: "connect_cancelled" } });
  });

  it("keeps codes and tokens out of every failure", async () => {
    const bodies = [
      { access_token: "leak-1", token_type: "mac" },
      { access_token: 5, refresh_token: "leak-2" },
      { error: "e", error_description: "leak-3" },
    ];
    for (const body of bodies) {
      const server = await answering(body.error === undefined ? 200 : 400, body);
      const result = await exchange(mazdaClient(server.origin), { code: "leak-code" });
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain("leak");
    }
  });
});

describe("revoking", () => {
  it("posts the refresh token with Basic credentials and is done on 200", async () => {
    const server = await provider((response) => response.writeHead(200).end());
    const client = webfleetClient(server.origin, { registration: { clientAuthentication: "body" } });
    expect(await oauth.revoke(client, "the-token", never)).toEqual({ kind: "done" });
    expect(server.requests[0]?.path).toBe("/oauth/revoke");
    expect(Object.fromEntries(server.requests[0]?.form ?? [])).toEqual({ token: "the-token" });
    expect(server.requests[0]?.headers.authorization).toMatch(/^Basic /);
  });

  it.each([
    [503, "text/plain", "", "provider_busy"],
    [401, "application/json", `{"error":"invalid_client"}`, "client_rejected"],
    [400, "application/json", `{"error":"unsupported_token_type"}`, "revocation_pending"],
    [204, "text/plain", "", "revocation_pending"],
    [404, "text/html", "<html>", "revocation_pending"],
    [403, "text/html", "<html>", "network_sign_in_needed"],
    [200, "text/html", "<html>Guest Wi-Fi</html>", "network_sign_in_needed"],
    [302, "text/html", "", "network_sign_in_needed"],
  ])("answered %i stays queued with %s %s: %s", async (status, contentType, body, code) => {
    const server = await provider((response) => response.writeHead(status, { "content-type": contentType }).end(body));
    const outcome = await oauth.revoke(webfleetClient(server.origin), "the-token", never);
    expect(outcome).toMatchObject({ kind: "try-later", failure: { code } });
  });

  it("is done by a 200 that is called a page and has none", async () => {
    const server = await provider((response) => response.writeHead(200, { "content-type": "text/html" }).end());
    expect(await oauth.revoke(webfleetClient(server.origin), "the-token", never)).toEqual({ kind: "done" });
  });

  it("passes on when to try again", async () => {
    const server = await answering(503, {}, { "retry-after": "60" });
    const outcome = await oauth.revoke(webfleetClient(server.origin), "the-token", never);
    expect(outcome).toMatchObject({ kind: "try-later", failure: { code: "provider_busy", retryAfterSeconds: 60 } });
  });

  it("stays queued when the provider cannot be reached", async () => {
    const outcome = await oauth.revoke(webfleetClient(await closedOrigin()), "the-token", never);
    expect(outcome).toMatchObject({ kind: "try-later", failure: { code: "provider_unreachable" } });
  });

  it("is never asked of a provider without a revocation endpoint", async () => {
    const client = mazdaClient("https://login.example");
    const { revocationEndpoint: _, ...endpoints } = client.endpoints;
    await expect(oauth.revoke({ ...client, endpoints }, "the-token", never)).rejects.toThrow("revocation endpoint");
  });
});
