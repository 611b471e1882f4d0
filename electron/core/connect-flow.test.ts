import { describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import { connectTimeoutMinutes } from "./connect-flow.ts";
import type { ConnectionKey } from "./connection-state.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs, webfleetKey } from "./testing/records.ts";
import { codeOf, createWorld, valueOf, type World } from "./testing/world.ts";

/** A world in which the sign-in page of `key` is open in the browser. */
async function signingIn(key: ConnectionKey = mazdaKey, organisation?: string): Promise<World> {
  const world = await createWorld();
  valueOf(await world.connectFlow.start(key, organisation));
  return world;
}

/** The provider sends the browser back; the code exchange waits for the test. */
async function returned(world: World): Promise<void> {
  world.callback.last.deliver();
  await settled();
}

const exchanged = async (world: World, name = "new") => {
  world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant(name) });
  await settled();
};

const openPorts = (world: World) => world.callback.ports.filter(({ isOpen }) => isOpen).length;

describe("a Connect that succeeds", () => {
  it("goes from Connecting to Active, stores the grant and shows it on the browser page", async () => {
    const world = await signingIn(mazdaKey, "10030/MMD");
    expect((await world.view(mazdaKey)).state).toBe("Connecting");
    expect(world.browser.opened).toEqual(["https://mazda.test/authorize?state=state-1"]);
    await returned(world);
    await exchanged(world);
    expect(world.vault.stored(mazdaKey)).toMatchObject({
      generation: 1,
      organisation: "10030/MMD",
      state: { kind: "Active", grant: { accessToken: "access-new" } },
    });
    expect(world.views.at(-1)).toMatchObject({ state: "Active", organisation: "10030/MMD" });
    expect(world.views.at(-1)?.failure).toBeUndefined();
    expect(world.callback.last.shown).toEqual({ kind: "connected", providerName: "Mazda", user: mazdaKey.user });
    expect([openPorts(world), world.clock.waitsMs, world.ended]).toEqual([0, [], ["connect ok"]]);
  });

  it("says connected only after the grant is committed", async () => {
    const world = await signingIn();
    await returned(world);
    const release = world.vault.hold("commitConnection");
    await exchanged(world);
    expect([world.callback.last.shown, world.ended]).toEqual([undefined, []]);
    release();
    await settled();
    expect(world.callback.last.shown?.kind).toBe("connected");
  });

  it("replaces a dead grant and serves a token again", async () => {
    const world = await createWorld();
    world.store(mazdaKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) }, "10030/MMD");
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    await returned(world);
    await exchanged(world);
    expect(await world.token(mazdaKey)).toBe("access-new");
    expect(world.vault.stored(mazdaKey)).toMatchObject({ generation: 2, organisation: "10030/MMD" });
  });

  it("counts although a background refresh was written at the same moment", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    await returned(world);
    const live = valueOf(await world.connections.load(mazdaKey));
    const release = world.vault.hold("commitConnection");
    const background = world.connections.commit(live, 1, { kind: "Active", grant: world.newGrant("background") });
    await exchanged(world, "signed-in");
    release();
    await settled();
    expect([codeOf(await background), await world.token(mazdaKey)]).toEqual(["ok", "access-signed-in"]);
    expect(world.vault.stored(mazdaKey)?.generation).toBe(3);
  });
});

