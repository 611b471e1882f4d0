import { afterEach, describe, expect, it } from "vitest";
import { requestLoopback } from "./loopback-request.ts";
import { startMazdaServer } from "./mazda-server.ts";
import type { StandInProvider } from "./provider-contract.ts";
import { errorOf, macs7, TestClient, type Tokens, tokensOf } from "./test-client.ts";
import type { TokenEndpointBehaviour } from "./token-endpoint-shaping.ts";
import { tokenResponses } from "./token-response-override.ts";
import { startWebfleetServer } from "./webfleet-server.ts";

type AnyServer = StandInProvider<TokenEndpointBehaviour> & { readonly authorizeUrl: string; readonly tokenUrl: string };

const starters: readonly (readonly [string, () => Promise<AnyServer>])[] = [
  ["Mazda", () => startMazdaServer({ clients: [macs7] })],
  ["Webfleet", () => startWebfleetServer({ clients: [macs7] })],
];

const running: AnyServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

interface Connected {
  readonly server: AnyServer;
  readonly client: TestClient;
  readonly tokens: Tokens;
}

async function connect(start: () => Promise<AnyServer>): Promise<Connected> {
  const server = await start();
  running.push(server);
  const client = new TestClient(server);
  return { server, client, tokens: await client.connect() };
}

describe.each(starters)("the token endpoint of the stand-in %s server", (_name, start) => {
  it("answers what it is told to, once, without touching the grant", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(
      tokenResponses.html(),
      tokenResponses.empty(),
      tokenResponses.redirectTo("https://portal.test/"),
      tokenResponses.error(429, "slow_down", { "Retry-After": "7" }),
      tokenResponses.truncatedJson(),
    );
    const html = await client.refresh(tokens.refresh_token);
    expect([html.status, html.headers["content-type"]]).toEqual([200, "text/html"]);
    expect((await client.refresh(tokens.refresh_token)).text).toBe("");
    const redirect = await client.refresh(tokens.refresh_token);
    expect([redirect.status, redirect.headers.location]).toEqual([302, "https://portal.test/"]);
    const busy = await client.refresh(tokens.refresh_token);
    expect([busy.status, errorOf(busy), busy.headers["retry-after"]]).toEqual([429, "slow_down", "7"]);
    expect((await client.refresh(tokens.refresh_token)).text).toBe('{"access_token":"abc');
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
    expect(server.counters()).toMatchObject({ refreshes: 1, reuseDetections: 0, tokenRequests: { refresh_token: 6 } });
  });

  it("can send 10 MB", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.huge());
    expect((await client.refresh(tokens.refresh_token)).text.length).toBeGreaterThan(10 * 1024 * 1024);
  });

  it("changes fields and headers of a genuine answer", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.withFields({ extra: [1] }));
    const first = tokensOf(await client.refresh(tokens.refresh_token));
    expect(first).toMatchObject({ extra: [1] });
    server.behaviour.nextTokenResponses.push(tokenResponses.longAccessToken());
    const second = tokensOf(await client.refresh(first.refresh_token));
    expect(second.access_token).toHaveLength(8192);
    server.behaviour.nextTokenResponses.push(tokenResponses.wrongContentType());
    const third = await client.refresh(second.refresh_token);
    expect(third.headers["content-type"]).toBe("text/plain");
    server.behaviour.nextTokenResponses.push(tokenResponses.withoutField("access_token", "expires_in"));
    const fourth: unknown = JSON.parse((await client.refresh(tokensOf(third).refresh_token)).text);
    expect(fourth).not.toHaveProperty("access_token");
    expect(fourth).toHaveProperty("refresh_token");
  });

  it.each(["before-reading", "after-reading"] as const)("drops the connection %s, and the refresh token stays good", async (when) => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.drop(when));
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
    expect(server.counters().reuseDetections).toBe(0);
  });

  it("drops the connection after processing, and the refresh token is spent", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.drop("after-processing"));
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(server.counters().refreshes).toBe(1);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
    expect(server.counters().reuseDetections).toBe(1);
  });

  it("can carry a request out behind a failing gateway", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push({ kind: "replace", status: 502, body: "Bad gateway", processed: true });
    expect((await client.refresh(tokens.refresh_token)).status).toBe(502);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
  });

  it("is down until it is up again", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.tokenDown = 503;
    expect((await client.refresh(tokens.refresh_token)).status).toBe(503);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(503);
    server.behaviour.tokenDown = null;
    server.behaviour.everyTokenResponse = tokenResponses.html(403);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(403);
    server.behaviour.everyTokenResponse = null;
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });

  it("holds requests before processing until it is told to go on", async () => {
    const { server, client, tokens } = await connect(start);
    const hold = server.tokenEndpoint.hold();
    const answer = client.refresh(tokens.refresh_token);
    await hold.arrived;
    expect(server.counters().refreshes).toBe(0);
    hold.resume();
    expect((await answer).status).toBe(200);
    expect((await client.refresh(tokensOf(await answer).refresh_token)).status).toBe(200);
  });

  it("holds answers after processing, and close ends what is held", async () => {
    const { server, client, tokens } = await connect(start);
    const hold = server.tokenEndpoint.hold("after-processing");
    const answer = client.refresh(tokens.refresh_token);
    const settled = Promise.allSettled([answer]);
    await hold.arrived;
    expect(server.counters().refreshes).toBe(1);
    await server.close();
    // A request that stayed held would keep this waiting until the test's time limit.
    expect(await settled).toHaveLength(1);
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow("ECONNREFUSED");
  });

  it("still answers after a delay", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.tokenLatencyMs = 20;
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });

  it("refuses connections when told to, and takes them again later", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.refuseConnections = true;
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow(/socket|ECONNRESET|EPIPE/);
    await expect(requestLoopback(server.authorizeUrl, { certificatePem: server.certificatePem })).rejects.toThrow(
      /socket|ECONNRESET|EPIPE/,
    );
    server.behaviour.refuseConnections = false;
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });
});
