/** One test a quirk of Webfleet's: what the broker must make of it, judged at the pipe and by the server's counters. */
import { describe, expect, it } from "vitest";
import { answerConsent } from "../../e2e/providers/consent-client.ts";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import { tokenResponses } from "../../e2e/providers/token-response-override.ts";
import type { WebfleetBehaviour } from "../../e2e/providers/webfleet-options.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import { provider as webfleet } from "../oauth/providers/webfleet.ts";
import { valueOf } from "../testing/composed-broker.ts";
import { connectQuietly, currentToken, type Desk, expectState, openDesk, patience, rejectToken, stateOf, useApi } from "./desk.ts";
import { type PlayedWebfleet, people, playWebfleet, refreshAsClient } from "./stand-ins.ts";
import { type TokenRequests, watchTokenRequests } from "./token-requests.ts";

interface Setting extends PlayedWebfleet {
  readonly desk: Desk;
  readonly requests: TokenRequests;
  /** The connection of `user-1`. */
  readonly one: ConnectionKey;
}

async function setUp(behaviour: Partial<WebfleetBehaviour> = {}, scope?: string): Promise<Setting> {
  const played = await playWebfleet({ users: people(3), behaviour });
  const requests = watchTokenRequests(played.server.tokenUrl);
  const desk = await openDesk(webfleet, { ...played.registration, ...(scope === undefined ? {} : { scope }) });
  return { ...played, desk, requests, one: played.key("user-1") };
}

async function setUpConnected(behaviour: Partial<WebfleetBehaviour> = {}): Promise<Setting> {
  const setting = await setUp(behaviour);
  await connectQuietly(setting.desk, setting.one);
  return setting;
}

describe("the issuer on Webfleet's callback", { timeout: 90_000 }, () => {
  it("ends a sign-in when it is another one's, before the code goes anywhere", async () => {
    const { desk, one, server } = await setUp({ sendIssuer: "https://evil.test/realms/webfleet" });
    valueOf(await desk.program().connectStart(one));
    await requestLoopback(await answerConsent(desk.app().openedUrls.at(-1) ?? "", { decision: "approve" }));
    await expectState(desk, one, "NotConnected");
    expect(valueOf(await desk.program().connectionGet(one)).problem).toMatchObject({ detail: "issuer_mismatch" });
    expect(server.counters().tokenRequests).toEqual({});
  });

  it("may be missing, as realms can be set up", async () => {
    const { desk, one, callApi } = await setUpConnected({ sendIssuer: false });
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
  });
});

describe("the end of a grant at Webfleet", { timeout: 90_000 }, () => {
  it.each([
    { name: "is estimated when an offline token has no fixed one", behaviour: { offlineRefreshExpiresIn: 0 }, seconds: 30 * 86_400 },
    { name: "is known when the realm has set one", behaviour: { offlineRefreshExpiresIn: 86_400 }, seconds: 86_400 },
  ])("$name", async ({ behaviour, seconds }) => {
    const { desk, one } = await setUpConnected(behaviour);
    const { grantExpiresAt = 0, grantExpiryIsEstimate } = valueOf(await desk.program().connectionGet(one));
    expect(grantExpiryIsEstimate).toBe(behaviour.offlineRefreshExpiresIn === 0);
    expect(Math.abs(grantExpiresAt - Date.now() / 1000 - seconds)).toBeLessThan(600);
  });

  it("is that of the login session without offline_access", async () => {
    const { desk, one } = await setUp({ sessionIdleSeconds: 1800 }, "profile");
    await connectQuietly(desk, one);
    const { grantExpiresAt = 0, grantExpiryIsEstimate } = valueOf(await desk.program().connectionGet(one));
    expect(grantExpiryIsEstimate).toBe(false);
    expect(grantExpiresAt - Date.now() / 1000).toBeLessThan(1801);
  });
});

