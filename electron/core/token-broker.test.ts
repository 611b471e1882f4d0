import { describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";

const unavailable = failure("provider_unreachable", { provider: "Mazda" });
const inDoubtAttempt = { attemptId: "a", startedAtMs: 0 };

/** An Active connection whose access token has `leftSeconds` to live. */
async function connected(leftSeconds = 3600): Promise<World> {
  const world = await createWorld();
  const nowMs = world.clock.nowMs();
  world.storeActive(mazdaKey, { obtainedAtMs: nowMs - 60 * minuteMs, accessTokenExpiresAtMs: nowMs + leftSeconds * 1000 });
  return world;
}

/** Asks for a token, lets the provider give `outcome`, and tells what was served. */
async function tokenAfter(world: World, outcome: Parameters<World["oauth"]["refreshes"]["last"]["answer"]>[0]): Promise<string> {
  const token = world.token(mazdaKey);
  await settled();
  world.oauth.refreshes.last.answer(outcome);
  return token;
}

describe("a token that is fresh enough", () => {
  it("is served from memory, without the vault or the provider", async () => {
    const world = await connected();
    await world.token(mazdaKey);
    world.vault.calls.length = 0;
    expect(await world.token(mazdaKey)).toBe("access-old");
    expect([world.vault.calls, world.oauth.refreshes.count]).toEqual([[], 0]);
  });

  it("is renewed when the program asks for more time than it has left", async () => {
    const world = await connected(120);
    expect(await world.token(mazdaKey, 120)).toBe("access-old");
    const asked = world.token(mazdaKey, 121);
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(await asked).toBe("access-new");
  });
});

describe("a refresh", () => {
  it("happens once for a hundred simultaneous requests", async () => {
    const world = await connected(0);
    const asked = Array.from({ length: 100 }, () => world.token(mazdaKey));
    await settled();
    expect(world.oauth.refreshes.count).toBe(1);
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["access-new"]));
    expect(world.oauth.refreshes.count).toBe(1);
  });

  it("is committed as Refreshing before its request leaves", async () => {
    const world = await connected(0);
    const release = world.vault.hold("commitConnection");
    const asked = world.token(mazdaKey);
    await settled();
    expect([world.vault.stored(mazdaKey)?.state.kind, world.oauth.refreshes.count]).toEqual(["Refreshing", 0]);
    release();
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(await asked).toBe("access-new");
  });

  it("answers nobody before the rotated token is committed", async () => {
    const world = await connected(0);
    const answers: string[] = [];
    const asked = [1, 2].map(() => world.token(mazdaKey).then((token) => answers.push(token)));
    await settled();
    const release = world.vault.hold("commitConnection");
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    await settled();
    asked.push(world.token(mazdaKey).then((token) => answers.push(token)));
    await settled();
    expect(answers).toEqual([]);
    release();
    await Promise.all(asked);
    expect(answers).toEqual(["access-new", "access-new", "access-new"]);
    expect(world.vault.stored(mazdaKey)?.state).toMatchObject({ kind: "Active", grant: { refreshToken: "refresh-new" } });
  });

  it("sends nothing when the disk refuses to note that it begins", async () => {
    const world = await connected(0);
    world.vault.fail("commitConnection");
    expect([await world.token(mazdaKey), world.oauth.refreshes.count]).toEqual(["vault_write_failed", 0]);
  });

  it("serves the rotated token even when the disk refuses it", async () => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    world.vault.fail("commitConnection");
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(await asked).toBe("access-new");
  });

  it("serves the old token while it lasts when there is no registration, and names that when it does not", async () => {
    const world = await connected(30);
    valueOf(await world.registrations.remove("mazda", "production"));
    expect(await world.token(mazdaKey)).toBe("access-old");
    await world.clock.advance(30_000);
    expect([await world.token(mazdaKey), world.oauth.refreshes.count]).toEqual(["registration_missing", 0]);
  });

  it("is not tried without a refresh token: the token is served to its end, then a sign-in is needed", async () => {
    const world = await createWorld();
    const { refreshToken: _none, ...grant } = world.newGrant("only", { accessTokenExpiresAtMs: world.clock.nowMs() + 30_000 });
    world.store(mazdaKey, { kind: "Active", grant });
    expect([await world.token(mazdaKey), (await world.view(mazdaKey)).state]).toEqual(["access-only", "Active"]);
    await world.clock.advance(30_000);
    expect([await world.token(mazdaKey), (await world.view(mazdaKey)).state]).toEqual(["grant_not_renewable", "ReconnectRequired"]);
    expect(world.oauth.refreshes.count).toBe(0);
  });

  it("tells the audit log how it ended", async () => {
    const world = await connected(0);
    await tokenAfter(world, { kind: "rotated", grant: world.newGrant("second", { accessTokenExpiresAtMs: world.clock.nowMs() }) });
    await tokenAfter(world, { kind: "not-sent", failure: unavailable });
    expect(world.ended).toEqual(["refresh ok", "refresh provider_unreachable"]);
  });

  it("is not caused again and again by a program that asks for more than a token can last", async () => {
    const world = await createWorld();
    const hour = { obtainedAtMs: world.clock.nowMs(), accessTokenExpiresAtMs: world.clock.nowMs() + 3_600_000 };
    world.store(mazdaKey, { kind: "Active", grant: world.newGrant("hour", hour) });
    expect(await world.token(mazdaKey, 86_400)).toBe("access-hour");
    expect(world.oauth.refreshes.count).toBe(0);
  });

  it("that fails in an unforeseen way leaves a doubt, not a connection that refreshes for ever", async () => {
    const world = await connected(0);
    vi.spyOn(world.oauth, "refresh").mockRejectedValueOnce(new Error("a bug"));
    expect(await world.token(mazdaKey)).toBe("refresh_ambiguous");
    expect(world.vault.stored(mazdaKey)?.state.kind).toBe("InDoubt");
  });

  it("is waited for when the app ends, so that its answer is not lost", async () => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    const down = world.refresher.shutDown();
    expect(world.oauth.refreshes.last.input.signal.aborted).toBe(false);
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    await down;
    expect(world.vault.stored(mazdaKey)?.state.kind).toBe("Active");
    expect(await asked).toBe("access-new");
  });

  it("is ended when the provider takes longer than a person who quits would wait, and its doubt is written", async () => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    const down = world.refresher.shutDown();
    await world.clock.advance(1_500);
    expect(world.oauth.refreshes.last.input.signal.aborted).toBe(true);
    world.oauth.refreshes.last.answer({ kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: "Mazda" }) });
    await down;
    expect(world.vault.stored(mazdaKey)?.state.kind).toBe("InDoubt");
    expect(await asked).toBe("refresh_ambiguous");
  });
});