describe("a Connect that is ended", () => {
  it("by cancelling closes the port and says so on the row", async () => {
    const world = await signingIn();
    expect(codeOf(world.connectFlow.cancel(mazdaKey))).toBe("ok");
    await settled();
    expect(await world.view(mazdaKey)).toMatchObject({ state: "NotConnected", failure: { code: "connect_cancelled" } });
    expect([openPorts(world), world.clock.waitsMs, world.ended]).toEqual([0, [], ["connect connect_cancelled"]]);
    expect(codeOf(world.connectFlow.cancel(mazdaKey))).toBe("no_connect_in_progress");
  });

  it("by nobody signing in within five minutes closes the port", async () => {
    const world = await signingIn();
    await world.clock.advance(connectTimeoutMinutes * minuteMs - 1);
    expect(openPorts(world)).toBe(1);
    await world.clock.advance(1);
    expect(await world.view(mazdaKey)).toMatchObject({ failure: { code: "connect_timed_out" } });
    expect(openPorts(world)).toBe(0);
  });

  it("during the exchange stores nothing, even when the tokens arrive after all", async () => {
    const world = await signingIn();
    await returned(world);
    world.connectFlow.cancel(mazdaKey);
    expect(world.oauth.exchanges.last.input.signal.aborted).toBe(true);
    await exchanged(world);
    expect([world.vault.connections.size, openPorts(world)]).toEqual([0, 0]);
    expect(world.callback.last.shown).toMatchObject({ kind: "failed", failure: { code: "connect_cancelled" } });
  });

  it("while the port is being opened closes it again and opens no browser", async () => {
    const world = await createWorld();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.callback.opening = promise;
    const started = world.connectFlow.start(mazdaKey, undefined);
    await settled();
    world.connectFlow.cancel(mazdaKey);
    resolve();
    expect(codeOf(await started)).toBe("connect_cancelled");
    await settled();
    expect([world.browser.opened, world.callback.ports.length, openPorts(world), world.clock.waitsMs]).toEqual([[], 1, 0, []]);
  });

  it("leaves an existing connection as it was", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    world.connectFlow.cancel(mazdaKey);
    await settled();
    expect(await world.view(mazdaKey)).toMatchObject({ state: "Active", failure: { code: "connect_cancelled" } });
    expect(await world.token(mazdaKey)).toBe("access-old");
  });

  it("by the app quitting closes every port", async () => {
    const world = await signingIn();
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    world.connectFlow.cancelAll(failure("shutting_down"));
    await settled();
    expect([openPorts(world), world.ended]).toEqual([0, ["connect shutting_down", "connect shutting_down"]]);
  });

  it("is not joined by the next click, which starts anew while the old one still stops", async () => {
    const world = await signingIn();
    await returned(world);
    world.connectFlow.cancel(mazdaKey);
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    await exchanged(world, "old-sign-in");
    expect((await world.view(mazdaKey)).state).toBe("Connecting");
    await returned(world);
    await exchanged(world, "new-sign-in");
    expect(await world.token(mazdaKey)).toBe("access-new-sign-in");
    expect([world.browser.opened.length, openPorts(world)]).toEqual([2, 0]);
  });
});

