import { describe, expect, it } from "vitest";
import { connectionId } from "../../shared/views.ts";
import { generationOf } from "./live-connection.ts";
import {
  attend,
  attentionOn,
  connected,
  dayMs,
  dead,
  end,
  hourMs,
  mend,
  momentMs,
  storeNotRenewable,
  users,
} from "./testing/attention-run.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs, webfleetKey } from "./testing/records.ts";
import { createWorld, valueOf } from "./testing/world.ts";

describe("a connection that has ended", () => {
  it("is told once, whatever is announced about it afterwards, and counted for as long as it lasts", async () => {
    const world = await connected(webfleetKey, mazdaKey);
    const { attention, notices, counts } = await attend(world);
    await end(world, webfleetKey);
    const live = valueOf(await world.connections.load(webfleetKey));
    for (let time = 0; time < 5; time += 1) {
      world.connections.announce(live);
      await world.clock.advance(dayMs);
    }
    expect(notices).toEqual([
      { connectionId: connectionId(webfleetKey), providerName: "Webfleet", user: webfleetKey.user, cause: "reconnect" },
    ]);
    expect([attention.count(), counts]).toEqual([1, [1]]);
    await mend(world, webfleetKey);
    expect([attention.count(), counts]).toEqual([0, [1, 0]]);
  });

  it("is not told again after a restart, but again once it was fine in between", async () => {
    const world = await connected(webfleetKey);
    const first = await attend(world);
    await end(world, webfleetKey);
    await world.clock.advance(momentMs);
    await first.attention.stop();
    const next = await world.restarted();
    const second = await attend(next);
    await next.clock.advance(dayMs);
    expect([first.told(), second.told(), second.attention.count()]).toEqual([[`${webfleetKey.user} reconnect`], [], 1]);
    await mend(next, webfleetKey);
    await end(next, webfleetKey);
    await next.clock.advance(momentMs);
    expect(second.told()).toEqual([`${webfleetKey.user} reconnect`]);
  });

  it("is found at the start and told, if nobody was told before", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: dead });
    world.storeActive(mazdaKey);
    world.vault.unreadable.add(connectionId(mazdaKey));
    const { told, counts } = await attend(world);
    await world.clock.advance(momentMs);
    expect([told().sort(), counts.at(-1)]).toEqual([[`${webfleetKey.user} reconnect`, `${mazdaKey.user} reconnect`].sort(), 2]);
  });

  it("that was mended while the app was away may be told anew later", async () => {
    const world = await connected(webfleetKey);
    const first = await attend(world);
    await end(world, webfleetKey);
    await world.clock.advance(momentMs);
    await first.attention.stop();
    world.storeActive(webfleetKey);
    const next = await world.restarted();
    const second = await attend(next);
    await end(next, webfleetKey);
    await next.clock.advance(momentMs);
    expect(second.told()).toEqual([`${webfleetKey.user} reconnect`]);
  });

  it("is not told when it is mended within a moment, nor after the end of the app", async () => {
    const world = await connected(webfleetKey, mazdaKey);
    const { attention, notices } = await attend(world);
    await end(world, webfleetKey);
    await mend(world, webfleetKey);
    await world.clock.advance(momentMs);
    await end(world, mazdaKey);
    await attention.stop();
    await world.clock.advance(dayMs);
    expect([notices, world.clock.waitsMs]).toEqual([[], []]);
  });

  it("is not told when the app ends while it starts", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: dead });
    const release = world.vault.hold("readSecret");
    const { attention, started, notices } = attentionOn(world);
    await attention.stop();
    release();
    await started;
    await world.clock.advance(dayMs);
    expect([notices, world.clock.waitsMs]).toEqual([[], []]);
  });

  it("is forgotten with the connection", async () => {
    const world = await connected(webfleetKey);
    const { attention, told } = await attend(world);
    await end(world, webfleetKey);
    await world.clock.advance(momentMs);
    valueOf(await world.revocation.forget(webfleetKey));
    expect([attention.count(), told()]).toEqual([0, [`${webfleetKey.user} reconnect`]]);
    expect(valueOf(await world.vault.readSecret("attention-told"))).toBe("{}");
  });
});

