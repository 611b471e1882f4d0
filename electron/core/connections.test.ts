import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { connectionId } from "../../shared/views.ts";
import { mazdaKey, webfleetKey } from "./testing/records.ts";
import { codeOf, createWorld, valueOf, type World } from "./testing/world.ts";

const attempt = { attemptId: "a", startedAtMs: 0 };

async function loaded(world: World) {
  return valueOf(await world.connections.load(mazdaKey));
}

describe("two that remove the same connection at once", () => {
  it("leave one object for what comes next, which can be written", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const live = await loaded(world);
    const release = world.vault.hold("deleteConnection");
    const first = world.connections.remove(live);
    const second = world.connections.remove(live);
    release();
    valueOf(await first);
    const next = await loaded(world);
    valueOf(await second);
    expect(await loaded(world)).toBe(next);
    valueOf(await world.connections.commit(next, 0, { kind: "Active", grant: world.newGrant("new") }));
    expect(await loaded(world)).toBe(next);
    valueOf(await world.connections.commit(next, 1, { kind: "Active", grant: world.newGrant("newer") }));
    valueOf(await world.connections.remove(live));
    expect(world.vault.stored(mazdaKey)?.generation).toBe(2);
  });

  it("leave the removed one unable to write beside it", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const live = await loaded(world);
    valueOf(await world.connections.remove(live));
    await loaded(world);
    expect(codeOf(await world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant("late") }))).toBe("vault_conflict");
    expect(world.vault.stored(mazdaKey)).toBeUndefined();
  });
});

describe("committing", () => {
  it("raises the generation by one and keeps organisation and connection time", async () => {
    const world = await createWorld();
    const live = await loaded(world);
    const connectedAtMs = world.clock.nowMs();
    valueOf(await world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant("a") }, { organisation: "10030/MMD" }));
    await world.clock.advance(1_000);
    valueOf(await world.connections.commit(live, 1, { kind: "Active", grant: world.newGrant("b") }));
    expect(world.vault.stored(mazdaKey)).toMatchObject({ generation: 2, organisation: "10030/MMD", connectedAtMs });
    expect(live.record).toEqual(world.vault.stored(mazdaKey));
  });

  it("refuses a decision made on an older generation and writes nothing", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const live = await loaded(world);
    const late = await world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant("late") });
    expect([codeOf(late), world.vault.calls.includes("commitConnection")]).toEqual(["vault_conflict", false]);
  });

  it("lets one of two simultaneous commits win and leaves memory as the vault is", async () => {
    const world = await createWorld();
    const live = await loaded(world);
    const both = await Promise.all(
      ["a", "b"].map((name) => world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant(name) })),
    );
    expect(both.map(codeOf)).toEqual(["ok", "vault_conflict"]);
    expect(live.record).toEqual(world.vault.stored(mazdaKey));
  });

  it("changes and announces nothing when the disk refuses", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const live = await loaded(world);
    const before = live.record;
    world.vault.fail("commitConnection");
    expect(codeOf(await world.connections.commit(live, 1, { kind: "ReconnectRequired", failure: failure("grant_dead") }))).toBe(
      "vault_write_failed",
    );
    expect([live.record, world.views]).toEqual([before, []]);
  });

  it("stores the key's own fields only, even when a whole view was used as the key", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const [view] = valueOf(await world.connections.list());
    const live = valueOf(await world.connections.load(view ?? mazdaKey));
    expect(live.key).toEqual(mazdaKey);
  });
});

describe("loading", () => {
  it("reads the vault once for simultaneous requests and gives all the same connection", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const [first, second] = await Promise.all([loaded(world), loaded(world)]);
    expect(first).toBe(second);
    expect(world.vault.calls.filter((call) => call === "readConnection")).toHaveLength(1);
  });

  it("tries again after the vault failed", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const repair = world.vault.fail("readConnection");
    expect(codeOf(await world.connections.load(mazdaKey))).toBe("vault_write_failed");
    repair();
    expect((await loaded(world)).record?.state.kind).toBe("Active");
  });

  it("turns a refresh that was under way when the app ended into InDoubt, in the list as well", async () => {
    const world = await createWorld();
    world.store(mazdaKey, { kind: "Refreshing", grant: world.newGrant("old"), attempt });
    const listed = valueOf(await world.connections.list());
    const live = await loaded(world);
    expect(listed).toMatchObject([{ state: "InDoubt", failure: { code: "refresh_ambiguous" } }]);
    expect(live.record?.state).toEqual({ kind: "InDoubt", grant: world.newGrant("old"), attempt });
    expect(world.connections.view(live)).toMatchObject({ state: "InDoubt", failure: { code: "refresh_ambiguous" } });
  });

  it("shows a record that cannot be trusted as not connected, with the reason, and lets a new sign-in replace it", async () => {
    const world = await createWorld();
    world.vault.unreadable.add(connectionId(mazdaKey));
    const live = await loaded(world);
    expect(await world.view(mazdaKey)).toMatchObject({ state: "ReconnectRequired", failure: { code: "grant_unreadable" } });
    expect(await world.token(mazdaKey)).toBe("grant_unreadable");
    valueOf(await world.connections.commit(live, 0, { kind: "Active", grant: world.newGrant("again") }));
    expect(await world.token(mazdaKey)).toBe("access-again");
  });
});