describe("a Connect on a computer that does not answer", () => {
  const never = <T>() => new Promise<T>(() => undefined);

  it("gives up a port that is not opened in time, and closes it when it is opened after all", async () => {
    const world = await createWorld();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.callback.opening = promise;
    const started = world.connectFlow.start(mazdaKey, undefined);
    await settled();
    await world.clock.advance(connectTimeoutMinutes * minuteMs);
    expect(codeOf(await started)).toBe("connect_timed_out");
    expect(await world.view(mazdaKey)).toMatchObject({ state: "NotConnected", failure: { code: "connect_timed_out" } });
    resolve();
    await settled();
    expect([world.callback.ports.length, openPorts(world), world.browser.opened, world.clock.waitsMs]).toEqual([1, 0, [], []]);
  });

  it("can be cancelled while no port is opened, and started anew", async () => {
    const world = await createWorld();
    world.callback.opening = never();
    const started = world.connectFlow.start(mazdaKey, undefined);
    await settled();
    world.connectFlow.cancel(mazdaKey);
    expect(codeOf(await started)).toBe("connect_cancelled");
    world.callback.opening = undefined;
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("ok");
    expect([(await world.view(mazdaKey)).state, openPorts(world)]).toEqual(["Connecting", 1]);
  });

  it("gives up a browser that is not opened in time, for every click that waits for it", async () => {
    const world = await createWorld();
    vi.spyOn(world.browser, "open").mockImplementation(never);
    const clicks = [1, 2].map(() => world.connectFlow.start(mazdaKey, undefined));
    await settled();
    expect(openPorts(world)).toBe(1);
    await world.clock.advance(connectTimeoutMinutes * minuteMs);
    expect((await Promise.all(clicks)).map(codeOf)).toEqual(["connect_timed_out", "connect_timed_out"]);
    expect(await world.view(mazdaKey)).toMatchObject({ state: "NotConnected", failure: { code: "connect_timed_out" } });
    expect([openPorts(world), world.clock.waitsMs, world.ended]).toEqual([0, [], ["connect connect_timed_out"]]);
  });

  it("succeeds when the browser comes back, though nobody has said that it was opened", async () => {
    const world = await createWorld();
    vi.spyOn(world.browser, "open").mockImplementation(never);
    const started = world.connectFlow.start(mazdaKey, undefined);
    await settled();
    await returned(world);
    expect(codeOf(await started)).toBe("ok");
    await exchanged(world);
    expect([await world.token(mazdaKey), openPorts(world), world.clock.waitsMs]).toEqual(["access-new", 0, []]);
  });

  it("answers a second click when the sign-in ends, though the page was not opened again", async () => {
    const world = await signingIn();
    vi.spyOn(world.browser, "open").mockImplementation(never);
    const again = world.connectFlow.start(mazdaKey, undefined);
    await settled();
    await returned(world);
    await exchanged(world);
    expect(codeOf(await again)).toBe("ok");
  });

  it("says so when the port fails to open in an unforeseen way", async () => {
    const world = await createWorld();
    vi.spyOn(world.callback, "listen").mockRejectedValueOnce(new Error("a bug"));
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("internal_error");
    expect([(await world.view(mazdaKey)).failure?.code, world.clock.waitsMs]).toEqual(["internal_error", []]);
  });
});

describe("a second click", () => {
  it("opens the same page again on the same port", async () => {
    const world = await signingIn();
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    expect(world.callback.ports).toHaveLength(1);
    expect(world.browser.opened).toEqual(["https://mazda.test/authorize?state=state-1", "https://mazda.test/authorize?state=state-1"]);
  });

  it("at the same moment as the first opens one port", async () => {
    const world = await createWorld();
    const both = await Promise.all([1, 2].map(() => world.connectFlow.start(mazdaKey, undefined)));
    expect([both.map(codeOf), world.callback.ports.length]).toEqual([["ok", "ok"], 1]);
  });
});

describe("a Connect that fails", () => {
  it("in listening says why and can be started again", async () => {
    const world = await createWorld();
    world.callback.failure = failure("port_in_use", { port: 8310 });
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("port_in_use");
    expect(await world.view(mazdaKey)).toMatchObject({ state: "NotConnected", failure: { code: "port_in_use" } });
    world.callback.failure = undefined;
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("ok");
  });

  it("in opening the browser closes the port", async () => {
    const world = await createWorld();
    world.browser.failure = failure("browser_not_opened");
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("browser_not_opened");
    expect([openPorts(world), world.clock.waitsMs]).toEqual([0, []]);
    expect((await world.view(mazdaKey)).failure?.code).toBe("browser_not_opened");
  });

  it("in the exchange shows it on the page and the row", async () => {
    const world = await signingIn();
    await returned(world);
    world.oauth.exchanges.last.answer({ ok: false, error: failure("provider_unreachable", { provider: "Mazda" }) });
    await settled();
    expect(world.callback.last.shown).toMatchObject({ kind: "failed", failure: { code: "provider_unreachable" } });
    expect((await world.view(mazdaKey)).failure?.code).toBe("provider_unreachable");
    expect([openPorts(world), world.ended]).toEqual([0, ["connect provider_unreachable"]]);
  });

  it("in writing the grant does not pretend to be connected", async () => {
    const world = await signingIn();
    await returned(world);
    world.vault.fail("commitConnection");
    await exchanged(world);
    expect(world.callback.last.shown).toMatchObject({ kind: "failed", failure: { code: "vault_write_failed" } });
    expect(await world.token(mazdaKey)).toBe("not_connected");
  });

  it("before it begins, for an organisation the registration does not list or a missing registration, opens nothing", async () => {
    const world = await createWorld();
    expect(codeOf(await world.connectFlow.start(mazdaKey, "99999/MMD"))).toBe("organisation_unknown");
    expect(codeOf(await world.connectFlow.start({ ...mazdaKey, environment: "acceptance" }, undefined))).toBe("registration_missing");
    expect([world.callback.ports, world.browser.opened, world.views]).toEqual([[], [], []]);
  });

  it("takes any organisation when the registration lists none", async () => {
    const world = await createWorld();
    expect(codeOf(await world.connectFlow.start(webfleetKey, "anything"))).toBe("ok");
  });
});

