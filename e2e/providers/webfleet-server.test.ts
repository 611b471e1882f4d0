import { createPublicKey, verify } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { basicCredentialsHeader } from "./client-credentials.ts";
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";
import { errorOf, macs7, TestClient, tokensOf } from "./test-client.ts";
import type { WebfleetOptions } from "./webfleet-options.ts";
import { startWebfleetServer, type WebfleetServer } from "./webfleet-server.ts";

const offline = { scope: "offline_access" } as const;
const running: WebfleetServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(options: Partial<WebfleetOptions> = {}, now?: () => number): Promise<WebfleetServer> {
  const server = await startWebfleetServer({ clients: [macs7], ...options }, now);
  running.push(server);
  return server;
}

function callApi(server: WebfleetServer, token: string | undefined): Promise<LoopbackResponse> {
  return requestLoopback(server.vehiclesUrl, {
    certificatePem: server.certificatePem,
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
  });
}

function revoke(server: WebfleetServer, token: string): Promise<LoopbackResponse> {
  return requestLoopback(server.revocationUrl, { headers: { Authorization: basicCredentialsHeader(macs7) }, form: { token } });
}

describe("the authorization endpoint of the stand-in Webfleet server", () => {
  it("has the paths of Webfleet's document", async () => {
    const server = await start();
    const realm = `${server.origin}/auth/realms/webfleet`;
    expect(server).toMatchObject({
      issuer: realm,
      authorizeUrl: `${realm}/protocol/openid-connect/auth`,
      tokenUrl: `${realm}/protocol/openid-connect/token`,
      revocationUrl: `${realm}/protocol/openid-connect/revoke`,
      jwksUrl: `${realm}/protocol/openid-connect/certs`,
    });
    const discovered: unknown = JSON.parse((await requestLoopback(`${realm}/.well-known/openid-configuration`)).text);
    expect(discovered).toMatchObject({
      issuer: realm,
      authorization_endpoint: server.authorizeUrl,
      token_endpoint: server.tokenUrl,
      revocation_endpoint: server.revocationUrl,
      jwks_uri: server.jwksUrl,
    });
  });

  it("sends code, state and iss when approved", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const callback = await client.consent("approve");
    expect(callback.origin + callback.pathname).toBe(client.redirectUri);
    expect([...callback.searchParams.keys()].sort()).toEqual(["code", "iss", "state"]);
    expect(callback.searchParams.get("state")).toBe(client.state);
    expect(callback.searchParams.get("iss")).toBe(server.issuer);
    expect(server.counters()).toMatchObject({ authorizeRequests: 1, approvals: 1 });
  });

  it("sends access_denied, state and iss when refused", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const callback = await client.consent("refuse");
    expect(callback.searchParams.get("error")).toBe("access_denied");
    expect(callback.searchParams.get("state")).toBe(client.state);
    expect(callback.searchParams.get("iss")).toBe(server.issuer);
    expect(server.counters()).toMatchObject({ approvals: 0, refusals: 1 });
  });

  it("sends an issuer that is not its own when told to", async () => {
    const server = await start({ behaviour: { sendIssuer: "https://evil.test/realm" } });
    const callback = await new TestClient(server, offline).consent("approve");
    expect(callback.searchParams.get("iss")).toBe("https://evil.test/realm");
  });

  it("leaves iss out when told to", async () => {
    const server = await start({ behaviour: { sendIssuer: false } });
    const callback = await new TestClient(server, offline).consent("approve");
    expect([...callback.searchParams.keys()].sort()).toEqual(["code", "state"]);
  });

  it("sends the error it is told to, and invalid_scope for unknown scopes", async () => {
    const server = await start();
    const client = new TestClient(server);
    expect((await client.consent("approve", { scope: "no-such-scope" })).searchParams.get("error")).toBe("invalid_scope");
    server.behaviour.authorizeError = "temporarily_unavailable";
    expect((await client.consent("approve")).searchParams.get("error")).toBe("temporarily_unavailable");
  });

  it("sends nothing to a redirect URI that is not registered", async () => {
    const server = await start({ behaviour: { authorizeError: "server_error" } });
    const page = await requestLoopback(new TestClient(server).authorizeUrl({ redirect_uri: "https://127.0.0.1:8080/other" }));
    expect([page.status, page.headers.location]).toEqual([400, undefined]);
  });

  it("takes any port for a registered http loopback URI", async () => {
    const server = await start({ clients: [{ ...macs7, redirectUris: ["http://127.0.0.1/cb"] }] });
    const callback = await new TestClient(server, { redirectUri: "http://127.0.0.1:51515/cb" }).consent("approve");
    expect(callback.host).toBe("127.0.0.1:51515");
  });

  it("shows the user id and the application on the consent page", async () => {
    const server = await start();
    const jar = await requestLoopback(new TestClient(server, offline).authorizeUrl());
    const cookie = (jar.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
    const page = await requestLoopback(new URL(jar.headers.location ?? "", server.origin), { headers: { Cookie: cookie } });
    expect(page.text).toContain("jane.roe");
    expect(page.text).toContain("MACS7");
    expect(page.text).toMatch(/>Approve<[^]*>Refuse</);
  });
});

