import { expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { RefreshScheduler } from "./refresh-scheduler.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs, registrationInput, webfleetKey } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";
import { tokenIdOf } from "./token-id.ts";

const unavailable = failure("provider_unreachable", { provider: "Mazda" });

async function started(world: World): Promise<RefreshScheduler> {
  const scheduler = new RefreshScheduler(world);
  await scheduler.start();
  return scheduler;
}

function deps(world: World) {
  const { connections, registrations, refresher, network, clock, random, isSaving, onObtained } = world;
  return { connections, registrations, refresher, network, clock, random, isSaving, onObtained };
}

/** One connection, its access token good for an hour, followed by a scheduler. */
async function followed() {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  return { world, scheduler: await started(world) };
}

it("sets one timer in all, for the connection that is due first", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  world.storeActive(webfleetKey, { accessTokenExpiresAtMs: world.clock.nowMs() + 30 * minuteMs });
  await started(world);
  await world.clock.advance(20 * minuteMs);
  expect(world.clock.waitsMs).toEqual([4 * minuteMs]);
});

it("refreshes when 80% of the token's life has passed, not before, and then follows the new token", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs - 1);
  expect(world.oauth.refreshes.count).toBe(0);
  await world.clock.advance(1);
  expect([world.oauth.refreshes.count, world.oauth.refreshes.last.input.grant.refreshToken]).toEqual([1, "refresh-old"]);
  world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
  await settled();
  await world.clock.advance(48 * minuteMs - 1);
  expect(world.oauth.refreshes.count).toBe(1);
  await world.clock.advance(1);
  expect([world.oauth.refreshes.count, world.oauth.refreshes.last.input.grant.refreshToken]).toEqual([2, "refresh-new"]);
});

it("tries again after each failure, waiting longer each time, until it works", async () => {
  const { world } = await followed();
  world.oauth.refreshes.answerAtOnce = () => ({ kind: "not-sent", failure: unavailable });
  await world.clock.advance(48 * minuteMs);
  world.chance = 0.5;
  const waits: number[] = [];
  for (let tried = 1; tried <= 4; tried += 1) {
    expect(world.oauth.refreshes.count).toBe(tried);
    const [waitMs = 0] = world.clock.waitsMs;
    waits.push(waitMs);
    await world.clock.advance(waitMs);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
});

it("follows a connection made later, and leaves out one that needs a person", async () => {
  const world = await createWorld();
  world.store(webfleetKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
  await started(world);
  expect(world.clock.waitsMs).toEqual([]);
  const live = valueOf(await world.connections.load(mazdaKey));
  valueOf(await world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant() }));
  await world.clock.advance(40 * minuteMs);
  expect(world.clock.waitsMs).toEqual([8 * minuteMs]);
  valueOf(await world.revocation.forget(mazdaKey));
  expect(world.clock.waitsMs).toEqual([]);
});

