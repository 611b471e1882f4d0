/** One test a quirk of Mazda's: what the broker must make of it, judged at the pipe and by the server's counters. */
import { describe, expect, it } from "vitest";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import type { MazdaBehaviour } from "../../e2e/providers/mazda-options.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import { provider as mazda } from "../oauth/providers/mazda.ts";
import { valueOf } from "../testing/composed-broker.ts";
import { connectQuietly, currentToken, type Desk, expectState, openDesk, patience, rejectToken, stateOf, useApi } from "./desk.ts";
import { type PlayedMazda, people, playMazda } from "./stand-ins.ts";

interface Setting extends PlayedMazda {
  readonly desk: Desk;
  /** One connection a user, in the order of `people`. */
  readonly keys: readonly [ConnectionKey, ...ConnectionKey[]];
  readonly first: ConnectionKey;
}

/** A Mazda with so many users, none of them connected. */
async function setUp(users = 1, behaviour: Partial<MazdaBehaviour> = {}): Promise<Setting> {
  const played = await playMazda({ users: people(users), behaviour });
  const first = played.key("user-1");
  const others = people(users)
    .slice(1)
    .map(({ id }) => played.key(id));
  return { ...played, desk: await openDesk(mazda, played.registration), keys: [first, ...others], first };
}

async function setUpConnected(users = 1, behaviour: Partial<MazdaBehaviour> = {}): Promise<Setting> {
  const setting = await setUp(users, behaviour);
  for (const key of setting.keys) await connectQuietly(setting.desk, key);
  return setting;
}

describe("expires_in at Mazda", { timeout: 90_000 }, () => {
  it("means the same in each of its readings, as a number and as a text", async () => {
    const readings = ["seconds", "string", "epoch", "epoch-string", "epoch-ms", "epoch-ms-string"] as const;
    const { desk, keys, server, callApi } = await setUp(readings.length, { accessTokenLifetimeSeconds: 7200 });
    const understood: (readonly [string, boolean])[] = [];
    for (const [index, expiresIn] of readings.entries()) {
      const key = keys[index] ?? keys[0];
      server.behaviour.expiresIn = expiresIn;
      await connectQuietly(desk, key);
      const { expiresInSeconds } = await currentToken(desk, key);
      understood.push([expiresIn, expiresInSeconds > 7200 - 600 && expiresInSeconds <= 7200]);
      expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
    }
    expect(understood).toEqual(readings.map((reading) => [reading, true]));
  });

  it("that is absurd counts as ten minutes, and the token is used", async () => {
    const absurd = [{ raw: 1e15 }, { raw: -3600 }, { raw: 0 }, { raw: "soon" }, { raw: null }, { raw: 401 * 86_400 }, "absent"] as const;
    const { desk, keys, server, callApi } = await setUp(absurd.length);
    const lives: number[] = [];
    for (const [index, expiresIn] of absurd.entries()) {
      const key = keys[index] ?? keys[0];
      server.behaviour.expiresIn = expiresIn;
      await connectQuietly(desk, key);
      lives.push((await currentToken(desk, key)).expiresInSeconds);
      expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
    }
    expect(lives.map((seconds) => seconds > 300 && seconds <= 600)).toEqual(absurd.map(() => true));
    expect(server.counters().tokenRequests).toEqual({ authorization_code: absurd.length });
  });
});

describe("a refresh token that Mazda does not send", { timeout: 90_000 }, () => {
  it("at the exchange leaves a connection that serves to its token's end, and then asks for Reconnect", async () => {
    const { desk, first, server, callApi } = await setUpConnected(1, { omitRefreshToken: "at-exchange", accessTokenLifetimeSeconds: 4 });
    expect(await useApi(desk, first, callApi)).toEqual({ status: 200, user: "user-1" });
    const ended = { ok: false, error: { code: "reconnect_required", detail: "grant_not_renewable" } };
    await expect.poll(() => desk.program().tokenGet({ ...first, minValiditySeconds: 0 }), patience).toMatchObject(ended);
    await expectState(desk, first, "ReconnectRequired");
    expect(server.counters().tokenRequests).toEqual({ authorization_code: 1 });
  });

  it("at a refresh stays the one there is", async () => {
    const { desk, first, server, callApi } = await setUpConnected(1, { omitRefreshToken: "at-refresh" });
    valueOf(await rejectToken(desk, first));
    await desk.quit();
    await desk.open();
    valueOf(await rejectToken(desk, first));
    expect(await useApi(desk, first, callApi)).toEqual({ status: 200, user: "user-1" });
    expect(server.counters()).toMatchObject({ refreshes: 2, refusedRefreshes: 0, spentTokensPresented: 0 });
  });
});