describe("a dead grant", () => {
  it("ends in ReconnectRequired with the provider's reason, and the provider is not asked again", async () => {
    const world = await connected(0);
    expect(await tokenAfter(world, { kind: "rejected", failure: failure("grant_dead", { provider: "Mazda" }) })).toBe("grant_dead");
    expect(world.vault.stored(mazdaKey)?.state).toMatchObject({ kind: "ReconnectRequired", failure: { code: "grant_dead" } });
    expect([await world.token(mazdaKey), world.oauth.refreshes.count]).toEqual(["grant_dead", 1]);
  });

  it("is not served although its access token would last", async () => {
    const world = await connected(30);
    expect(await tokenAfter(world, { kind: "rejected", failure: failure("grant_dead", { provider: "Mazda" }) })).toBe("grant_dead");
  });
});

describe("a provider that cannot renew right now", () => {
  it.each(["refused-for-now", "not-sent", "ambiguous"] as const)("keeps the user connected and serves what lasts: %s", async (kind) => {
    const world = await connected(50);
    expect(await tokenAfter(world, { kind, failure: unavailable })).toBe("access-old");
    const stored = world.vault.stored(mazdaKey)?.state;
    expect(stored).toMatchObject({ kind: kind === "ambiguous" ? "InDoubt" : "Active", grant: { refreshToken: "refresh-old" } });
    expect((await world.view(mazdaKey)).state).toBe(kind === "ambiguous" ? "InDoubt" : "Retrying");
  });

  it("is not asked again by programs during the back-off, and they are told how long", async () => {
    const world = await connected(0);
    expect(
      await tokenAfter(world, { kind: "refused-for-now", failure: failure("provider_unreachable", {}, { retryAfterSeconds: 20 }) }),
    ).toBe("provider_unreachable");
    await world.clock.advance(5_000);
    const early = await world.broker.getToken(mazdaKey, 60);
    expect(early).toMatchObject({ ok: false, error: { code: "provider_unreachable", retryAfterSeconds: 15 } });
    expect(world.oauth.refreshes.count).toBe(1);
    await world.clock.advance(15_000);
    expect(await tokenAfter(world, { kind: "rotated", grant: world.newGrant() })).toBe("access-new");
  });

  it("is waited for longer after each failure in a row, and shortly again after a success", async () => {
    const world = await connected(0);
    world.chance = 0.5;
    const waits: number[] = [];
    for (let tried = 1; tried <= 4; tried += 1) {
      await tokenAfter(world, { kind: "not-sent", failure: unavailable });
      const { overlay } = valueOf(await world.connections.load(mazdaKey));
      if (overlay?.kind === "Retrying") waits.push(overlay.nextTryAtMs - world.clock.nowMs());
      await world.clock.advance(10_000);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
    await tokenAfter(world, { kind: "rotated", grant: world.newGrant() });
    expect((await world.view(mazdaKey)).state).toBe("Active");
    await world.clock.advance(60 * minuteMs);
    await tokenAfter(world, { kind: "not-sent", failure: unavailable });
    expect(valueOf(await world.connections.load(mazdaKey)).overlay).toMatchObject({ failures: 1 });
  });

  it("is not hammered when the disk refuses to note the failure", async () => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    world.vault.fail("commitConnection");
    world.oauth.refreshes.last.answer({ kind: "not-sent", failure: unavailable });
    expect(await asked).toBe("provider_unreachable");
    expect([await world.token(mazdaKey), world.oauth.refreshes.count]).toEqual(["provider_unreachable", 1]);
  });
});

