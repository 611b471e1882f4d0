import { describe, expect, it } from "vitest";
import type { AccessPolicy } from "../../shared/views.ts";
import { Pairings } from "./pairing.ts";
import { FakeClock, settled } from "./testing/fake-clock.ts";
import { MemoryVault } from "./testing/memory-vault.ts";
import { minuteMs } from "./testing/records.ts";
import { codeOf, fakeRandomness, valueOf } from "./testing/world.ts";

const access: AccessPolicy = { users: ["jdoe"], providers: "all" };
const program = { name: "Dealer DMS", publisher: "Vendor" };

async function createPairings(vault = new MemoryVault(), clock = new FakeClock()) {
  const decided: string[] = [];
  const pairings = new Pairings({
    vault,
    clock,
    randomness: fakeRandomness(),
    onDecided: (name, _clientId, outcome) => decided.push(`${name} ${outcome}`),
  });
  valueOf(await pairings.open());
  return { vault, clock, pairings, decided };
}

/** A program that waits for the person, and the id of its prompt. */
function waiting(pairings: Pairings, sessionId = "session-1") {
  const { pairingId } = valueOf(pairings.requestPairing(sessionId, program));
  return { pairingId, answer: pairings.waitForPairing(sessionId, pairingId) };
}

describe("a pairing request", () => {
  it("is answered at once with the number that the window shows as well", async () => {
    const { pairings, clock } = await createPairings();
    const asked = valueOf(pairings.requestPairing("session-1", program));
    expect(asked).toMatchObject({ code: "123456", expiresInSeconds: 180 });
    expect(pairings.list()).toEqual([
      { ...program, pairingId: asked.pairingId, code: "123456", expiresAtMs: clock.nowMs() + 3 * minuteMs },
    ]);
  });

  it("is refused while one of the same session waits, and while three wait in all", async () => {
    const { pairings } = await createPairings();
    waiting(pairings, "a");
    expect(codeOf(pairings.requestPairing("a", program))).toBe("pairing_busy");
    waiting(pairings, "b");
    waiting(pairings, "c");
    expect(pairings.requestPairing("d", program)).toMatchObject({ error: { code: "pairing_busy", retryAfterSeconds: 10 } });
    pairings.sessionClosed("b");
    expect(codeOf(pairings.requestPairing("d", program))).toBe("ok");
  });
});

describe("an approved program", () => {
  it("gets its key once, after the vault has it", async () => {
    const { pairings, vault, decided } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    valueOf(await pairings.approve(pairingId, access));
    const { clientId, clientKey } = valueOf(await answer);
    expect(vault.clients.get(clientId)).toMatchObject({ ...program, clientKey, access });
    expect(await pairings.findClient(clientId)).toEqual(vault.clients.get(clientId));
    expect(codeOf(await pairings.waitForPairing("session-1", pairingId))).toBe("pairing_unknown");
    expect([pairings.list(), decided]).toEqual([[], ["Dealer DMS ok"]]);
  });

  it("gets its key when it asks only after the approval, and a second waiter gets nothing", async () => {
    const { pairings } = await createPairings();
    const { pairingId } = valueOf(pairings.requestPairing("session-1", program));
    valueOf(await pairings.approve(pairingId, access));
    const both = await Promise.all([1, 2].map(() => pairings.waitForPairing("session-1", pairingId)));
    expect(both.map(codeOf)).toEqual(["ok", "pairing_unknown"]);
  });

  it("gets nothing while the vault refuses, and can be approved again", async () => {
    const { pairings, vault } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    const repair = vault.fail("saveClient");
    expect(codeOf(await pairings.approve(pairingId, access))).toBe("vault_write_failed");
    expect([pairings.list().length, pairings.clients()]).toEqual([1, []]);
    repair();
    valueOf(await pairings.approve(pairingId, access));
    expect(codeOf(await answer)).toBe("ok");
  });

  it("is not kept when it went away while its key was being saved", async () => {
    const { pairings, vault } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    const release = vault.hold("saveClient");
    const approved = pairings.approve(pairingId, access);
    pairings.sessionClosed("session-1");
    release();
    expect([codeOf(await approved), codeOf(await answer)]).toEqual(["pairing_unknown", "pairing_unknown"]);
    expect([vault.clients.size, pairings.clients()]).toEqual([0, []]);
  });

  it("is one program even when the person clicks twice", async () => {
    const { pairings, vault } = await createPairings();
    const { pairingId } = waiting(pairings);
    const both = await Promise.all([1, 2].map(() => pairings.approve(pairingId, access)));
    expect([both.map(codeOf), vault.clients.size]).toEqual([["ok", "pairing_unknown"], 1]);
  });

  it("is known after a restart, and its key is in no view", async () => {
    const { pairings, vault, clock } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    valueOf(await pairings.approve(pairingId, access));
    const { clientId, clientKey } = valueOf(await answer);
    const next = await createPairings(vault, clock);
    next.pairings.seen(clientId);
    expect(next.pairings.clients()).toEqual([{ clientId, ...program, access, pairedAtMs: clock.nowMs(), lastSeenAtMs: clock.nowMs() }]);
    expect(JSON.stringify(next.pairings.clients())).not.toContain(clientKey);
  });
});