describe("a sign-in under way", () => {
  it("keeps the person from being told about what they are mending, also when it fails", async () => {
    const world = await connected(webfleetKey);
    const { attention, notices } = await attend(world);
    await end(world, webfleetKey);
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    await world.clock.advance(minuteMs);
    expect([notices, attention.count()]).toEqual([[], 1]);
    valueOf(world.connectFlow.cancel(webfleetKey));
    await world.clock.advance(dayMs);
    expect([notices, attention.count()]).toEqual([[], 1]);
  });

  it("that succeeds makes the connection fine", async () => {
    const world = await connected(webfleetKey);
    const { attention, told } = await attend(world);
    await end(world, webfleetKey);
    await world.clock.advance(momentMs);
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.callback.last.deliver();
    await settled();
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant() });
    await settled();
    expect(attention.count()).toBe(0);
    await end(world, webfleetKey);
    await world.clock.advance(momentMs);
    expect(told()).toHaveLength(2);
  });
});

describe("a grant that cannot be renewed", () => {
  it.each([
    ["three days before the end of a long one", 30 * dayMs, 3 * dayMs],
    ["a third of its life before the end", 3 * dayMs, dayMs],
    ["an hour before the end of a short one", 2.5 * hourMs, hourMs],
    ["half of its life before the end of one that is hardly longer", hourMs, hourMs / 2],
  ])("is told %s, and again when it has ended", async (_what, lifeMs, aheadMs) => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, lifeMs);
    const { attention, told } = await attend(world);
    await world.clock.advance(lifeMs - aheadMs - minuteMs);
    expect([told(), attention.count()]).toEqual([[], 0]);
    await world.clock.advance(minuteMs + momentMs);
    expect([told(), attention.count()]).toEqual([[`${mazdaKey.user} ends_soon`], 1]);
    await world.clock.advance(aheadMs + momentMs);
    expect([told(), attention.count()]).toEqual([[`${mazdaKey.user} ends_soon`, `${mazdaKey.user} reconnect`], 1]);
  });

  it("is told at the same time however often the app was started, and at once if that time has passed", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 9 * dayMs);
    await world.clock.advance(5 * dayMs);
    const first = await attend(world);
    await world.clock.advance(minuteMs);
    await first.attention.stop();
    await world.clock.advance(2 * dayMs);
    const second = await attend(await world.restarted());
    await world.clock.advance(momentMs);
    expect([first.told(), second.told()]).toEqual([[], [`${mazdaKey.user} ends_soon`]]);
  });

  it("has one timer with all the others", async () => {
    const world = await createWorld();
    for (const key of users(20)) storeNotRenewable(world, key, 9 * dayMs);
    await attend(world);
    expect(world.clock.waitsMs).toHaveLength(1);
  });

  it("is not told when it was signed in anew in time", async () => {
    const world = await createWorld();
    storeNotRenewable(world, mazdaKey, 9 * dayMs);
    const { notices } = await attend(world);
    await world.clock.advance(3 * dayMs);
    await mend(world, mazdaKey);
    await world.clock.advance(30 * dayMs);
    expect(notices).toEqual([]);
  });
});

describe("tokens that the disk has refused", () => {
  it("are told once, and once more when it happens again", async () => {
    const world = await connected(webfleetKey);
    const { attention, told } = await attend(world);
    const rotate = async (name: string) => {
      const live = valueOf(await world.connections.load(webfleetKey));
      const repair = world.vault.fail("commitConnection");
      valueOf(await world.connections.commitRotated(live, generationOf(live), world.newGrant(name)));
      await world.clock.advance(minuteMs);
      repair();
    };
    await rotate("one");
    expect([told(), attention.count()]).toEqual([[`${webfleetKey.user} not_saved`], 1]);
    await world.clock.advance(minuteMs);
    expect(attention.count()).toBe(0);
    await rotate("two");
    expect(told()).toHaveLength(2);
  });

  it("are told although what was told cannot be written down either", async () => {
    const world = await connected(webfleetKey);
    const { told } = await attend(world);
    world.vault.fail("saveSecret");
    await end(world, webfleetKey);
    await world.clock.advance(hourMs);
    expect(told()).toEqual([`${webfleetKey.user} reconnect`]);
  });
});

