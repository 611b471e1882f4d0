import { X509Certificate } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";
import type { MazdaOptions } from "./mazda-options.ts";
import { mazdaAuthorizeErrors } from "./mazda-options.ts";
import { type MazdaServer, startMazdaServer } from "./mazda-server.ts";
import { errorOf, macs7, TestClient, tokensOf } from "./test-client.ts";

const running: MazdaServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(options: Partial<MazdaOptions> = {}, now?: () => number): Promise<MazdaServer> {
  const server = await startMazdaServer({ clients: [macs7], ...options }, now);
  running.push(server);
  return server;
}

function callApi(server: MazdaServer, token: string | undefined, organisation?: string): Promise<LoopbackResponse> {
  return requestLoopback(server.workOrdersUrl, {
    certificatePem: server.certificatePem,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(organisation === undefined ? {} : { "X-mazda-org": organisation }),
    },
  });
}

describe("the certificate of the stand-in Mazda server", () => {
  it("is a leaf for 127.0.0.1 with an elliptic curve key", async () => {
    const server = await start();
    const certificate = new X509Certificate(server.certificatePem ?? "");
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.publicKey.asymmetricKeyType).toBe("ec");
  });

  it("is refused by a client that was not told to trust it", async () => {
    const server = await start();
    await expect(requestLoopback(server.workOrdersUrl)).rejects.toThrow(/self-signed|certificate/);
  });

  it("is absent with http", async () => {
    const server = await start({ protocol: "http" });
    expect(server.certificatePem).toBeUndefined();
    expect((await callApi(server, undefined)).status).toBe(401);
  });
});

describe("the authorize endpoint of the stand-in Mazda server", () => {
  it("asks the user in Mazda's words", async () => {
    const server = await start();
    const page = await requestLoopback(new TestClient(server).authorizeUrl(), { certificatePem: server.certificatePem });
    expect(page.status).toBe(200);
    expect(page.text).toContain("Dear John Doe, do you want to grant application &#39;MACS7&#39; access to the Mazda DMS web services?");
    expect(page.text).toContain("mmd10030.johndoe");
  });

  it("sends a code of 32 characters and the state when approved", async () => {
    const server = await start();
    const client = new TestClient(server);
    const callback = await client.consent("approve");
    expect(callback.origin + callback.pathname).toBe("https://127.0.0.1:8080/dms/oauth/code");
    expect(callback.searchParams.get("code")).toMatch(/^MazdaCanaryC[\w-]{20}$/);
    expect(callback.searchParams.get("state")).toBe(client.state);
    expect(server.counters()).toMatchObject({ authorizeRequests: 1, approvals: 1, refusals: 0 });
  });

  it("sends access_denied and the state when refused", async () => {
    const server = await start();
    const client = new TestClient(server);
    const callback = await client.consent("refuse");
    expect(Object.fromEntries(callback.searchParams)).toEqual({ error: "access_denied", state: client.state });
    expect(server.counters()).toMatchObject({ approvals: 0, refusals: 1 });
  });

  it.each(mazdaAuthorizeErrors)("sends %s when told to", async (error) => {
    const server = await start({ behaviour: { authorizeError: error } });
    const client = new TestClient(server);
    const callback = await client.consent("approve");
    expect(Object.fromEntries(callback.searchParams)).toEqual({ error, state: client.state });
  });

  it.each([
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ response_type: "" }, "invalid_request"],
    [{ scope: "write" }, "invalid_scope"],
    [{ code_challenge_method: "plain" }, "invalid_request"],
  ])("answers %j with an error of its own", async (changes, error) => {
    const server = await start({ clients: [{ ...macs7, scopes: ["read"] }] });
    const callback = await new TestClient(server, { scope: "read" }).consent("approve", changes);
    expect(callback.searchParams.get("error")).toBe(error);
  });

  it("sends nothing to a redirect URI that is not exactly the registered one", async () => {
    const server = await start();
    const client = new TestClient(server);
    for (const redirectUri of [`${client.redirectUri}/`, "https://127.0.0.1:8081/dms/oauth/code", "http://127.0.0.1:8080/dms/oauth/code"]) {
      const page = await requestLoopback(client.authorizeUrl({ redirect_uri: redirectUri }), { certificatePem: server.certificatePem });
      expect([page.status, page.headers.location]).toEqual([400, undefined]);
    }
  });

  it("takes any port for a loopback URI registered without one, and only that", async () => {
    const server = await start({ clients: [{ ...macs7, redirectUris: ["http://127.0.0.1/cb"] }] });
    const good = await new TestClient(server, { redirectUri: "http://127.0.0.1:51515/cb" }).consent("approve");
    expect(good.host).toBe("127.0.0.1:51515");
    await expect(new TestClient(server, { redirectUri: "http://127.0.0.1:51515/other" }).consent("approve")).rejects.toThrow("400");
    await expect(new TestClient(server, { redirectUri: "http://127.0.0.1.evil.test/cb" }).consent("approve")).rejects.toThrow("400");
  });

  it("takes any loopback URI when told not to be strict", async () => {
    const server = await start({ behaviour: { strictRedirectUri: false } });
    const callback = await new TestClient(server, { redirectUri: "http://127.0.0.1:5000/x" }).consent("approve");
    expect(callback.pathname).toBe("/x");
    await expect(new TestClient(server, { redirectUri: "https://elsewhere.test/x" }).consent("approve")).rejects.toThrow("400");
  });

  it("refuses a repeated parameter", async () => {
    const server = await start();
    const url = new TestClient(server).authorizeUrl();
    url.searchParams.append("state", "again");
    expect((await requestLoopback(url, { certificatePem: server.certificatePem })).status).toBe(400);
  });
});

