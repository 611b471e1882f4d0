import { afterEach, describe, expect, it } from "vitest";
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";
import type { MazdaOptions } from "./mazda-options.ts";
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

describe("grants of the stand-in Mazda server", () => {
  it("rotate the refresh token, and end when a spent one comes back", async () => {
    const server = await start();
    const client = new TestClient(server);
    const first = await client.connect();
    const second = tokensOf(await client.refresh(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const reused = await client.refresh(first.refresh_token);
    expect([reused.status, errorOf(reused)]).toEqual([400, "invalid_request"]);
    expect(errorOf(await client.refresh(second.refresh_token))).toBe("invalid_request");
    expect((await callApi(server, second.access_token)).status).toBe(401);
    expect(server.counters().reuseDetections).toBe(1);
  });

  it("leave other grants alone when one ends", async () => {
    const server = await start();
    const [one, two] = [new TestClient(server), new TestClient(server)];
    const [first, second] = [await one.connect(), await two.connect()];
    await one.refresh(first.refresh_token);
    await one.refresh(first.refresh_token);
    expect((await two.refresh(second.refresh_token)).status).toBe(200);
  });

  it("keep the old refresh token when none is sent", async () => {
    const server = await start();
    const client = new TestClient(server);
    const tokens = await client.connect();
    server.behaviour.omitRefreshToken = true;
    expect(tokensOf(await client.refresh(tokens.refresh_token)).refresh_token).toBe("");
    server.behaviour.omitRefreshToken = false;
    expect(tokensOf(await client.refresh(tokens.refresh_token)).refresh_token).not.toBe("");
  });

  it("can leave the refresh token out at the exchange only, or at a refresh only", async () => {
    const server = await start({ behaviour: { omitRefreshToken: "at-exchange" } });
    expect((await new TestClient(server).connect()).refresh_token).toBe("");
    server.behaviour.omitRefreshToken = "at-refresh";
    const client = new TestClient(server);
    const tokens = await client.connect();
    expect(tokens.refresh_token).not.toBe("");
    expect(tokensOf(await client.refresh(tokens.refresh_token)).refresh_token).toBe("");
    expect(tokensOf(await client.refresh(tokens.refresh_token)).refresh_token).toBe("");
    expect(server.counters().spentTokensPresented).toBe(0);
  });

  it("die with the signing key, with the error of choice", async () => {
    const server = await start();
    const client = new TestClient(server);
    const tokens = await client.connect();
    server.revokeAll();
    expect((await callApi(server, tokens.access_token)).status).toBe(401);
    expect(errorOf(await client.refresh(tokens.refresh_token))).toBe("invalid_request");
    server.behaviour.deadRefreshTokenError = "invalid_grant";
    expect(errorOf(await client.refresh(tokens.refresh_token))).toBe("invalid_grant");
    expect(server.counters().reuseDetections).toBe(0);
  });

  it("survive when only the access tokens are expired", async () => {
    const server = await start();
    const client = new TestClient(server);
    const tokens = await client.connect();
    server.expireAccessTokens();
    expect((await callApi(server, tokens.access_token)).status).toBe(401);
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    expect((await callApi(server, renewed.access_token)).status).toBe(200);
  });

  it("can be ended by the dealer in the security screens", async () => {
    const server = await start();
    const client = new TestClient(server);
    const tokens = await client.connect();
    const { certificatePem } = server;
    const page = await requestLoopback(server.grantScreensUrl, { certificatePem });
    expect(page.text).toContain("MACS7");
    const grant = /name="grant" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    await requestLoopback(server.grantScreensUrl, { certificatePem, form: { grant } });
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
    expect((await requestLoopback(server.grantScreensUrl, { certificatePem })).text).toContain("No application has access.");
  });

  it("list every secret they issued, each with the canary", async () => {
    const server = await start({ canary: "Leak42" });
    const client = new TestClient(server);
    const code = (await client.consent("approve")).searchParams.get("code") ?? "";
    const tokens = tokensOf(await client.exchange(code));
    expect(server.issuedSecrets()).toEqual([code, tokens.access_token, tokens.refresh_token]);
    expect(server.issuedSecrets().every((secret) => secret.startsWith("Leak42"))).toBe(true);
  });
});

describe("the demo API of the stand-in Mazda server", () => {
  it("echoes user and organisation", async () => {
    const users = [{ id: "mmd10030.janeroe", name: "Jane Roe", organisations: ["10030/MMD", "10031/MMD"] }];
    const server = await start({ users });
    const { access_token: token } = await new TestClient(server).connect();
    expect(JSON.parse((await callApi(server, token, "10031/MMD")).text)).toMatchObject({
      user: "mmd10030.janeroe",
      organisation: "10031/MMD",
    });
    expect(JSON.parse((await callApi(server, token)).text)).toMatchObject({ organisation: "10030/MMD" });
  });

  it("answers 403, not 401, about rights", async () => {
    const server = await start();
    const { access_token: token } = await new TestClient(server).connect();
    expect((await callApi(server, token, "99999/MMD")).status).toBe(403);
    server.behaviour.apiStatus = 403;
    expect((await callApi(server, token)).status).toBe(403);
    expect(server.counters().apiRejections).toBe(0);
  });

  it("answers 401 without a token, with a wrong one, a refresh token or an expired one", async () => {
    let nowMs = 1_000_000;
    const server = await start({}, () => nowMs);
    const tokens = await new TestClient(server).connect();
    nowMs += 86_400_000;
    for (const token of [undefined, "wrong", tokens.refresh_token, tokens.access_token]) {
      const response = await callApi(server, token);
      expect([response.status, response.headers["www-authenticate"]]).toEqual([401, expect.stringContaining("Bearer")]);
    }
    expect(server.counters()).toMatchObject({ apiCalls: 4, apiRejections: 4 });
  });

  it("belongs to the user who signed in", async () => {
    const users = [
      { id: "mmd10030.johndoe", name: "John Doe" },
      { id: "mmd10030.janeroe", name: "Jane Roe" },
    ];
    const server = await start({ users });
    const { access_token: token } = await new TestClient(server).connect("mmd10030.janeroe");
    expect(JSON.parse((await callApi(server, token)).text)).toMatchObject({ user: "mmd10030.janeroe" });
    server.behaviour.signedInUserId = "mmd10030.janeroe";
    const page = await requestLoopback(new TestClient(server).authorizeUrl(), { certificatePem: server.certificatePem });
    expect(page.text).toContain("Dear Jane Roe");
  });
});