it("refreshes a token that ended while the app was not running, soon after the start", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  await world.clock.advance(600 * minuteMs);
  await started(world);
  await world.clock.advance(1_000);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("leaves a grant in doubt alone until shortly before its token ends", async () => {
  const world = await createWorld();
  world.store(mazdaKey, { kind: "Refreshing", grant: world.newGrant("old"), attempt: { attemptId: "a", startedAtMs: 0 } });
  await started(world);
  await world.clock.advance(60 * minuteMs - 30_001);
  expect(world.oauth.refreshes.count).toBe(0);
  await world.clock.advance(1);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("looks again every ten minutes, so that a long wait neither overflows a timer nor misses a changed clock", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey, { accessTokenExpiresAtMs: world.clock.nowMs() + 90 * 24 * 60 * minuteMs });
  await started(world);
  expect(world.clock.waitsMs).toEqual([10 * minuteMs]);
  await world.clock.advance(7 * 24 * 60 * minuteMs);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("does not lose a connection whose refresh could not even begin", async () => {
  const { world } = await followed();
  valueOf(await world.registrations.remove("mazda", "production"));
  await world.clock.advance(48 * minuteMs);
  expect([world.oauth.refreshes.count, world.clock.waitsMs]).toEqual([0, [minuteMs]]);
  valueOf(await world.registrations.save([registrationInput()]));
  await world.clock.advance(minuteMs);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("tries again when the disk refused to note a failure", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs);
  const repair = world.vault.fail("commitConnection");
  world.oauth.refreshes.last.answer({ kind: "not-sent", failure: unavailable });
  await settled();
  repair();
  await world.clock.advance(1_000);
  expect(world.oauth.refreshes.count).toBe(2);
});

it("does nothing after stop", async () => {
  const { world, scheduler } = await followed();
  scheduler.stop();
  expect(world.clock.waitsMs).toEqual([]);
  const live = valueOf(await world.connections.load(mazdaKey));
  valueOf(await world.connections.commit(live, 1, { kind: "Active", grant: world.newGrant() }));
  await world.clock.advance(120 * minuteMs);
  expect([world.clock.waitsMs, world.oauth.refreshes.count]).toEqual([[], 0]);
});

it("sets no timer when a refresh fails after stop", async () => {
  const { world, scheduler } = await followed();
  await world.clock.advance(48 * minuteMs);
  scheduler.stop();
  world.oauth.refreshes.last.answer({ kind: "not-sent", failure: unavailable });
  await settled();
  expect(world.clock.waitsMs).toEqual([]);
});

it("sends nothing in the background while the network is away, shows no connection as failing, and goes on when it is back", async () => {
  const { world } = await followed();
  world.network.start();
  world.system.reachable = false;
  world.network.resume();
  await world.clock.advance(59_000);
  world.system.online = false;
  await world.clock.advance(60 * minuteMs);
  expect([world.oauth.refreshes.count, (await world.view(mazdaKey)).state]).toEqual([0, "Active"]);
  world.system.reachable = true;
  world.system.become(true);
  await settled();
  await world.clock.advance(1_000);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("keeps a refresh that found no network due, without a back-off of its own", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs);
  world.system.reachable = false;
  world.oauth.refreshes.last.answer({ kind: "not-sent", failure: failure("network_offline") });
  await settled();
  expect((await world.view(mazdaKey)).state).toBe("Active");
  await world.clock.advance(50_000);
  expect(world.oauth.refreshes.count).toBe(1);
  world.system.reachable = true;
  await world.clock.advance(32_000);
  expect(world.oauth.refreshes.count).toBe(2);
});

it("spreads connections that are due together, none of them more than a twentieth sooner than planned", async () => {
  const world = await createWorld();
  const obtainedAtMs = world.clock.nowMs();
  let draw = 0;
  const keys = Array.from({ length: 100 }, (_, number) => ({ ...mazdaKey, user: `user-${number}` }));
  for (const key of keys) world.storeActive(key);
  const sentAtMs: number[] = [];
  world.oauth.refreshes.answerAtOnce = () => {
    sentAtMs.push(world.clock.nowMs() - obtainedAtMs);
    return { kind: "rotated", grant: world.newGrant(`new-${sentAtMs.length}`) };
  };
  const random = () => (draw++ % 100) / 100;
  await new RefreshScheduler({ ...deps(world), random }).start();
  await world.clock.advance(48 * minuteMs + 1_000);
  expect(sentAtMs).toHaveLength(100);
  expect(Math.min(...sentAtMs)).toBeGreaterThanOrEqual(48 * minuteMs * 0.95);
  const busiest = Math.max(...sentAtMs.map((atMs) => sentAtMs.filter((other) => other >= atMs && other < atMs + 1_000).length));
  expect(busiest).toBeLessThanOrEqual(3);
});

it("plans anew when the computer begins to save: only used connections are renewed, and later", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  world.storeActive(webfleetKey);
  const scheduler = await started(world);
  expect(await world.token(webfleetKey)).toBe("access-old");
  world.isSaving = () => true;
  scheduler.planAnew();
  await world.clock.advance(57 * minuteMs - 1);
  expect(world.oauth.refreshes.count).toBe(0);
  await world.clock.advance(30 * minuteMs);
  expect(world.oauth.refreshes.all.map(({ input }) => input.client.provider.id)).toEqual(["webfleet"]);
});

it("tells when each stored grant was obtained", async () => {
  const { world } = await followed();
  expect(world.obtained).toEqual([world.clock.nowMs()]);
});

it("reads the vault again when it could not be read at the start", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  const repair = world.vault.fail("listConnections");
  await started(world);
  await world.clock.advance(20 * minuteMs);
  repair();
  await world.clock.advance(30 * minuteMs);
  expect(world.oauth.refreshes.count).toBe(1);
});

it("keeps the provider's Retry-After although a sign-in came in between", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs);
  const busy = failure("provider_busy", { provider: "Mazda", status: 429 }, { retryAfterSeconds: 3600 });
  world.oauth.refreshes.last.answer({ kind: "refused-for-now", failure: busy });
  await settled();
  valueOf(await world.connectFlow.start(mazdaKey, undefined));
  valueOf(world.connectFlow.cancel(mazdaKey));
  await settled();
  await world.clock.advance(59 * minuteMs);
  expect(world.oauth.refreshes.count).toBe(1);
  await world.clock.advance(2 * minuteMs);
  expect(world.oauth.refreshes.count).toBe(2);
});

it("takes up a refresh whose end the disk refused while somebody was signing in", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs);
  valueOf(await world.connectFlow.start(mazdaKey, undefined));
  const repair = world.vault.fail("commitConnection");
  world.oauth.refreshes.last.answer({ kind: "not-sent", failure: unavailable });
  await settled();
  repair();
  valueOf(world.connectFlow.cancel(mazdaKey));
  await settled();
  await world.clock.advance(minuteMs);
  expect(world.oauth.refreshes.count).toBe(2);
});

it("finds out at once about a grant in doubt whose token the API has refused", async () => {
  const { world } = await followed();
  const before = valueOf(await world.broker.getToken(mazdaKey, 60));
  const reported = world.broker.tokenRejected(mazdaKey, tokenIdOf(before.grant), 60);
  await settled();
  world.oauth.refreshes.last.answer({ kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: "Mazda" }) });
  expect((await reported).ok).toBe(false);
  await world.clock.advance(2_000);
  expect(world.oauth.refreshes.count).toBe(2);
});