describe("the token endpoint of the stand-in Mazda server", () => {
  it("gives opaque tokens of 1024 characters and no token type, as documented", async () => {
    const server = await start();
    const tokens = await new TestClient(server).connect();
    expect(tokens.access_token).toMatch(/^MazdaCanaryA.{1012}$/);
    expect(tokens.refresh_token).toMatch(/^MazdaCanaryR.{1012}$/);
    expect(Object.keys(tokens).sort()).toEqual(["access_token", "expires_in", "refresh_token"]);
  });

  it("redeems a code once, and a second try ends the grant", async () => {
    const server = await start();
    const client = new TestClient(server);
    const code = (await client.consent("approve")).searchParams.get("code") ?? "";
    const tokens = tokensOf(await client.exchange(code));
    expect((await callApi(server, tokens.access_token)).status).toBe(200);
    expect(errorOf(await client.exchange(code))).toBe("invalid_grant");
    expect((await callApi(server, tokens.access_token)).status).toBe(401);
  });

  it("refuses a code that is late, for another redirect URI or with another verifier", async () => {
    let nowMs = 1_000_000;
    const server = await start({}, () => nowMs);
    const client = new TestClient(server);
    const code = (await client.consent("approve")).searchParams.get("code") ?? "";
    expect(errorOf(await client.exchange(code, { redirect_uri: "https://127.0.0.1:8080/other" }))).toBe("invalid_grant");
    expect(errorOf(await client.exchange(code, { code_verifier: "x".repeat(43) }))).toBe("invalid_grant");
    nowMs += 60_000;
    expect(errorOf(await client.exchange(code))).toBe("invalid_grant");
    expect(server.counters().codeExchanges).toBe(0);
  });

  it("requires HTTP Basic", async () => {
    const server = await start();
    const client = new TestClient(server);
    const form = { grant_type: "refresh_token", refresh_token: "x", client_id: macs7.clientId, client_secret: macs7.clientSecret };
    const response = await client.post(form, {});
    expect([response.status, errorOf(response)]).toEqual([401, "invalid_client"]);
    expect(response.headers["www-authenticate"]).toMatch(/^Basic /);
  });

  it("expects credentials form-encoded, or raw when told to", async () => {
    const server = await start();
    expect(tokensOf(await connectResponse(new TestClient(server)))).toBeDefined();
    expect((await new TestClient(server, { encoding: "raw" }).refresh("x")).status).toBe(401);
    server.behaviour.basicCredentials = "raw";
    expect((await new TestClient(server).refresh("x")).status).toBe(401);
    expect(tokensOf(await connectResponse(new TestClient(server, { encoding: "raw" })))).toBeDefined();
  });

  it.each([
    ["seconds", 86_400],
    ["string", "86400"],
    ["epoch", 1_700_086_400],
    ["epoch-string", "1700086400"],
    ["epoch-ms-string", "1700086400000"],
    ["epoch-ms", 1_700_086_400_000],
    ["absent", undefined],
  ] as const)("writes expires_in as %s", async (expiresIn, expected) => {
    const server = await start({ behaviour: { expiresIn } }, () => 1_700_000_000_000);
    expect((await new TestClient(server).connect()).expires_in).toBe(expected);
  });

  it.each([-1, null, "soon", { seconds: 1 }])("writes expires_in as the raw value %j", async (raw) => {
    const server = await start({ behaviour: { expiresIn: { raw } } });
    expect((await new TestClient(server).connect()).expires_in).toEqual(raw);
  });

  it("sends the token type it is told to", async () => {
    const server = await start({ behaviour: { tokenType: "mac" } });
    expect(await new TestClient(server).connect()).toMatchObject({ token_type: "mac" });
  });

  it("counts token requests by grant type", async () => {
    const server = await start();
    const client = new TestClient(server);
    const tokens = await client.connect();
    await client.refresh(tokens.refresh_token);
    await client.post({ grant_type: "password" });
    expect(server.counters()).toMatchObject({
      tokenRequests: { authorization_code: 1, refresh_token: 1, password: 1 },
      codeExchanges: 1,
      refreshes: 1,
    });
  });
});

async function connectResponse(client: TestClient): Promise<LoopbackResponse> {
  return client.exchange((await client.consent("approve")).searchParams.get("code") ?? "");
}