describe("a Connect overtaken by Forget or Revoke", () => {
  it("leaves no row after Forget, even when the tokens arrive later", async () => {
    const world = await signingIn();
    await returned(world);
    valueOf(await world.revocation.forget(mazdaKey));
    await exchanged(world);
    expect([world.vault.connections.size, valueOf(await world.connections.list()), openPorts(world)]).toEqual([0, [], 0]);
    expect(world.views.at(-1)?.state).toBe("Forgotten");
  });

  it("is deleted when Forget comes while its first record is being written", async () => {
    const world = await signingIn();
    await returned(world);
    const release = world.vault.hold("commitConnection");
    await exchanged(world);
    const forgotten = world.revocation.forget(mazdaKey);
    await settled();
    release();
    expect(codeOf(await forgotten)).toBe("ok");
    await settled();
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
    expect(world.views.at(-1)?.state).toBe("Forgotten");
  });

  it("ends, and cannot be started again, while a revocation is pending", async () => {
    const world = await createWorld();
    world.storeActive(webfleetKey);
    valueOf(await world.connectFlow.start(webfleetKey, undefined));
    const revoked = world.revocation.revoke(webfleetKey);
    await settled();
    const { state, failure: shown } = await world.view(webfleetKey);
    expect([openPorts(world), state, shown]).toEqual([0, "Revoking", undefined]);
    expect(codeOf(await world.connectFlow.start(webfleetKey, undefined))).toBe("revocation_pending");
    world.oauth.revocations.last.answer({ kind: "done" });
    expect(codeOf(await revoked)).toBe("ok");
  });
});

it("lets two users sign in at once, each getting the grant of their own sign-in", async () => {
  const world = await signingIn();
  const other = { ...mazdaKey, user: "mmd10030.asmith" };
  valueOf(await world.connectFlow.start(other, undefined));
  const [first, second] = world.callback.ports;
  second?.deliver();
  await settled();
  await exchanged(world, "second");
  first?.deliver();
  await settled();
  await exchanged(world, "first");
  expect([await world.token(mazdaKey), await world.token(other)]).toEqual(["access-first", "access-second"]);
  expect(openPorts(world)).toBe(0);
});

describe("a Connect that fails in an unforeseen way", () => {
  it("closes its port and says so, before the browser was opened", async () => {
    const world = await createWorld();
    vi.spyOn(world.oauth, "authorizationRequest").mockRejectedValueOnce(new Error("a bug"));
    expect(codeOf(await world.connectFlow.start(mazdaKey, undefined))).toBe("internal_error");
    expect([openPorts(world), world.clock.waitsMs]).toEqual([0, []]);
    expect(await world.view(mazdaKey)).toMatchObject({ state: "NotConnected", failure: { code: "internal_error" } });
  });

  it("shows it on the browser page, after the provider sent the browser back", async () => {
    const world = await signingIn();
    vi.spyOn(world.oauth, "exchangeCode").mockRejectedValueOnce(new Error("a bug"));
    await returned(world);
    expect(world.callback.last.shown).toMatchObject({ kind: "failed", failure: { code: "internal_error" } });
    expect((await world.view(mazdaKey)).failure?.code).toBe("internal_error");
  });
});
