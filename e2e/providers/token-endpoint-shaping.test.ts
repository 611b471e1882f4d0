import { afterEach, describe, expect, it } from "vitest";
import { answerConsent } from "./consent-client.ts";
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";
import { startMazdaServer } from "./mazda-server.ts";
import type { StandInProvider } from "./provider-contract.ts";
import { errorOf, macs7, TestClient, type Tokens, tokensOf } from "./test-client.ts";
import type { TokenEndpointBehaviour } from "./token-endpoint-shaping.ts";
import { tokenResponses } from "./token-response-override.ts";
import { startWebfleetServer } from "./webfleet-server.ts";

type AnyBehaviour = TokenEndpointBehaviour & { reuseDetection: boolean; signInPage: boolean };
type AnyServer = StandInProvider<AnyBehaviour> & { readonly authorizeUrl: string; readonly tokenUrl: string };

const users = [
  { id: "jill", name: "Jill" },
  { id: "jack", name: "Jack", password: "jacks-password" },
];
const starters: readonly (readonly [string, () => Promise<AnyServer>])[] = [
  ["Mazda", () => startMazdaServer({ clients: [macs7], users })],
  ["Webfleet", () => startWebfleetServer({ clients: [macs7], users })],
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

  it.each(["after-reading", "after-processing"] as const)("hangs %s until it is cut", async (when) => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.hang(when));
    const answer = client.refresh(tokens.refresh_token);
    await expect.poll(() => server.tokenEndpoint.hanging).toBe(1);
    expect(server.counters().refreshes).toBe(when === "after-processing" ? 1 : 0);
    server.tokenEndpoint.cutHanging();
    await expect(answer).rejects.toThrow(/socket hang up|ECONNRESET/);
    await expect.poll(() => server.tokenEndpoint.hanging).toBe(0);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(when === "after-processing" ? 400 : 200);
  });

  it("fails every third request, and only that", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.flaky = { every: 3, answer: tokenResponses.error(500, "server_error") };
    let { refresh_token: refreshToken } = tokens;
    const statuses: number[] = [];
    // The exchange was the first request.
    for (let request = 2; request <= 7; request += 1) {
      const answer = await client.refresh(refreshToken);
      statuses.push(answer.status);
      if (answer.status === 200) refreshToken = tokensOf(answer).refresh_token;
    }
    expect(statuses).toEqual([200, 500, 200, 200, 500, 200]);
    expect(server.counters().reuseDetections).toBe(0);
  });

  it("answers an error as if all were well", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.errorAsSuccess("invalid_grant"));
    const answer = await client.refresh(tokens.refresh_token);
    expect([answer.status, errorOf(answer)]).toEqual([200, "invalid_grant"]);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });

  it("tells a wrong time in every answer when told to", async () => {
    const { server, client, tokens } = await connect(start);
    const dateOf = ({ headers }: LoopbackResponse): number => Date.parse(headers.date ?? "");
    const yearSeconds = 365 * 24 * 60 * 60;
    server.behaviour.dateOffsetSeconds = 10 * yearSeconds;
    const [refreshed, page] = [await client.refresh(tokens.refresh_token), await requestLoopback(server.authorizeUrl, server)];
    for (const answer of [refreshed, page]) expect(dateOf(answer)).toBeGreaterThan(Date.now() + 9 * yearSeconds * 1000);
    server.behaviour.dateOffsetSeconds = -10 * yearSeconds;
    expect(dateOf(await client.refresh("none"))).toBeLessThan(Date.now() - 9 * yearSeconds * 1000);
    server.behaviour.dateOffsetSeconds = 0;
    expect(Math.abs(dateOf(await client.refresh("none")) - Date.now())).toBeLessThan(60_000);
  });

  it("counts every spent refresh token that comes back, even in requests it does not carry out", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.nextTokenResponses.push(tokenResponses.drop("after-processing"));
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(server.counters()).toMatchObject({ refreshes: 1, spentTokensPresented: 0 });
    server.behaviour.nextTokenResponses.push(tokenResponses.html(), tokenResponses.drop("after-reading"));
    await client.refresh(tokens.refresh_token);
    await expect(client.refresh(tokens.refresh_token)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    expect(server.counters()).toMatchObject({ spentTokensPresented: 2, spentTokensPresentedAgain: 1, refusedRefreshes: 0 });
    expect((await client.refresh(tokens.refresh_token)).status).toBe(400);
    expect((await client.refresh("never issued")).status).toBe(400);
    expect(server.counters()).toMatchObject({ spentTokensPresented: 3, spentTokensPresentedAgain: 2, refusedRefreshes: 2 });
  });

  it("takes a spent refresh token again where reuse is not looked for", async () => {
    const { server, client, tokens } = await connect(start);
    server.behaviour.reuseDetection = false;
    const second = tokensOf(await client.refresh(tokens.refresh_token));
    expect(second.refresh_token).not.toBe(tokens.refresh_token);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
    expect((await client.refresh(second.refresh_token)).status).toBe(200);
    expect(server.counters()).toMatchObject({ reuseDetections: 0, spentTokensPresented: 1, refreshes: 3 });
  });

  it("asks for user name and password when told to, and knows a wrong one", async () => {
    const { server } = await connect(start);
    server.behaviour.signInPage = true;
    const client = new TestClient(server);
    const { certificatePem } = server;
    const sign = (userId: string, password?: string): Promise<URL> =>
      answerConsent(client.authorizeUrl(), {
        decision: "approve",
        certificatePem,
        userId,
        ...(password === undefined ? {} : { password }),
      });
    await expect(sign("nobody")).rejects.toThrow("instead of redirecting");
    await expect(sign("jack", "wrong")).rejects.toThrow("instead of redirecting");
    const callback = await sign("jack", "jacks-password");
    expect((await client.exchange(callback.searchParams.get("code") ?? "")).status).toBe(200);
    expect(server.counters().approvals).toBe(2);
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