describe("quiet hours", () => {
  it("hold notices back, and at their end those that are still true are told", async () => {
    const world = await connected(webfleetKey, mazdaKey);
    const { attention, settings, day, told } = await attend(world);
    Object.assign(settings, { quietFrom: "22:00", quietTo: "07:00" });
    day.minutes = 23 * 60;
    await end(world, webfleetKey);
    await end(world, mazdaKey);
    await world.clock.advance(4 * hourMs);
    day.minutes = 3 * 60;
    await mend(world, mazdaKey);
    expect([told(), attention.count()]).toEqual([[], 1]);
    await world.clock.advance(4 * hourMs - minuteMs);
    expect(told()).toEqual([]);
    day.minutes = 7 * 60;
    await world.clock.advance(2 * minuteMs);
    expect(told()).toEqual([`${webfleetKey.user} reconnect`]);
  });

  it("that a person ends in the settings are over at once", async () => {
    const world = await connected(webfleetKey);
    const { attention, settings, told } = await attend(world);
    Object.assign(settings, { quietFrom: "08:00", quietTo: "20:00" });
    await end(world, webfleetKey);
    await world.clock.advance(hourMs);
    expect(told()).toEqual([]);
    Object.assign(settings, { quietFrom: "", quietTo: "" });
    attention.settingsChanged();
    expect(told()).toEqual([`${webfleetKey.user} reconnect`]);
  });

  it("that last over the end of the app do not lose what was held back", async () => {
    const world = await connected(webfleetKey);
    const first = await attend(world);
    Object.assign(first.settings, { quietFrom: "08:00", quietTo: "20:00" });
    await end(world, webfleetKey);
    await world.clock.advance(hourMs);
    await first.attention.stop();
    const second = await attend(await world.restarted());
    await world.clock.advance(momentMs);
    expect([first.told(), second.told()]).toEqual([[], [`${webfleetKey.user} reconnect`]]);
  });
});

describe("a muted user", () => {
  it("is counted and never told, until nobody mutes them any more", async () => {
    const world = await connected(webfleetKey, mazdaKey);
    const { attention, settings, told } = await attend(world);
    settings.mutedUsers = [webfleetKey.user];
    await end(world, webfleetKey);
    await end(world, mazdaKey);
    await world.clock.advance(dayMs);
    expect([told(), attention.count()]).toEqual([[`${mazdaKey.user} reconnect`], 2]);
    settings.mutedUsers = [];
    attention.settingsChanged();
    expect(told()).toEqual([`${mazdaKey.user} reconnect`, `${webfleetKey.user} reconnect`]);
  });
});

describe("many at once", () => {
  it("are told one by one up to three, and as one notice beyond", async () => {
    for (const count of [3, 4, 500]) {
      const keys = users(count);
      const world = await connected(...keys);
      const { notices } = await attend(world);
      for (const key of keys) await end(world, key);
      await world.clock.advance(momentMs);
      expect(notices.map(({ others }) => others)).toEqual(count === 3 ? [undefined, undefined, undefined] : [count - 1]);
      await world.clock.advance(dayMs);
      expect(notices).toHaveLength(count === 3 ? 3 : 1);
    }
  });

  it("that come one after the other make at most three notices and one in ten minutes", async () => {
    const keys = users(60);
    const world = await connected(...keys);
    const { notices, attention } = await attend(world);
    for (const key of keys) {
      await end(world, key);
      await world.clock.advance(10_000);
    }
    expect(notices.length).toBeLessThanOrEqual(5);
    await world.clock.advance(hourMs);
    expect([notices.reduce((sum, { others = 0 }) => sum + 1 + others, 0), attention.count()]).toEqual([60, 60]);
  });

  it("are told once each through a restart in the middle", async () => {
    const keys = users(10);
    const world = await connected(...keys);
    const first = await attend(world);
    for (const key of keys.slice(0, 6)) await end(world, key);
    await world.clock.advance(momentMs);
    await first.attention.stop();
    const next = await world.restarted();
    const second = await attend(next);
    for (const key of keys.slice(6)) await end(next, key);
    await next.clock.advance(hourMs);
    expect([first.notices.map(({ others }) => others), second.notices.map(({ others }) => others)]).toEqual([[5], [3]]);
  });

  it("begin with what has ended", async () => {
    const world = await connected(...users(3));
    storeNotRenewable(world, { ...mazdaKey, user: "aa" }, 9 * dayMs);
    await world.clock.advance(7 * dayMs);
    const { notices } = await attend(world);
    for (const key of users(3)) await end(world, key);
    await world.clock.advance(momentMs);
    expect(notices).toMatchObject([{ cause: "reconnect", others: 3 }]);
  });
});