describe("refresh tokens of Webfleet", { timeout: 90_000 }, () => {
  it("that a thief has used again end the connection at the next renewal, which asks once", async () => {
    const { desk, one, server, requests, registration } = await setUpConnected();
    const stolen = requests.newestRefreshToken();
    valueOf(await rejectToken(desk, one));
    await refreshAsClient(registration, stolen);
    expect(server.counters()).toMatchObject({ reuseDetections: 1, refusedRefreshes: 1 });

    // A new start has forgotten that a token was reported a moment ago.
    await desk.quit();
    await desk.open();
    expect(await stateOf(desk, one)).toBe("Active");
    expect(await rejectToken(desk, one)).toMatchObject({ ok: false, error: { code: "reconnect_required" } });
    await expectState(desk, one, "ReconnectRequired");
    expect(server.counters()).toMatchObject({ refusedRefreshes: 2, spentTokensPresented: 1 });
    expect(requests.spentTokensSent()).toBe(0);
  });

  it.each([
    { name: "that stay the same are kept", behaviour: { rotateRefreshTokens: false } },
    { name: "that are replaced without the old one ending are replaced here, too", behaviour: { reuseDetection: false } },
    { name: "that are no JWTs are as good", behaviour: { refreshTokenFormat: "opaque" } },
  ] satisfies readonly { readonly name: string; readonly behaviour: Partial<WebfleetBehaviour> }[])("$name", async ({ behaviour }) => {
    const { desk, one, server, requests, callApi } = await setUpConnected(behaviour);
    const first = requests.newestRefreshToken();
    valueOf(await rejectToken(desk, one));
    await desk.quit();
    await desk.open();
    valueOf(await rejectToken(desk, one));
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(requests.refreshes()).toHaveLength(2);
    expect(requests.newestRefreshToken() === first).toBe(behaviour.rotateRefreshTokens === false);
    expect(server.counters()).toMatchObject({ spentTokensPresented: 0, refusedRefreshes: 0 });
    valueOf(await desk.program().revoke(one));
    expect(server.counters().revocations).toBe(1);
  });
});

describe("an answer of Webfleet's that was lost", { timeout: 90_000 }, () => {
  it("before anything was done is made good by the one try in doubt", async () => {
    const { desk, one, server, callApi } = await setUpConnected();
    server.behaviour.nextTokenResponses.push(tokenResponses.drop("after-reading"));
    expect(await rejectToken(desk, one)).toMatchObject({ ok: false, error: { code: "provider_unavailable", retryable: true } });
    await expect.poll(() => desk.program().tokenGet(one), patience).toMatchObject({ ok: true });
    await expectState(desk, one, "Active");
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(server.counters()).toMatchObject({ spentTokensPresented: 0, tokenRequests: { refresh_token: 2 } });
  });

  it("after the rotation costs the connection: the old token is sent once more, and then never again", async () => {
    const { desk, one, server } = await setUpConnected();
    server.behaviour.nextTokenResponses.push(tokenResponses.drop("after-processing"));
    expect(await rejectToken(desk, one)).toMatchObject({ ok: false, error: { code: "provider_unavailable", retryable: true } });
    await expect.poll(() => desk.program().tokenGet(one), patience).toMatchObject({ ok: false, error: { code: "reconnect_required" } });
    await expectState(desk, one, "ReconnectRequired");
    await desk.quit();
    await desk.open();
    expect(await desk.program().tokenGet(one)).toMatchObject({ ok: false, error: { code: "reconnect_required" } });
    expect(server.counters()).toMatchObject({
      spentTokensPresented: 1,
      spentTokensPresentedAgain: 0,
      refusedRefreshes: 1,
      tokenRequests: { refresh_token: 2 },
    });
  });

  it("because the app quit meanwhile is found in doubt by the next start, which finds out", async () => {
    const { desk, one, server } = await setUpConnected({ accessTokenLifetimeSeconds: 20 });
    server.behaviour.accessTokenLifetimeSeconds = 3600;
    server.behaviour.nextTokenResponses.push(tokenResponses.hang("after-reading"));
    const asked = desk.program().tokenGet(one);
    await expect.poll(() => server.tokenEndpoint.hanging, patience).toBe(1);
    await desk.quit();
    await asked;
    const before = server.counters();
    await desk.open();
    await expectState(desk, one, "Active");
    expect(valueOf(await desk.program().tokenGet(one)).expiresInSeconds).toBeGreaterThan(60);
    expect(before).toMatchObject({ refreshes: 0, tokenRequests: { refresh_token: 1 } });
    expect(server.counters()).toMatchObject({ refreshes: 1, spentTokensPresented: 0, tokenRequests: { refresh_token: 2 } });
  });
});

