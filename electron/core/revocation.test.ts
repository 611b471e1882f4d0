import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { connectionId } from "../../shared/views.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs, webfleetKey } from "./testing/records.ts";
import { codeOf, createWorld, valueOf, type World } from "./testing/world.ts";

const tryLater = { kind: "try-later", failure: failure("provider_unreachable", { provider: "Webfleet" }) } as const;

async function connected(): Promise<World> {
  const world = await createWorld();
  world.storeActive(webfleetKey);
  await world.token(webfleetKey);
  return world;
}

describe("Revoke", () => {
  it("tells the provider the refresh token and deletes the connection", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("ok");
    expect(world.oauth.revocations.last.input.refreshToken).toBe("refresh-old");
    const copiesEnd = `revoke.copies_end ${new Date(world.clock.nowMs() + 60 * minuteMs).toISOString()}`;
    expect([world.vault.connections.size, world.views.at(-1)?.state, world.ended]).toEqual([0, "Forgotten", [copiesEnd, "revoke ok"]]);
  });

  it("tells until when copies of the access token work, and shows it while the provider has not confirmed", async () => {
    const world = await connected();
    const copiesWorkUntilMs = world.clock.nowMs() + 60 * minuteMs;
    world.oauth.revocations.answerAtOnce = () => tryLater;
    await world.revocation.revoke(webfleetKey);
    expect(await world.view(webfleetKey)).toMatchObject({ state: "Revoking", accessTokenExpiresAtMs: copiesWorkUntilMs });
    expect(world.revocation.leftOf(webfleetKey)).toEqual({ copiesWorkUntilMs });
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    expect(valueOf(await world.revocation.revoke(webfleetKey))).toEqual({ copiesWorkUntilMs });
    const later = await connected();
    await later.clock.advance(61 * minuteMs);
    later.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    expect([valueOf(await later.revocation.revoke(webfleetKey)), later.ended]).toEqual([{}, ["revoke ok"]]);
  });

  it("writes one audit row about a provider that is away, however often it is asked", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => tryLater;
    await world.revocation.revoke(webfleetKey);
    await world.clock.advance(60 * minuteMs);
    expect(world.oauth.revocations.count).toBeGreaterThan(5);
    expect(world.ended.filter((row) => row === "revoke provider_unreachable")).toHaveLength(1);
  });

  it("stops serving at the click, before anybody has answered", async () => {
    const world = await connected();
    const release = world.vault.hold("commitConnection");
    void world.revocation.revoke(webfleetKey);
    await settled();
    expect(await world.token(webfleetKey)).toBe("not_connected");
    release();
    await settled();
    expect([world.oauth.revocations.count, await world.token(webfleetKey)]).toEqual([1, "not_connected"]);
  });

  it("stays pending while the provider cannot confirm, is tried again by itself, and then is done", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => tryLater;
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("revocation_pending");
    expect(await world.view(webfleetKey)).toMatchObject({ state: "Revoking", failure: { code: "revocation_pending" } });
    expect(world.clock.waitsMs).toHaveLength(1);
    await world.clock.advance(world.clock.waitsMs[0] ?? 0);
    expect([world.oauth.revocations.count, world.clock.waitsMs.length]).toEqual([2, 1]);
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    await world.clock.advance(world.clock.waitsMs[0] ?? 0);
    expect([world.vault.connections.size, world.views.at(-1)?.state, world.clock.waitsMs]).toEqual([0, "Forgotten", []]);
  });

  it("keeps one timer however often somebody clicks", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => tryLater;
    for (let clicked = 0; clicked < 3; clicked += 1) await world.revocation.revoke(webfleetKey);
    expect(world.clock.waitsMs).toHaveLength(1);
  });

  it("is resumed after a restart", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => tryLater;
    await world.revocation.revoke(webfleetKey);
    await world.revocation.shutDown();
    expect(world.clock.waitsMs).toEqual([]);
    const next = await world.restarted();
    next.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    await next.revocation.resume();
    expect([next.oauth.revocations.last.input.refreshToken, next.vault.connections.size]).toEqual(["refresh-old", 0]);
  });

  it("goes on serving when the disk refuses to note the revocation", async () => {
    const world = await connected();
    world.vault.fail("commitConnection");
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("vault_write_failed");
    expect([await world.token(webfleetKey), world.oauth.revocations.count]).toEqual(["access-old", 0]);
  });

  it("deletes the record later when the disk refuses just then", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const repair = world.vault.fail("deleteConnection");
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("vault_write_failed");
    repair();
    await world.clock.advance(minuteMs);
    expect(world.vault.connections.size).toBe(0);
  });

  it("waits for a refresh under way and revokes the token it brings", async () => {
    const world = await connected();
    await world.clock.advance(60 * minuteMs);
    const asked = world.token(webfleetKey);
    await settled();
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    expect([codeOf(await revoked), await asked]).toEqual(["ok", "not_connected"]);
    expect([world.oauth.revocations.last.input.refreshToken, world.vault.connections.size]).toEqual(["refresh-new", 0]);
  });

  it("does not wait for a refresh that waits for its turn, and that one is not sent", async () => {
    const world = await connected();
    await world.clock.advance(60 * minuteMs);
    const live = valueOf(await world.connections.load(webfleetKey));
    const lane = { provider: "webfleet", environment: "production", providerName: "Webfleet", maxRequestsPerSecond: undefined } as const;
    // All places are taken.
    const others = Array.from({ length: 20 }, () => world.gate.enter(lane, "background").pass);
    const refreshed = world.refresher.refresh(live, "background");
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("ok");
    for (const pass of others) void pass.then((other) => other.ok && other.value.done(undefined));
    await settled();
    await world.clock.advance(minuteMs);
    await refreshed;
    expect([world.oauth.revocations.last.input.refreshToken, world.oauth.refreshes.count]).toEqual(["refresh-old", 0]);
  });

  it("asks the provider once for two clicks, and answers both", async () => {
    const world = await connected();
    const clicks = [world.revocation.revoke(webfleetKey), world.revocation.revoke(webfleetKey)];
    await settled();
    world.oauth.revocations.last.answer({ kind: "done" });
    expect([(await Promise.all(clicks)).map(codeOf), world.oauth.revocations.count]).toEqual([["ok", "ok"], 1]);
  });

  it("is not served again because a Forget beside it could not be written", async () => {
    const world = await connected();
    await world.clock.advance(60 * minuteMs);
    const asked = world.token(webfleetKey);
    await settled();
    const revoked = world.revocation.revoke(webfleetKey);
    world.vault.fail("deleteConnection");
    expect(codeOf(await world.revocation.forget(webfleetKey))).toBe("vault_write_failed");
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    await settled();
    expect([await asked, await world.token(webfleetKey)]).toEqual(["not_connected", "not_connected"]);
    world.oauth.revocations.last.answer({ kind: "done" });
    expect(codeOf(await revoked)).toBe("vault_write_failed");
  });

  it("revokes what a sign-in brings that is being written where nobody was signed in any more", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.callback.last.deliver();
    await settled();
    const release = world.vault.hold("commitConnection");
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    release();
    expect(codeOf(await revoked)).toBe("ok");
    expect([world.oauth.revocations.last.input.refreshToken, world.vault.connections.size]).toEqual(["refresh-late", 0]);
  });

  it("says that nobody was told when the connection was forgotten while it waited", async () => {
    const world = await connected();
    await world.clock.advance(60 * minuteMs);
    void world.token(webfleetKey);
    await settled();
    const revoked = world.revocation.revoke(webfleetKey);
    valueOf(await world.revocation.forget(webfleetKey));
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect([codeOf(await revoked), world.oauth.revocations.count, world.vault.connections.size]).toEqual(["not_connected", 0, 0]);
  });

  it("that the app's end has cut off goes on at the next start", async () => {
    const world = await connected();
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    const closed = world.revocation.shutDown();
    world.oauth.revocations.last.answer(tryLater);
    await closed;
    expect(codeOf(await revoked)).toBe("revocation_pending");
    const next = await world.restarted();
    expect(await next.token(webfleetKey)).toBe("not_connected");
    next.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    await next.revocation.resume();
    expect(next.vault.connections.size).toBe(0);
  });

  it("lets no new refresh begin once it was asked for", async () => {
    const world = await connected();
    const live = valueOf(await world.connections.load(webfleetKey));
    const release = world.vault.hold("commitConnection");
    void world.revocation.revoke(webfleetKey);
    await settled();
    expect(await world.refresher.refresh(live, "caller")).toMatchObject({ code: "not_connected" });
    release();
    await settled();
    expect([world.oauth.refreshes.count, world.vault.stored(webfleetKey)?.state.kind]).toEqual([0, "Revoking"]);
  });

  it("wins against a sign-in whose tokens arrive later", async () => {
    const world = await connected();
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.callback.last.deliver();
    await settled();
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    world.oauth.revocations.all[0]?.answer({ kind: "done" });
    expect(codeOf(await revoked)).toBe("ok");
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
    expect(world.oauth.revocations.all.map(({ input }) => input.refreshToken)).toEqual(["refresh-old", "refresh-late"]);
  });

  it("leaves alone what comes for a sign-in that a person has cancelled: the former grant might end with it", async () => {
    const world = await connected();
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.callback.last.deliver();
    await settled();
    valueOf(world.connectFlow.cancel(webfleetKey));
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    expect([world.oauth.revocations.count, await world.token(webfleetKey)]).toEqual([0, "access-old"]);
  });

  it("wins against a sign-in that is being written, and revokes what that one brought", async () => {
    const world = await connected();
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.callback.last.deliver();
    await settled();
    const release = world.vault.hold("commitConnection");
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    release();
    expect(codeOf(await revoked)).toBe("ok");
    expect([world.oauth.revocations.last.input.refreshToken, world.vault.connections.size]).toEqual(["refresh-late", 0]);
  });

  it("needs no provider for a connection that has no grant any more", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("ok");
    expect([world.oauth.revocations.count, world.vault.connections.size]).toEqual([0, 0]);
  });

  it("is refused where the provider offers none, and where nothing is connected", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    expect(codeOf(await world.revocation.revoke(mazdaKey))).toBe("revocation_unsupported");
    expect(codeOf(await world.revocation.revoke(webfleetKey))).toBe("not_connected");
    expect(await world.token(mazdaKey)).toBe("access-old");
  });
});