describe("the token endpoint of the stand-in Webfleet server", () => {
  it("answers in Webfleet's shape", async () => {
    const server = await start();
    const tokens = await new TestClient(server, offline).connect();
    expect(tokens).toMatchObject({
      token_type: "bearer",
      expires_in: 3600,
      refresh_expires_in: 0,
      scope: "offline_access webfleet",
    });
    expect(tokens.refresh_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(tokens.refresh_token.length).toBeGreaterThan(500);
  });

  it("gives opaque refresh tokens when told to", async () => {
    const server = await start({ behaviour: { refreshTokenFormat: "opaque" } });
    const client = new TestClient(server, offline);
    const tokens = await client.connect();
    expect(tokens.refresh_token).toMatch(/^[\w-]{600,}$/);
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    expect((await revoke(server, renewed.refresh_token)).status).toBe(200);
    expect((await client.refresh(renewed.refresh_token)).status).toBe(400);
  });

  it("bounds the refresh token when offline_access was not asked for", async () => {
    const server = await start();
    const tokens = await new TestClient(server).connect();
    expect(tokens).toMatchObject({ refresh_expires_in: 1800, scope: "webfleet" });
  });

  it("signs access tokens with the realm's key and names the user", async () => {
    const server = await start();
    const tokens = await new TestClient(server, offline).connect();
    const [header = "", payload = "", signature = ""] = tokens.access_token.split(".");
    const keySet = z
      .object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) })
      .parse(JSON.parse((await requestLoopback(server.jwksUrl)).text));
    const key = createPublicKey({ key: keySet.keys[0] ?? {}, format: "jwk" });
    expect(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"))).toBe(true);
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toMatchObject({ iss: server.issuer, preferred_username: "jane.roe" });
  });

  it("takes credentials by Basic and in the body, whatever characters the secret has", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const tokens = await client.connect();
    const body = { grant_type: "refresh_token", client_id: macs7.clientId };
    const good = await client.post({ ...body, refresh_token: tokens.refresh_token, client_secret: macs7.clientSecret }, {});
    expect(good.status).toBe(200);
    const bad = await client.post({ ...body, refresh_token: tokensOf(good).refresh_token, client_secret: "wrong" }, {});
    expect([bad.status, errorOf(bad)]).toEqual([401, "invalid_client"]);
  });

  it("expects Basic credentials raw when told to", async () => {
    const server = await start({ behaviour: { basicCredentials: "raw" } });
    expect((await new TestClient(server, { ...offline, encoding: "raw" }).connect()).access_token).not.toBe("");
    expect((await new TestClient(server).refresh("x")).status).toBe(401);
  });

  it("works without PKCE, but checks it when it is used", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const plain = (await client.consent("approve", { code_challenge: "", code_challenge_method: "" })).searchParams.get("code") ?? "";
    const { status } = await client.post({ grant_type: "authorization_code", code: plain, redirect_uri: client.redirectUri });
    expect(status).toBe(200);
    const challenged = (await client.consent("approve")).searchParams.get("code") ?? "";
    expect(errorOf(await client.exchange(challenged, { code_verifier: "x".repeat(43) }))).toBe("invalid_grant");
  });

  it("redeems a code once", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const code = (await client.consent("approve")).searchParams.get("code") ?? "";
    expect((await client.exchange(code, { scope: "offline_access" })).status).toBe(200);
    expect(errorOf(await client.exchange(code))).toBe("invalid_grant");
  });

  it("lists every secret it issued and counts requests", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const code = (await client.consent("approve")).searchParams.get("code") ?? "";
    const first = tokensOf(await client.exchange(code));
    const second = tokensOf(await client.refresh(first.refresh_token));
    expect(server.issuedSecrets()).toEqual([code, first.access_token, first.refresh_token, second.access_token, second.refresh_token]);
    expect(server.counters()).toMatchObject({
      tokenRequests: { authorization_code: 1, refresh_token: 1 },
      codeExchanges: 1,
      refreshes: 1,
    });
  });
});