describe("a Webfleet that does not answer one user's renewal", { timeout: 90_000 }, () => {
  it("keeps nobody else waiting, nor that user's own token that is still good", async () => {
    const { desk, one, server, key, callApi } = await setUpConnected();
    const [two, three] = [key("user-2"), key("user-3")];
    await connectQuietly(desk, two);
    // So short that a question renews it, and that a lost renewal is tried again at once.
    server.behaviour.accessTokenLifetimeSeconds = 25;
    await connectQuietly(desk, three);
    server.behaviour.accessTokenLifetimeSeconds = 3600;
    server.behaviour.nextTokenResponses.push(tokenResponses.hang("after-reading"));
    const waiting = desk.program().tokenGet(three);
    await expect.poll(() => server.tokenEndpoint.hanging, patience).toBe(1);

    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(await useApi(desk, three, callApi)).toEqual({ status: 200, user: "user-3" });
    valueOf(await rejectToken(desk, two));
    expect(await useApi(desk, two, callApi)).toEqual({ status: 200, user: "user-2" });
    expect(server.tokenEndpoint.hanging).toBe(1);

    server.tokenEndpoint.cutHanging();
    // It still lasts, so it is served although its renewal went wrong.
    expect(await waiting).toMatchObject({ ok: true });
    await expectState(desk, three, "Active");
    expect(server.counters()).toMatchObject({ spentTokensPresented: 0, refusedRefreshes: 0 });
  });
});

describe("a revocation at Webfleet", { timeout: 90_000 }, () => {
  it("that is refused with 503 stays pending through a restart; nothing is served meanwhile", async () => {
    const { desk, one, server, callApi } = await setUpConnected({ revocationStatus: 503 });
    const copy = await currentToken(desk, one);
    expect(await desk.program().revoke(one)).toMatchObject({ ok: false, error: { detail: "revocation_pending" } });
    expect(await desk.program().tokenGet(one)).toMatchObject({ ok: false });
    expect(await stateOf(desk, one)).toBe("Revoking");
    await desk.quit();
    await desk.open();
    expect(await stateOf(desk, one)).toBe("Revoking");
    expect(await desk.program().tokenGet(one)).toMatchObject({ ok: false });
    expect(server.counters().revocations).toBe(0);

    server.behaviour.revocationStatus = null;
    await expectState(desk, one, "NotConnected");
    expect(server.counters().revocations).toBe(1);
    // Copies that programs have go on working until they end.
    expect(await callApi(copy.headers)).toMatchObject({ status: 200 });
  });

  it("of a token that the realm does not know any more is done", async () => {
    const { desk, one, server } = await setUpConnected();
    server.revokeAll();
    valueOf(await desk.program().revoke(one));
    expect(await stateOf(desk, one)).toBe("NotConnected");
    expect(server.counters()).toMatchObject({ revocations: 1, tokenRequests: { authorization_code: 1 } });
  });

  it("ends one user's connection and nobody else's", async () => {
    const { desk, one, server, key, callApi } = await setUpConnected();
    const two = key("user-2");
    await connectQuietly(desk, two);
    valueOf(await desk.program().revoke(one));
    valueOf(await rejectToken(desk, two));
    expect(await useApi(desk, two, callApi)).toEqual({ status: 200, user: "user-2" });
    expect(server.counters()).toMatchObject({ revocations: 1, refusedRefreshes: 0 });
  });

  it("that meets a renewal under way ends revoked, with the newest refresh token", async () => {
    const { desk, one, server, requests, registration } = await setUpConnected();
    const hold = server.tokenEndpoint.hold("after-processing");
    const renewal = rejectToken(desk, one);
    await hold.arrived;
    const revoked = desk.program().revoke(one);
    hold.resume();
    await renewal;
    valueOf(await revoked);
    expect(await stateOf(desk, one)).toBe("NotConnected");
    expect(server.counters()).toMatchObject({ revocations: 1, refreshes: 1 });
    expect((await refreshAsClient(registration, requests.newestRefreshToken())).status).toBe(400);
  });
});