describe("Forget", () => {
  it("deletes the connection here and does not speak with the provider", async () => {
    const world = await connected();
    expect(codeOf(await world.revocation.forget(webfleetKey))).toBe("ok");
    expect([world.vault.connections.size, world.oauth.revocations.count, world.ended]).toEqual([0, 0, ["forget ok"]]);
    expect(await world.token(webfleetKey)).toBe("not_connected");
  });

  it("removes the row of a sign-in that never succeeded", async () => {
    const world = await createWorld();
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    world.connectFlow.cancel(mazdaKey);
    await settled();
    expect(valueOf(await world.connections.list())).toHaveLength(1);
    expect(codeOf(await world.revocation.forget(mazdaKey))).toBe("ok");
    expect(valueOf(await world.connections.list())).toEqual([]);
  });

  it("removes a record that cannot be read", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    world.vault.unreadable.add(connectionId(mazdaKey));
    expect(codeOf(await world.revocation.forget(mazdaKey))).toBe("ok");
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
  });

  it("goes on serving when the disk refuses", async () => {
    const world = await connected();
    world.vault.fail("deleteConnection");
    expect(codeOf(await world.revocation.forget(webfleetKey))).toBe("vault_write_failed");
    expect(await world.token(webfleetKey)).toBe("access-old");
  });

  it("ends a pending revocation and its timer", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => tryLater;
    await world.revocation.revoke(webfleetKey);
    valueOf(await world.revocation.forget(webfleetKey));
    expect([world.vault.connections.size, world.clock.waitsMs]).toEqual([0, []]);
  });
});