describe("a grant in doubt", () => {
  async function inDoubt(leftSeconds: number): Promise<World> {
    const world = await createWorld();
    const obtainedAtMs = world.clock.nowMs() - 60 * minuteMs;
    const grant = world.newGrant("old", { obtainedAtMs, accessTokenExpiresAtMs: world.clock.nowMs() + leftSeconds * 1000 });
    world.store(mazdaKey, { kind: "InDoubt", grant, attempt: inDoubtAttempt });
    return world;
  }

  it("stays in doubt when the provider only refuses for now", async () => {
    const world = await inDoubt(20);
    await tokenAfter(world, { kind: "refused-for-now", failure: unavailable });
    expect(world.vault.stored(mazdaKey)?.state).toMatchObject({ kind: "InDoubt", attempt: inDoubtAttempt });
  });

  it("is not tried again while its access token lasts, whatever a program asks for", async () => {
    const world = await inDoubt(600);
    expect(await world.token(mazdaKey, 3_000)).toBe("access-old");
    expect(world.oauth.refreshes.count).toBe(0);
  });

  it("is tried once more shortly before the end, and becomes Active when that works", async () => {
    const world = await inDoubt(30);
    expect(await tokenAfter(world, { kind: "rotated", grant: world.newGrant() })).toBe("access-new");
    expect((await world.view(mazdaKey)).state).toBe("Active");
  });

  it("needs a new sign-in when the provider says then that it is dead", async () => {
    const world = await inDoubt(20);
    await tokenAfter(world, { kind: "rejected", failure: failure("grant_dead", { provider: "Mazda" }) });
    expect((await world.view(mazdaKey)).state).toBe("ReconnectRequired");
  });
});

describe("a request while the connection is written by somebody else", () => {
  it("is answered for the connection as it is then, not with a conflict", async () => {
    const world = await connected(0);
    const release = world.vault.hold("readRegistration");
    const asked = world.token(mazdaKey);
    await settled();
    valueOf(await world.revocation.forget(mazdaKey));
    release();
    expect(await asked).toBe("not_connected");
    expect(world.oauth.refreshes.count).toBe(0);
  });
});

describe("a late answer", () => {
  it("changes nothing after the connection was forgotten", async () => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    valueOf(await world.revocation.forget(mazdaKey));
    const announced = world.views.length;
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(await asked).toBe("connect_superseded");
    expect([world.vault.connections.size, world.views.length]).toEqual([0, announced]);
  });

  it.each(["rotated", "rejected"] as const)("changes nothing after a reconnect: %s", async (kind) => {
    const world = await connected(0);
    const asked = world.token(mazdaKey);
    await settled();
    const live = valueOf(await world.connections.load(mazdaKey));
    valueOf(await world.connections.commit(live, 2, { kind: "Active", grant: world.newGrant("reconnected") }));
    world.oauth.refreshes.last.answer(
      kind === "rotated" ? { kind, grant: world.newGrant("late") } : { kind, failure: failure("grant_dead", { provider: "Mazda" }) },
    );
    expect(await asked).toBe("access-reconnected");
    expect(world.vault.stored(mazdaKey)).toMatchObject({ generation: 3, state: { grant: { accessToken: "access-reconnected" } } });
  });
});

it("tells a program that nobody connected this user", async () => {
  const world = await createWorld();
  expect(await world.token(mazdaKey)).toBe("not_connected");
});

describe("a refresh that fails during a sign-in", () => {
  it("leaves the row to the sign-in, and still keeps programs from asking the provider again at once", async () => {
    const world = await connected(0);
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    await tokenAfter(world, { kind: "refused-for-now", failure: { ...unavailable, retryAfterSeconds: 120 } });
    expect((await world.view(mazdaKey)).state).toBe("Connecting");
    await world.clock.advance(60_000);
    expect(await world.token(mazdaKey)).toBe("provider_unreachable");
    expect(world.oauth.refreshes.count).toBe(1);
  });
});

describe("a refresh that is refused for now", () => {
  it("is never told as Active in between", async () => {
    const world = await connected(0);
    await tokenAfter(world, { kind: "refused-for-now", failure: unavailable });
    expect(world.views.map(({ state }) => state)).toEqual(["Refreshing", "Retrying"]);
  });
});