describe("a rotated grant that the disk refuses", () => {
  async function refused() {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const live = await loaded(world);
    const repair = world.vault.fail("commitConnection");
    valueOf(await world.connections.commitRotated(live, 1, world.newGrant("rotated")));
    return { world, live, repair };
  }

  it("is served from memory while the view says what is wrong", async () => {
    const { world } = await refused();
    expect(await world.token(mazdaKey)).toBe("access-rotated");
    expect(await world.view(mazdaKey)).toMatchObject({ state: "Active", failure: { code: "vault_write_failed" } });
  });

  it("is written as soon as the disk accepts it, and then the view is clean", async () => {
    const { world, live, repair } = await refused();
    await world.clock.advance(10_000);
    expect(world.vault.stored(mazdaKey)?.generation).toBe(1);
    repair();
    await world.clock.advance(3_000);
    expect(world.vault.stored(mazdaKey)).toEqual(live.record);
    expect((await world.view(mazdaKey)).failure).toBeUndefined();
    expect(world.clock.waitsMs).toEqual([]);
  });

  it("is written when the app ends, if the disk accepts it by then", async () => {
    const { world, live, repair } = await refused();
    expect(await world.connections.flush()).toMatchObject([{ code: "vault_write_failed" }]);
    repair();
    expect(await world.connections.flush()).toEqual([]);
    expect(world.vault.stored(mazdaKey)).toEqual(live.record);
  });

  it("is written before the next state, which so does not have to wait for the timer", async () => {
    const { world, live, repair } = await refused();
    repair();
    expect(codeOf(await world.connections.commit(live, 2, { kind: "Active", grant: world.newGrant("third") }))).toBe("ok");
    expect(world.vault.stored(mazdaKey)).toMatchObject({ generation: 3, state: { grant: { accessToken: "access-third" } } });
    await world.clock.advance(10_000);
    expect(world.vault.stored(mazdaKey)?.generation).toBe(3);
  });

  it("makes the next state fail with the disk's reason while the disk still refuses", async () => {
    const { world, live } = await refused();
    expect(codeOf(await world.connections.commit(live, 2, { kind: "Active", grant: world.newGrant("third") }))).toBe("vault_write_failed");
  });

  it("can be forgotten", async () => {
    const { world, live, repair } = await refused();
    repair();
    valueOf(await world.connections.remove(live));
    await world.clock.advance(10_000);
    expect(world.vault.stored(mazdaKey)).toBeUndefined();
  });

  it("is not adopted when the connection has moved on meanwhile", async () => {
    const { world, live } = await refused();
    expect(codeOf(await world.connections.commitRotated(live, 1, world.newGrant("late")))).toBe("vault_conflict");
    expect(await world.token(mazdaKey)).toBe("access-rotated");
  });
});

describe("the list", () => {
  it("joins what the vault holds with what is only true in this run, sorted by id", async () => {
    const world = await createWorld();
    world.storeActive(webfleetKey);
    world.connections.setOverlay(await loaded(world), { kind: "Connecting" });
    const states = valueOf(await world.connections.list()).map(({ provider, state }) => [provider, state]);
    expect(states).toEqual([
      ["mazda", "Connecting"],
      ["webfleet", "Active"],
    ]);
  });

  it("does not show a key that was only looked up", async () => {
    const world = await createWorld();
    await loaded(world);
    expect(valueOf(await world.connections.list())).toEqual([]);
  });

  it("holds no token and no secret", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    await loaded(world);
    expect(JSON.stringify(valueOf(await world.connections.list()))).not.toMatch(/access-old|refresh-old|client-secret/);
  });
});
