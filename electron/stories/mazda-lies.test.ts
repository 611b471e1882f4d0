/** Answers that are not what they say: what the broker must not believe, and what it must keep meanwhile. */
import { describe, expect, it } from "vitest";
import { type TokenResponseOverride, tokenResponses } from "../../e2e/providers/token-response-override.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import { provider as mazda } from "../oauth/providers/mazda.ts";
import { valueOf } from "../testing/composed-broker.ts";
import { connectQuietly, currentToken, type Desk, expectState, openDesk, patience, rejectToken, stateOf, useApi } from "./desk.ts";
import { type PlayedMazda, people, playMazda } from "./stand-ins.ts";

interface Setting extends PlayedMazda {
  readonly desk: Desk;
  readonly one: ConnectionKey;
  readonly two: ConnectionKey;
}

async function setUp(dateOffsetSeconds = 0): Promise<Setting> {
  const played = await playMazda({ users: people(2), behaviour: { dateOffsetSeconds } });
  const setting = { ...played, desk: await openDesk(mazda, played.registration), one: played.key("user-1"), two: played.key("user-2") };
  for (const key of [setting.one, setting.two]) await connectQuietly(setting.desk, key);
  return setting;
}

function noticesOf({ desk }: Setting): readonly string[] {
  return desk
    .app()
    .status()
    .notices.map(({ code }) => code)
    .filter((code) => code.startsWith("network_") || code.startsWith("clock_"));
}

const signInNeeded = { ok: false, error: { code: "provider_unavailable", detail: "network_sign_in_needed", retryable: true } };

describe("a page of the network's instead of Mazda's answer", { timeout: 90_000 }, () => {
  it.each([200, 403, 511])("with status %i is the network's state and no connection's", async (status) => {
    const setting = await setUp();
    const { desk, one, two, server, callApi } = setting;
    server.behaviour.everyTokenResponse = tokenResponses.html(status);
    expect(await rejectToken(desk, one)).toMatchObject(signInNeeded);
    expect(noticesOf(setting)).toEqual(["network_sign_in_needed"]);
    for (const key of [one, two]) expect(await stateOf(desk, key)).toBe("Active");
    // Whose token is good has not noticed anything.
    expect(await useApi(desk, two, callApi)).toEqual({ status: 200, user: "user-2" });
  });

  it("costs nothing and ends by itself", async () => {
    const setting = await setUp();
    const { desk, one, server, callApi } = setting;
    server.behaviour.everyTokenResponse = tokenResponses.html();
    expect(await rejectToken(desk, one)).toMatchObject(signInNeeded);
    // Programs go on asking; the network is not.
    for (let time = 0; time < 5; time += 1) expect(await desk.program().tokenGet(one)).toMatchObject(signInNeeded);
    expect(server.counters().tokenRequests["refresh_token"]).toBe(1);

    server.behaviour.everyTokenResponse = null;
    await expect.poll(() => desk.program().tokenGet(one), patience).toMatchObject({ ok: true });
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(noticesOf(setting)).toEqual([]);
    expect(server.counters()).toMatchObject({ refreshes: 1, spentTokensPresented: 0, refusedRefreshes: 0 });
  });
});

/** The provider has done nothing, whatever these say. */
function answerOf(fields: Readonly<Record<string, unknown>>): TokenResponseOverride {
  return { kind: "replace", status: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) };
}

describe("an answer of Mazda's with status 200", { timeout: 90_000 }, () => {
  it.each([
    { name: "that holds the error of a dead grant ends nothing", answer: tokenResponses.errorAsSuccess("invalid_request") },
    { name: "that holds no access token gives none", answer: answerOf({ refresh_token: "Lie", expires_in: 3600 }) },
    {
      name: "of another token type is served to nobody",
      answer: answerOf({ access_token: "Lie", token_type: "mac", refresh_token: "Lie" }),
    },
    {
      name: "of a token type for somebody else's machine is served to nobody",
      answer: answerOf({ access_token: "Lie", token_type: "DPoP" }),
    },
  ])("$name, and the refresh token is kept and tried once more", async ({ answer }) => {
    const { desk, one, server, callApi } = await setUp();
    server.behaviour.nextTokenResponses.push(answer);
    expect(await rejectToken(desk, one)).toMatchObject({ ok: false, error: { code: "provider_unavailable" } });
    expect(await stateOf(desk, one)).not.toBe("ReconnectRequired");
    await expect.poll(() => desk.program().tokenGet(one), patience).toMatchObject({ ok: true });
    await expectState(desk, one, "Active");
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(server.counters()).toMatchObject({ refreshes: 1, spentTokensPresented: 0, tokenRequests: { refresh_token: 2 } });
  });

  it("that names another user changes nothing of whose connection it is", async () => {
    const { desk, one, two, server, callApi } = await setUp();
    server.behaviour.nextTokenResponses.push(tokenResponses.withFields({ user: "user-2", sub: "user-2", scope: "everything of user-2" }));
    valueOf(await rejectToken(desk, one));
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(await useApi(desk, two, callApi)).toEqual({ status: 200, user: "user-2" });
    expect(
      valueOf(await desk.program().connectionList())
        .map(({ user }) => user)
        .sort(),
    ).toEqual(["user-1", "user-2"]);
  });
});

const yearSeconds = 365 * 86_400;

describe("a wrong Date header of Mazda's", { timeout: 90_000 }, () => {
  it("moves nothing once its time and the computer's have agreed: no storm, no false end, no notice", async () => {
    const setting = await setUp();
    const { desk, one, two, server, callApi } = setting;
    for (const [key, years] of [
      [one, 10],
      [two, -10],
    ] as const) {
      server.behaviour.dateOffsetSeconds = years * yearSeconds;
      valueOf(await rejectToken(desk, key));
      expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
      const { expiresInSeconds } = await currentToken(desk, key);
      expect(expiresInSeconds).toBeLessThanOrEqual(server.behaviour.accessTokenLifetimeSeconds);
      expect(expiresInSeconds).toBeGreaterThan(server.behaviour.accessTokenLifetimeSeconds - 600);
    }
    expect(noticesOf(setting)).toEqual([]);
    expect(server.counters().tokenRequests).toEqual({ authorization_code: 2, refresh_token: 2 });
  });

  it("is taken for the time when nobody says otherwise, and people are told; tokens are served by it all the same", async () => {
    const setting = await setUp(2 * 3600);
    const { desk, one, server, callApi } = setting;
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    const { expiresInSeconds } = await currentToken(desk, one);
    expect(Math.abs(expiresInSeconds - server.behaviour.accessTokenLifetimeSeconds)).toBeLessThan(600);
    expect(noticesOf(setting)).toEqual(["clock_slow"]);

    // The computer's own clock is confirmed by the next answer: that is the end of it.
    server.behaviour.dateOffsetSeconds = 0;
    valueOf(await rejectToken(desk, one));
    expect(await useApi(desk, one, callApi)).toEqual({ status: 200, user: "user-1" });
    await expect.poll(() => noticesOf(setting), patience).toEqual([]);
    expect(server.counters().tokenRequests).toEqual({ authorization_code: 2, refresh_token: 1 });
  });
});
