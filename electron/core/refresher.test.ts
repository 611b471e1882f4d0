import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { ConnectionKey } from "./connection-state.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";

const busy = failure("provider_busy", { provider: "Mazda", status: 502 });
const offline = failure("network_offline");
const portal = failure("network_sign_in_needed", { provider: "Mazda" });

function userKey(number: number): ConnectionKey {
  return { ...mazdaKey, user: `user-${number}` };
}

/** Connections whose tokens have ended. */
async function ended(count: number): Promise<World> {
  const world = await createWorld();
  const accessTokenExpiresAtMs = world.clock.nowMs() - 1;
  for (let number = 0; number < count; number += 1) world.storeActive(userKey(number), { accessTokenExpiresAtMs });
  return world;
}

async function loaded(world: World, key: ConnectionKey) {
  return valueOf(await world.connections.load(key));
}

describe("a night's worth of connections", () => {
  it("is renewed within the provider's cap, and a program that asks is served among the first", async () => {
    const world = await ended(100);
    const sentAtMs: number[] = [];
    world.oauth.refreshes.answerAtOnce = ({ grant }) => {
      sentAtMs.push(world.clock.nowMs());
      return { kind: "rotated", grant: world.newGrant(grant.accessToken) };
    };
    const startMs = world.clock.nowMs();
    for (let number = 0; number < 100; number += 1) void world.refresher.refresh(await loaded(world, userKey(number)), "background");
    const asked = world.token(userKey(99)).then(() => world.clock.nowMs() - startMs);
    await world.clock.advance(minuteMs);
    expect(sentAtMs).toHaveLength(100);
    expect(Math.max(...sentAtMs.map((atMs) => sentAtMs.filter((one) => one >= atMs && one < atMs + 1_000).length))).toBeLessThanOrEqual(20);
    expect(await asked).toBeLessThanOrEqual(200);
  });

  it("is left as it was when the provider is paused: no connection is shown as failing for it", async () => {
    const world = await ended(10);
    world.oauth.refreshes.answerAtOnce = () => ({ kind: "refused-for-now", failure: busy });
    for (let number = 0; number < 10; number += 1) void world.refresher.refresh(await loaded(world, userKey(number)), "background");
    await world.clock.advance(1_000);
    expect(world.oauth.refreshes.count).toBeLessThan(10);
    expect((await world.view(userKey(9))).state).toBe("Active");
    expect(await world.token(userKey(9))).toBe("provider_paused");
  });
});

describe("what a refresh finds when its turn has come", () => {
  it("is told as not connected when the connection was forgotten meanwhile, and nothing is sent", async () => {
    const world = await ended(20);
    for (let number = 0; number < 19; number += 1) void world.refresher.refresh(await loaded(world, userKey(number)), "background");
    const late = world.refresher.refresh(await loaded(world, userKey(19)), "background");
    valueOf(await world.revocation.forget(userKey(19)));
    while (world.oauth.refreshes.count < 19) {
      for (const { answer } of world.oauth.refreshes.all) answer({ kind: "rotated", grant: world.newGrant() });
      await world.clock.advance(100);
    }
    for (const { answer } of world.oauth.refreshes.all) answer({ kind: "rotated", grant: world.newGrant() });
    await world.clock.advance(1_000);
    expect([(await late)?.code, world.oauth.refreshes.count]).toEqual(["not_connected", 19]);
  });

  it("may be a new sign-in: then there is nothing left to do", async () => {
    const world = await ended(5);
    for (let number = 0; number < 4; number += 1) void world.refresher.refresh(await loaded(world, userKey(number)), "background");
    const live = await loaded(world, userKey(4));
    const late = world.refresher.refresh(live, "background");
    await settled();
    valueOf(await world.connections.commit(live, 1, { kind: "Active", grant: world.newGrant("signed-in") }));
    world.oauth.refreshes.all[0]?.answer({ kind: "rotated", grant: world.newGrant() });
    await world.clock.advance(1_000);
    expect([await late, world.oauth.refreshes.count, await world.token(userKey(4))]).toEqual([undefined, 4, "access-signed-in"]);
  });
});

describe("a network in trouble", () => {
  it.each([
    ["not-sent", offline],
    ["refused-for-now", portal],
  ] as const)("leaves the connection as it was and waits for the network (%s)", async (kind, why) => {
    const world = await ended(1);
    world.system.reachable = false;
    const asked = world.token(userKey(0));
    await settled();
    world.oauth.refreshes.last.answer({ kind, failure: why });
    expect(await asked).toBe(why.code);
    await settled();
    const told = [...world.gate.notices(), ...[world.network.notice() ?? []].flat()].map(({ code }) => code);
    expect([(await world.view(userKey(0))).state, (await world.view(userKey(0))).failure, told]).toEqual(["Active", undefined, [why.code]]);
    expect([await world.token(userKey(0)), world.oauth.refreshes.count]).toEqual([why.code, 1]);
  });

  it("asks nobody while the system says that there is no network, and serves what still lasts", async () => {
    const world = await ended(1);
    world.storeActive(mazdaKey);
    world.system.online = false;
    expect([await world.token(userKey(0)), await world.token(mazdaKey), await world.token(mazdaKey, 5_000)]).toEqual([
      "network_offline",
      "access-old",
      "access-old",
    ]);
    expect(world.oauth.refreshes.count).toBe(0);
  });

  it("is over with the first answer", async () => {
    const world = await ended(1);
    const first = world.token(userKey(0));
    await settled();
    world.oauth.refreshes.last.answer({ kind: "refused-for-now", failure: portal });
    expect(await first).toBe("network_sign_in_needed");
    await world.clock.advance(5_000);
    const asked = world.token(userKey(0));
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect([await asked, world.gate.notices()]).toEqual(["access-new", []]);
  });
});

describe("a doubt what time it is", () => {
  it("is waited for before a token is served, for three seconds at most", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.timeDoubt = () => promise;
    const served: string[] = [];
    void world.token(mazdaKey).then((token) => served.push(token));
    await world.clock.advance(2_999);
    expect(served).toEqual([]);
    await world.clock.advance(1);
    expect(served).toEqual(["access-old"]);
    void world.token(mazdaKey).then((token) => served.push(token));
    resolve();
    await settled();
    expect(served).toHaveLength(2);
  });
});

it("forgets a back-off that was counted by a clock which has proved wrong since", async () => {
  const world = await createWorld();
  const yearMs = 365 * 24 * 60 * minuteMs;
  world.storeActive(mazdaKey, { obtainedAtMs: world.clock.nowMs() - 3 * yearMs, accessTokenExpiresAtMs: world.clock.nowMs() - 2 * yearMs });
  world.chance = 0.9;
  const asked = world.token(mazdaKey);
  await settled();
  world.oauth.refreshes.last.answer({ kind: "refused-for-now", failure: busy });
  expect([await asked, await world.token(mazdaKey), world.oauth.refreshes.count]).toEqual(["provider_busy", "provider_busy", 1]);
  world.clock.setBack(yearMs);
  const again = world.token(mazdaKey);
  await settled();
  world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
  expect([await again, world.oauth.refreshes.count]).toEqual(["access-new", 2]);
});
