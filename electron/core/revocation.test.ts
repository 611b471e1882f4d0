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
    expect([world.vault.connections.size, world.views.at(-1)?.state, world.ended]).toEqual([0, "Forgotten", ["revoke ok"]]);
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
    expect(world.clock.waitsMs).toEqual([1_000]);
    await world.clock.advance(1_000);
    expect([world.oauth.revocations.count, world.clock.waitsMs]).toEqual([2, [2_000]]);
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    await world.clock.advance(2_000);
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
    world.revocation.shutDown();
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

  it("lets no new refresh begin once it was asked for", async () => {
    const world = await connected();
    const live = valueOf(await world.connections.load(webfleetKey));
    const release = world.vault.hold("commitConnection");
    void world.revocation.revoke(webfleetKey);
    await settled();
    expect(await world.broker.refresh(live)).toMatchObject({ code: "not_connected" });
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
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    world.oauth.revocations.last.answer({ kind: "done" });
    expect(codeOf(await revoked)).toBe("ok");
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
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