describe("grants of the stand-in Webfleet server", () => {
  it("rotate the refresh token, and end when a spent one comes back", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const first = await client.connect();
    const second = tokensOf(await client.refresh(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(errorOf(await client.refresh(first.refresh_token))).toBe("invalid_grant");
    expect(errorOf(await client.refresh(second.refresh_token))).toBe("invalid_grant");
    expect(server.counters().reuseDetections).toBe(1);
  });

  it("see two refreshes at once with one token as reuse", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const { refresh_token: refreshToken } = await client.connect();
    const answers = await Promise.all([client.refresh(refreshToken), client.refresh(refreshToken)]);
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 400]);
    expect(server.counters().reuseDetections).toBe(1);
  });

  it("keep the refresh token when rotation is off", async () => {
    const server = await start({ behaviour: { rotateRefreshTokens: false } });
    const client = new TestClient(server, offline);
    const { refresh_token: refreshToken } = await client.connect();
    expect(tokensOf(await client.refresh(refreshToken)).refresh_token).toBe(refreshToken);
  });

  it("die when nobody refreshes them for the idle time, and live on when somebody does", async () => {
    let aheadMs = 0;
    const server = await start({ behaviour: { refreshTokenLifetimeSeconds: 3600 } }, () => Date.now() + aheadMs);
    const client = new TestClient(server, offline);
    const [idle, used] = [await client.connect(), await client.connect()];
    aheadMs += 3_000_000;
    const renewed = tokensOf(await client.refresh(used.refresh_token));
    aheadMs += 3_000_000;
    expect(errorOf(await client.refresh(idle.refresh_token))).toBe("invalid_grant");
    expect((await callApi(server, idle.access_token)).status).toBe(401);
    expect((await client.refresh(renewed.refresh_token)).status).toBe(200);
    expect(server.counters()).toMatchObject({ refusedRefreshes: 1, reuseDetections: 0 });
  });

  it("are kept alive by a refresh that does not rotate, too", async () => {
    let aheadMs = 0;
    const behaviour = { refreshTokenLifetimeSeconds: 3600, rotateRefreshTokens: false };
    const server = await start({ behaviour }, () => Date.now() + aheadMs);
    const client = new TestClient(server, offline);
    const { refresh_token: refreshToken } = await client.connect();
    aheadMs += 3_000_000;
    expect((await client.refresh(refreshToken)).status).toBe(200);
    aheadMs += 3_000_000;
    expect((await client.refresh(refreshToken)).status).toBe(200);
    aheadMs += 3_601_000;
    expect(errorOf(await client.refresh(refreshToken))).toBe("invalid_grant");
  });

  it("die with the login session's idle time when they are no offline tokens", async () => {
    let aheadMs = 0;
    const server = await start({ behaviour: { sessionIdleSeconds: 60 } }, () => Date.now() + aheadMs);
    const client = new TestClient(server);
    const tokens = await client.connect();
    expect(tokens).toMatchObject({ refresh_expires_in: 60 });
    aheadMs += 61_000;
    expect(errorOf(await client.refresh(tokens.refresh_token))).toBe("invalid_grant");
  });

  it("end when revoked, while the access token goes on until it expires", async () => {
    const server = await start();
    const [one, two] = [new TestClient(server, offline), new TestClient(server, offline)];
    const [first, second] = [await one.connect(), await two.connect()];
    const latest = tokensOf(await one.refresh(first.refresh_token));
    expect((await revoke(server, latest.refresh_token)).status).toBe(200);
    expect(errorOf(await one.refresh(latest.refresh_token))).toBe("invalid_grant");
    expect((await callApi(server, latest.access_token)).status).toBe(200);
    expect((await two.refresh(second.refresh_token)).status).toBe(200);
    expect(server.counters().revocations).toBe(1);
  });

  it("answer 200 when an unknown token is revoked, and refuse to revoke an access token", async () => {
    const server = await start();
    const tokens = await new TestClient(server, offline).connect();
    expect((await revoke(server, "never-issued")).status).toBe(200);
    const refused = await revoke(server, tokens.access_token);
    expect([refused.status, errorOf(refused)]).toEqual([400, "unsupported_token_type"]);
  });

  it("stay as they are while revocation is out of order", async () => {
    const server = await start({ behaviour: { revocationStatus: 503 } });
    const client = new TestClient(server, offline);
    const tokens = await client.connect();
    expect((await revoke(server, tokens.refresh_token)).status).toBe(503);
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    server.behaviour.revocationStatus = null;
    expect((await revoke(server, renewed.refresh_token)).status).toBe(200);
    expect((await client.refresh(renewed.refresh_token)).status).toBe(400);
    expect(server.counters().revocations).toBe(1);
  });

  it("die with the signing key", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const tokens = await client.connect();
    server.revokeAll();
    expect((await callApi(server, tokens.access_token)).status).toBe(401);
    expect(errorOf(await client.refresh(tokens.refresh_token))).toBe("invalid_grant");
    const again = await client.connect();
    expect((await callApi(server, again.access_token)).status).toBe(200);
  });
});