describe("a pairing that ends without a key", () => {
  it("is told that the person denied it", async () => {
    const { pairings, decided, vault } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    expect(codeOf(pairings.deny(pairingId))).toBe("ok");
    expect([codeOf(await answer), vault.clients.size, decided]).toEqual(["pairing_denied", 0, ["Dealer DMS pairing_denied"]]);
    expect(codeOf(await pairings.approve(pairingId, access))).toBe("pairing_unknown");
    expect(codeOf(pairings.deny(pairingId))).toBe("pairing_unknown");
  });

  it("expires after three minutes and its prompt goes away", async () => {
    const { pairings, clock } = await createPairings();
    const prompts: number[] = [];
    pairings.onPairingsChanged((views) => prompts.push(views.length));
    const { answer } = waiting(pairings);
    await clock.advance(3 * minuteMs);
    expect([codeOf(await answer), prompts]).toEqual(["pairing_expired", [1, 0]]);
  });

  it("goes away with its session, and its timer too", async () => {
    const { pairings, clock } = await createPairings();
    const { pairingId, answer } = waiting(pairings);
    waiting(pairings, "other");
    pairings.sessionClosed("session-1");
    await settled();
    expect([codeOf(await answer), clock.waitsMs.length, pairings.list().length]).toEqual(["pairing_unknown", 1, 1]);
    expect(codeOf(await pairings.approve(pairingId, access))).toBe("pairing_unknown");
  });

  it("cannot be fetched by another session", async () => {
    const { pairings } = await createPairings();
    const { pairingId } = waiting(pairings);
    expect(codeOf(await pairings.waitForPairing("session-2", pairingId))).toBe("pairing_unknown");
  });
});

describe("removing a program", () => {
  async function paired() {
    const made = await createPairings();
    const { pairingId, answer } = waiting(made.pairings);
    valueOf(await made.pairings.approve(pairingId, access));
    const removed: string[] = [];
    made.pairings.onClientRemoved((clientId) => removed.push(clientId));
    return { ...made, removed, clientId: valueOf(await answer).clientId };
  }

  it("forgets its key and ends its sessions", async () => {
    const { pairings, vault, removed, clientId } = await paired();
    valueOf(await pairings.remove(clientId));
    expect([removed, vault.clients.size, await pairings.findClient(clientId)]).toEqual([[clientId], 0, undefined]);
  });

  it("changes nothing when the vault refuses", async () => {
    const { pairings, vault, removed, clientId } = await paired();
    vault.fail("deleteClient");
    expect(codeOf(await pairings.remove(clientId))).toBe("vault_write_failed");
    expect([removed, (await pairings.findClient(clientId))?.clientId]).toEqual([[], clientId]);
  });
});

describe("after a refusal", () => {
  it("nobody is asked again for ten seconds, by whichever program", async () => {
    const { pairings, clock } = await createPairings();
    const { pairingId } = waiting(pairings);
    pairings.deny(pairingId);
    await clock.advance(4_000);
    expect(pairings.requestPairing("session-2", program)).toMatchObject({ error: { code: "pairing_paused", retryAfterSeconds: 6 } });
    await clock.advance(6_000);
    expect(codeOf(pairings.requestPairing("session-2", program))).toBe("ok");
  });
});