describe("a grant that was ended at Mazda", { timeout: 90_000 }, () => {
  it.each(["invalid_request", "invalid_grant"] as const)("is over when its renewal is answered %s", async (word) => {
    const { desk, first, server, callApi } = await setUpConnected(1, { deadRefreshTokenError: word });
    const screens = await requestLoopback(server.grantScreensUrl);
    const grant = /name="grant" value="([^"]+)"/.exec(screens.text)?.[1] ?? "";
    await requestLoopback(server.grantScreensUrl, { form: { grant } });
    expect(await useApi(desk, first, callApi)).toMatchObject({ code: "reconnect_required", detail: "grant_dead" });
    expect(await stateOf(desk, first)).toBe("ReconnectRequired");
    expect(server.counters()).toMatchObject({ refusedRefreshes: 1, tokenRequests: { refresh_token: 1 } });
  });

  it("with everybody else's, by a withdrawn signing key, costs one refused renewal a connection and no storm", async () => {
    const { desk, keys, server, callApi } = await setUpConnected(20);
    for (const key of keys) expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
    server.revokeAll();
    // Every program notices at once, and twice as many as there are connections.
    const answers = await Promise.all([...keys, ...keys].map((key) => useApi(desk, key, callApi)));
    for (const answer of answers) expect(answer).toMatchObject({ code: "reconnect_required" });
    for (const key of keys) expect(await stateOf(desk, key)).toBe("ReconnectRequired");
    // Programs go on asking all the same.
    await Promise.all(Array.from({ length: 5 }, () => keys.map((key) => desk.program().tokenGet(key))).flat());
    expect(server.counters()).toMatchObject({ refusedRefreshes: 20, spentTokensPresented: 0, tokenRequests: { refresh_token: 20 } });

    // And each is whole again after one sign-in.
    for (const key of keys.slice(0, 3)) {
      await connectQuietly(desk, key);
      expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
    }
  });
});

describe("a Mazda that is in trouble", { timeout: 90_000 }, () => {
  it("is not asked while it is paused, and everybody is served again when it is back", async () => {
    const { desk, keys, server, callApi } = await setUpConnected(6);
    server.behaviour.tokenDown = 503;
    for (const key of keys) {
      expect(await rejectToken(desk, key)).toMatchObject({ ok: false, error: { code: "provider_unavailable", retryable: true } });
      expect(await stateOf(desk, key)).not.toBe("ReconnectRequired");
    }
    const paused = () => desk.program().brokerStatus();
    await expect.poll(paused, patience).toMatchObject({ ok: true, value: { providers: [{ provider: "mazda", state: "paused" }] } });

    server.behaviour.tokenDown = null;
    for (const key of keys) {
      const use = async () => useApi(desk, key, callApi);
      await expect.poll(use, patience).toEqual({ status: 200, user: key.user });
      await expectState(desk, key, "Active");
    }
    await expect.poll(paused, patience).toMatchObject({ ok: true, value: { providers: [{ state: "available" }] } });
    expect(server.counters()).toMatchObject({ refreshes: 6, spentTokensPresented: 0, refusedRefreshes: 0 });
  });

  it("is asked no sooner than it wants to be", async () => {
    const { desk, first, server } = await setUpConnected();
    const busy = { status: 429, headers: { "Retry-After": "3", "Content-Type": "application/json" }, body: '{"error":"slow_down"}' };
    server.behaviour.nextTokenResponses.push({ kind: "replace", ...busy });
    const refused = await rejectToken(desk, first);
    expect(refused).toMatchObject({ ok: false, error: { code: "provider_unavailable" } });
    for (let time = 0; time < 5; time += 1) {
      expect(await desk.program().tokenGet(first)).toMatchObject({ ok: false, error: { code: "provider_unavailable" } });
    }
    expect(refused.ok ? 0 : (refused.error.retryAfterSeconds ?? 0)).toBeGreaterThan(1);
    expect(server.counters().tokenRequests["refresh_token"]).toBe(1);
    await expect.poll(() => desk.program().tokenGet(first), patience).toMatchObject({ ok: true });
    expect(server.counters().tokenRequests["refresh_token"]).toBe(2);
  });
});
