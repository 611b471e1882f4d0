import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { connectionId } from "../../shared/views.ts";
import type { ConnectionKey } from "./connection-state.ts";
import { endAll } from "./leaving-user.ts";
import { settled } from "./testing/fake-clock.ts";
import { minuteMs } from "./testing/records.ts";
import { codeOf, createWorld, valueOf, type World } from "./testing/world.ts";

const user = "j.doe";
const atMazda: ConnectionKey = { provider: "mazda", environment: "production", user };
const atAcceptance: ConnectionKey = { ...atMazda, environment: "acceptance" };
const atWebfleet: ConnectionKey = { provider: "webfleet", environment: "production", user };
const colleague: ConnectionKey = { ...atWebfleet, user: "J.Doe" };

async function connected(): Promise<World> {
  const world = await createWorld();
  for (const key of [atMazda, atAcceptance, atWebfleet, colleague]) world.storeActive(key);
  return world;
}

describe("ending all connections of a user", () => {
  it("revokes where the provider can be told and forgets the others, in every environment, and touches nobody else's", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const copiesWorkUntilMs = world.clock.nowMs() + 60 * minuteMs;
    const ended = valueOf(await endAll(world, user));
    expect(ended).toEqual([
      {
        connectionId: connectionId(atAcceptance),
        providerName: "Mazda",
        environment: "acceptance",
        hasGrantScreens: false,
        outcome: "forgotten",
        copiesWorkUntilMs,
      },
      {
        connectionId: connectionId(atMazda),
        providerName: "Mazda",
        environment: "production",
        hasGrantScreens: false,
        outcome: "forgotten",
        copiesWorkUntilMs,
      },
      {
        connectionId: connectionId(atWebfleet),
        providerName: "Webfleet",
        environment: "production",
        hasGrantScreens: false,
        outcome: "revoked",
        copiesWorkUntilMs,
      },
    ]);
    expect([...world.vault.connections.keys()]).toEqual([connectionId(colleague)]);
  });

  it("stops the serving of all at once, though a provider does not answer", async () => {
    const world = await connected();
    const ending = endAll(world, user);
    await settled();
    const asked = await Promise.all([atMazda, atAcceptance, atWebfleet].map((key) => world.token(key)));
    // Nothing is registered for the one in the middle.
    expect(asked).toEqual(["not_connected", "registration_missing", "not_connected"]);
    world.oauth.revocations.last.answer({ kind: "try-later", failure: failure("provider_unreachable", { provider: "Webfleet" }) });
    expect(valueOf(await ending).find(({ providerName }) => providerName === "Webfleet")).toMatchObject({
      outcome: "pending",
      failure: { code: "revocation_pending" },
      copiesWorkUntilMs: world.clock.nowMs() + 60 * minuteMs,
    });
  });

  it("goes on where one of them cannot be ended", async () => {
    const world = await connected();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    world.vault.fail("commitConnection");
    const ended = valueOf(await endAll(world, user));
    expect(ended.map(({ outcome, failure: why }) => [outcome, why?.code])).toEqual([
      ["forgotten", undefined],
      ["forgotten", undefined],
      ["failed", "vault_write_failed"],
    ]);
  });

  it("forgets what has no token any more, and a sign-in that waits", async () => {
    const world = await createWorld();
    world.store(atWebfleet, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
    valueOf(await world.connectFlow.start(atMazda, undefined));
    const ended = valueOf(await endAll(world, user));
    expect(ended.map(({ outcome, copiesWorkUntilMs }) => [outcome, copiesWorkUntilMs])).toEqual([
      ["forgotten", undefined],
      ["forgotten", undefined],
    ]);
    expect([world.oauth.revocations.count, world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, 0, []]);
  });

  it("says of which end the provider has said nothing", async () => {
    const world = await createWorld();
    world.storeActive(atMazda, { accessTokenExpiryIsEstimate: true });
    world.storeActive(atAcceptance);
    // In memory: the list of the vault alone does not tell it.
    await world.token(atMazda);
    const ended = valueOf(await endAll(world, user));
    expect(ended.map(({ environment, copiesEndIsEstimate }) => [environment, copiesEndIsEstimate])).toEqual([
      ["acceptance", undefined],
      ["production", true],
    ]);
  });

  it("gives back what a first sign-in brings whose code is just being exchanged", async () => {
    const world = await createWorld();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    valueOf(await world.connectFlow.start(atWebfleet, undefined));
    world.callback.last.deliver();
    await settled();
    const ended = valueOf(await endAll(world, user));
    expect([ended.map(({ outcome }) => outcome), world.oauth.revocations.count]).toEqual([["forgotten"], 0]);
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    expect(world.oauth.revocations.all.map(({ input }) => input.refreshToken)).toEqual([world.newGrant("late").refreshToken]);
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
  });

  it("revokes what a first sign-in brings that is just being stored", async () => {
    const world = await createWorld();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    valueOf(await world.connectFlow.start(atWebfleet, undefined));
    world.callback.last.deliver();
    await settled();
    const release = world.vault.hold("commitConnection");
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    const ending = endAll(world, user);
    await settled();
    release();
    expect(valueOf(await ending).map(({ outcome }) => outcome)).toEqual(["revoked"]);
    expect(world.oauth.revocations.all.map(({ input }) => input.refreshToken)).toEqual([world.newGrant("late").refreshToken]);
    expect([world.vault.connections.size, valueOf(await world.connections.list())]).toEqual([0, []]);
  });

  it("gives back what a first sign-in brings that the vault refuses at that moment", async () => {
    const world = await createWorld();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    valueOf(await world.connectFlow.start(atWebfleet, undefined));
    world.callback.last.deliver();
    await settled();
    world.vault.fail("commitConnection");
    const release = world.vault.hold("commitConnection");
    world.oauth.exchanges.last.answer({ ok: true, value: world.newGrant("late") });
    await settled();
    const ending = endAll(world, user);
    await settled();
    release();
    expect(valueOf(await ending).map(({ outcome }) => outcome)).toEqual(["forgotten"]);
    expect(world.oauth.revocations.all.map(({ input }) => input.refreshToken)).toEqual([world.newGrant("late").refreshToken]);
  });

  it("fails when the connections cannot be read, and says nothing where there are none", async () => {
    const world = await createWorld();
    expect(valueOf(await endAll(world, user))).toEqual([]);
    world.vault.fail("listConnections");
    expect(codeOf(await endAll(world, user))).toBe("vault_write_failed");
  });
});
