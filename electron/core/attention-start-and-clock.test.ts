import { describe, expect, it } from "vitest";
import { attend, connected, dayMs, dead, end, hourMs, momentMs, storeNotRenewable, users } from "./testing/attention-run.ts";
import { mazdaKey, minuteMs, webfleetKey } from "./testing/records.ts";
import { createWorld } from "./testing/world.ts";

describe("a vault that cannot be read at the start", () => {
  it("is read again until it can be, and what was ended by then is told", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: dead });
    const endsAtMs = storeNotRenewable(world, mazdaKey, 9 * dayMs);
    const repair = world.vault.fail("listConnections");
    const { attention, told } = await attend(world);
    await world.clock.advance(hourMs);
    expect([told(), attention.count()]).toEqual([[], 0]);
    repair();
    await world.clock.advance(2 * minuteMs);
    expect([told(), attention.count()]).toEqual([[`${webfleetKey.user} reconnect`], 1]);
    await world.clock.advance(endsAtMs - world.clock.nowMs() + momentMs);
    expect(told()).toEqual([`${webfleetKey.user} reconnect`, `${mazdaKey.user} ends_soon`, `${mazdaKey.user} reconnect`]);
  });

  it("for single connections loses neither these nor what was told about them", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 9 * dayMs);
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: dead });
    await world.clock.advance(8 * dayMs);
    const first = await attend(world);
    await world.clock.advance(momentMs);
    await first.attention.stop();
    const next = await world.restarted();
    const repair = next.vault.fail("readConnection");
    const second = await attend(next);
    await next.clock.advance(5 * minuteMs);
    // The list tells as much.
    expect(second.attention.count()).toBe(1);
    repair();
    await next.clock.advance(2 * minuteMs);
    expect([first.told().length, second.told(), second.attention.count()]).toEqual([2, [], 2]);
  });

  it("is not read any more after the end of the app", async () => {
    const world = await connected(webfleetKey);
    world.vault.fail("listConnections");
    const { attention } = await attend(world);
    await attention.stop();
    expect(world.clock.waitsMs).toEqual([]);
  });
});

describe("a clock that was days fast and is set right", () => {
  it("while notices are gathered delays neither this one nor later ones", async () => {
    const world = await connected(webfleetKey, mazdaKey);
    const { told } = await attend(world);
    await end(world, webfleetKey);
    world.clock.setBack(10 * dayMs);
    await world.clock.advance(momentMs);
    expect(told()).toEqual([`${webfleetKey.user} reconnect`]);
    await end(world, mazdaKey);
    await world.clock.advance(momentMs);
    expect(told()).toEqual([`${webfleetKey.user} reconnect`, `${mazdaKey.user} reconnect`]);
  });

  it("ends the silence after a notice about many, and counts no earlier notice against later ones", async () => {
    const keys = users(8);
    const world = await connected(...keys);
    const { notices } = await attend(world);
    for (const key of keys.slice(0, 4)) await end(world, key);
    await world.clock.advance(momentMs);
    world.clock.setBack(10 * dayMs);
    for (const key of keys.slice(4, 7)) await end(world, key);
    await world.clock.advance(momentMs);
    expect(notices.map(({ others }) => others)).toEqual([3, undefined, undefined, undefined]);
    world.clock.setBack(10 * dayMs);
    for (const key of keys.slice(7)) await end(world, key);
    await world.clock.advance(momentMs);
    expect(notices).toHaveLength(5);
  });

  it("gives a grant that only seemed to end its time back, and tells of its end anew", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 9 * dayMs);
    await world.clock.advance(10 * dayMs);
    const { attention, told, counts } = await attend(world);
    await world.clock.advance(momentMs);
    expect([told(), attention.count()]).toEqual([[`${mazdaKey.user} reconnect`], 1]);
    world.clock.setBack(10 * dayMs);
    attention.planAnew();
    expect([attention.count(), counts]).toEqual([0, [1, 0]]);
    await world.clock.advance(9 * dayMs + momentMs);
    expect(told()).toEqual([`${mazdaKey.user} reconnect`, `${mazdaKey.user} ends_soon`, `${mazdaKey.user} reconnect`]);
  });

  it("is noticed within an hour where nobody says so", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 12 * dayMs);
    await world.clock.advance(10 * dayMs);
    const { attention } = await attend(world);
    await world.clock.advance(momentMs);
    expect(attention.count()).toBe(1);
    world.clock.setBack(10 * dayMs);
    await world.clock.advance(hourMs);
    expect(attention.count()).toBe(0);
  });
});

describe("a clock that was days slow and is set right", () => {
  it("tells at once what has ended meanwhile, and nothing after the end of the app", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 9 * dayMs);
    const { attention, told } = await attend(world);
    world.clock.setBack(-10 * dayMs);
    attention.planAnew();
    await world.clock.advance(momentMs);
    expect(told()).toEqual([`${mazdaKey.user} reconnect`]);
    await attention.stop();
    attention.planAnew();
    expect(world.clock.waitsMs).toEqual([]);
  });
});