describe("the demo API of the stand-in Webfleet server", () => {
  it("echoes the user who signed in", async () => {
    const users = [
      { id: "jane.roe", name: "Jane Roe" },
      { id: "max.muster", name: "Max Muster" },
    ];
    const server = await start({ users });
    const tokens = await new TestClient(server, offline).connect("max.muster");
    expect(JSON.parse((await callApi(server, tokens.access_token)).text)).toMatchObject({ user: "max.muster" });
  });

  it("answers 401 without a token, with a wrong one and with an expired one, but not after a refresh", async () => {
    const server = await start();
    const client = new TestClient(server, offline);
    const tokens = await client.connect();
    expect((await callApi(server, tokens.access_token)).status).toBe(200);
    server.expireAccessTokens();
    for (const token of [undefined, "wrong", tokens.refresh_token, tokens.access_token]) {
      expect((await callApi(server, token)).status).toBe(401);
    }
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    expect((await callApi(server, renewed.access_token)).status).toBe(200);
    expect(server.counters()).toMatchObject({ apiCalls: 6, apiRejections: 4 });
  });

  it("works over https too", async () => {
    const server = await start({ protocol: "https" });
    const tokens = await new TestClient(server, offline).connect();
    expect(server.issuer).toMatch(/^https:/);
    expect((await callApi(server, tokens.access_token)).status).toBe(200);
  });
});
