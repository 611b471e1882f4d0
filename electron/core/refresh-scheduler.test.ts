import { expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { RefreshScheduler } from "./refresh-scheduler.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs, registrationInput, webfleetKey } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";

const unavailable = failure("provider_unreachable", { provider: "Mazda" });

async function started(world: World): Promise<RefreshScheduler> {
  const scheduler = new RefreshScheduler(world);
  await scheduler.start();
  return scheduler;
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
  expect(world.clock.waitsMs).toEqual([24 * minuteMs]);
});

it("refreshes when 80% of the token's life has passed, not before, and then follows the new token", async () => {
  const { world } = await followed();
  await world.clock.advance(48 * minuteMs - 1);
  expect(world.oauth.refreshes.count).toBe(0);
  await world.clock.advance(1);
  expect([world.oauth.refreshes.count, world.oauth.refreshes.last.input.grant.refreshToken]).toEqual([1, "refresh-old"]);
  world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
  await settled();
  expect(world.clock.waitsMs).toEqual([48 * minuteMs]);
});

it("tries again after each failure, waiting longer each time, until it works", async () => {
  const { world } = await followed();
  world.oauth.refreshes.answerAtOnce = () => ({ kind: "not-sent", failure: unavailable });
  await world.clock.advance(48 * minuteMs);
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
  expect(world.clock.waitsMs).toEqual([48 * minuteMs]);
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

it("looks again at least hourly, so that a long wait neither overflows a timer nor misses a changed clock", async () => {
  const world = await createWorld();
  world.storeActive(mazdaKey, { accessTokenExpiresAtMs: world.clock.nowMs() + 90 * 24 * 60 * minuteMs });
  await started(world);
  expect(world.clock.waitsMs).toEqual([60 * minuteMs]);
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
