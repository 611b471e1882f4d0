import { describe, expect, it } from "vitest";
import { settled } from "./testing/fake-clock.ts";
import { createPairingWorld, someAccess, someProgram, waitingProgram } from "./testing/pairings.ts";
import { minuteMs } from "./testing/records.ts";
import { codeOf, valueOf } from "./testing/world.ts";

describe("a pairing request", () => {
  it("is answered at once with the number that the window shows as well", async () => {
    const { pairings, clock } = await createPairingWorld();
    const asked = valueOf(pairings.requestPairing("session-1", someProgram));
    expect(asked).toMatchObject({ code: "123456", expiresInSeconds: 180 });
    expect(pairings.list()).toEqual([
      { ...someProgram, pairingId: asked.pairingId, code: "123456", expiresAtMs: clock.nowMs() + 3 * minuteMs },
    ]);
  });

  it("is refused while the same program waits already, under whatever spelling or session", async () => {
    const { pairings } = await createPairingWorld();
    waitingProgram(pairings, "a", { name: "Dealer DMS" });
    expect(codeOf(pairings.requestPairing("b", { name: " dealer  dms" }))).toBe("pairing_busy");
    valueOf(pairings.requestPairing("c", { name: "One name" }, "/opt/dms/dms"));
    expect(codeOf(pairings.requestPairing("d", { name: "Another name" }, "/opt/dms/dms"))).toBe("pairing_busy");
  });

  it("shows the file of the process that asks", async () => {
    const { pairings, programs } = await createPairingWorld();
    const { pairingId } = valueOf(pairings.requestPairing("session-1", someProgram, "/opt/dms/dms"));
    expect(pairings.list()).toMatchObject([{ name: "Dealer DMS", programPath: "/opt/dms/dms" }]);
    valueOf(await pairings.approve(pairingId, someAccess));
    expect(programs.list()).toMatchObject([{ name: "Dealer DMS", programPath: "/opt/dms/dms", origin: "paired" }]);
  });

  it("asks nobody where the computer's policy forbids it", async () => {
    const { pairings, decided } = await createPairingWorld({ pairing: "forbidden" });
    expect(codeOf(pairings.requestPairing("session-1", someProgram))).toBe("pairing_forbidden");
    expect([pairings.list(), decided]).toEqual([[], ["broker Dealer DMS pairing_forbidden"]]);
  });

  it("is refused while another of its session waits, and while three wait in all", async () => {
    const { pairings } = await createPairingWorld();
    waitingProgram(pairings, "a", { name: "A" });
    expect(codeOf(pairings.requestPairing("a", { name: "Another" }))).toBe("pairing_busy");
    const { pairingId } = waitingProgram(pairings, "b", { name: "B" });
    waitingProgram(pairings, "c", { name: "C" });
    expect(pairings.requestPairing("d", { name: "D" })).toMatchObject({ error: { code: "pairing_busy", retryAfterSeconds: 10 } });
    valueOf(await pairings.approve(pairingId, someAccess));
    expect(codeOf(pairings.requestPairing("d", { name: "D" }))).toBe("ok");
  });
});

describe("an approved program", () => {
  it("gets its key once, after the vault has it", async () => {
    const { pairings, programs, vault, decided } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    valueOf(await pairings.approve(pairingId, someAccess));
    const { clientId, clientKey } = valueOf(await answer);
    expect(vault.clients.get(clientId)).toMatchObject({ ...someProgram, clientKey, access: someAccess });
    expect(programs.find(clientId)).toEqual(vault.clients.get(clientId));
    expect(codeOf(await pairings.waitForPairing("session-1", pairingId))).toBe("pairing_unknown");
    expect([pairings.list(), decided]).toEqual([[], ["window Dealer DMS ok"]]);
  });

  it("gets its key when it asks only after the approval, and a second waiter gets nothing", async () => {
    const { pairings } = await createPairingWorld();
    const { pairingId } = valueOf(pairings.requestPairing("session-1", someProgram));
    valueOf(await pairings.approve(pairingId, someAccess));
    const both = await Promise.all([1, 2].map(() => pairings.waitForPairing("session-1", pairingId)));
    expect(both.map(codeOf)).toEqual(["ok", "pairing_unknown"]);
  });

  it("gets nothing while the vault refuses, and can be approved again", async () => {
    const { pairings, programs, vault } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    const repair = vault.fail("saveClient");
    expect(codeOf(await pairings.approve(pairingId, someAccess))).toBe("vault_write_failed");
    expect([pairings.list().length, programs.list()]).toEqual([1, []]);
    repair();
    valueOf(await pairings.approve(pairingId, someAccess));
    expect(codeOf(await answer)).toBe("ok");
  });

  it("is not kept when it went away while its key was being saved", async () => {
    const { pairings, programs, vault } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    const release = vault.hold("saveClient");
    const approved = pairings.approve(pairingId, someAccess);
    pairings.sessionClosed("session-1");
    release();
    expect([codeOf(await approved), codeOf(await answer)]).toEqual(["pairing_unknown", "pairing_unknown"]);
    expect([vault.clients.size, programs.list()]).toEqual([0, []]);
  });

  it("is one program even when the person clicks twice", async () => {
    const { pairings, vault } = await createPairingWorld();
    const { pairingId } = waitingProgram(pairings);
    const both = await Promise.all([1, 2].map(() => pairings.approve(pairingId, someAccess)));
    expect([both.map(codeOf), vault.clients.size]).toEqual([["ok", "pairing_unknown"], 1]);
  });

  it("is known after a restart, and its key is in no view", async () => {
    const { pairings, vault, clock } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    valueOf(await pairings.approve(pairingId, someAccess));
    const { clientId, clientKey } = valueOf(await answer);
    const next = await createPairingWorld({ vault, clock });
    next.programs.seen(clientId);
    expect(next.programs.list()).toEqual([
      { clientId, ...someProgram, access: someAccess, origin: "paired", pairedAtMs: clock.nowMs(), lastSeenAtMs: clock.nowMs() },
    ]);
    expect(JSON.stringify(next.programs.list())).not.toContain(clientKey);
  });
});

describe("an approved program that has gone before it fetched its key", () => {
  it("is removed again: nobody will ever have that key", async () => {
    const { pairings, programs, vault, decided } = await createPairingWorld();
    const { pairingId } = valueOf(pairings.requestPairing("session-1", someProgram));
    valueOf(await pairings.approve(pairingId, someAccess));
    pairings.sessionClosed("session-1");
    await settled();
    expect([programs.list(), vault.clients.size]).toEqual([[], 0]);
    expect(decided).toEqual(["window Dealer DMS ok", "broker Dealer DMS pairing_expired"]);
  });
});

describe("a pairing that ends without a key", () => {
  it("is told that the person denied it", async () => {
    const { pairings, decided, vault } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    expect(codeOf(pairings.deny(pairingId))).toBe("ok");
    expect([codeOf(await answer), vault.clients.size, decided]).toEqual(["pairing_denied", 0, ["window Dealer DMS pairing_denied"]]);
    expect(codeOf(await pairings.approve(pairingId, someAccess))).toBe("pairing_unknown");
    expect(codeOf(pairings.deny(pairingId))).toBe("pairing_unknown");
  });

  it("expires after three minutes and its prompt goes away", async () => {
    const { pairings, clock } = await createPairingWorld();
    const prompts: number[] = [];
    pairings.onChanged((views) => prompts.push(views.length));
    const { answer } = waitingProgram(pairings);
    await clock.advance(3 * minuteMs);
    expect([codeOf(await answer), prompts]).toEqual(["pairing_expired", [1, 0]]);
  });

  it("can no longer be approved once its session has gone, and stays to be seen for half a minute", async () => {
    const { pairings, clock, decided } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    pairings.sessionClosed("session-1");
    expect(codeOf(await answer)).toBe("pairing_unknown");
    expect(pairings.list()).toMatchObject([{ pairingId, isGone: true, expiresAtMs: clock.nowMs() + 30_000 }]);
    expect(codeOf(await pairings.approve(pairingId, someAccess))).toBe("pairing_unknown");
    await clock.advance(30_000);
    expect([pairings.list(), clock.waitsMs, decided]).toEqual([[], [], ["broker Dealer DMS pairing_expired"]]);
  });

  it("can be blocked although its program has gone, and the others then wait for nothing", async () => {
    const { pairings } = await createPairingWorld();
    const { pairingId } = waitingProgram(pairings);
    pairings.sessionClosed("session-1");
    expect(codeOf(pairings.requestPairing("session-2", { name: "Another" }))).toBe("pairing_paused");
    valueOf(await pairings.block(pairingId));
    expect(pairings.list()).toEqual([]);
    expect(codeOf(pairings.requestPairing("session-2", someProgram))).toBe("pairing_blocked");
    expect(codeOf(pairings.requestPairing("session-2", { name: "Another" }))).toBe("ok");
  });

  it("makes room for the same program's next one, and never fills the window with programs that have gone", async () => {
    const { pairings, clock } = await createPairingWorld();
    waitingProgram(pairings);
    pairings.sessionClosed("session-1");
    await clock.advance(10_000);
    waitingProgram(pairings, "session-2");
    expect(pairings.list().map(({ isGone }) => isGone)).toEqual([undefined]);
    valueOf(await pairings.approve(pairings.list()[0]?.pairingId ?? "", someAccess));
    for (const name of ["A", "B", "C"]) waitingProgram(pairings, `session of ${name}`, { name });
    for (const name of ["A", "B", "C"]) pairings.sessionClosed(`session of ${name}`);
    expect(pairings.list().map(({ name }) => name)).toEqual(["A", "B", "C"]);
    expect(codeOf(pairings.requestPairing("late", { name: "D" }))).toBe("pairing_paused");
    await clock.advance(40_000);
    expect(pairings.list()).toEqual([]);
  });

  it("cannot be fetched by another session", async () => {
    const { pairings } = await createPairingWorld();
    const { pairingId } = waitingProgram(pairings);
    expect(codeOf(await pairings.waitForPairing("session-2", pairingId))).toBe("pairing_unknown");
  });
});

describe("a prompt that was not approved", () => {
  async function pauses(end: (world: Awaited<ReturnType<typeof createPairingWorld>>, pairingId: string) => unknown, times: number) {
    const world = await createPairingWorld();
    const seconds: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const { pairingId } = waitingProgram(world.pairings, "session-1");
      await end(world, pairingId);
      const refused = world.pairings.requestPairing("session-2", someProgram);
      expect(codeOf(refused)).toBe("pairing_paused");
      const pause = refused.ok ? 0 : (refused.error.retryAfterSeconds ?? 0);
      seconds.push(pause);
      await world.clock.advance(pause * 1000);
    }
    return seconds;
  }

  it.each([
    ["was denied", (world, pairingId) => world.pairings.deny(pairingId)],
    ["was withdrawn by its program", (world) => world.pairings.sessionClosed("session-1")],
    ["was answered by nobody", (world) => world.clock.advance(3 * minuteMs)],
  ] satisfies [string, Parameters<typeof pauses>[0]][])("makes its program wait longer each time when it %s", async (_how, end) => {
    expect(await pauses(end, 7)).toEqual([10, 40, 160, 640, 2_560, 3_600, 3_600]);
  });

  it("makes nobody wait when the person had tried to approve it", async () => {
    const { pairings, vault } = await createPairingWorld();
    const { pairingId } = waitingProgram(pairings);
    const repair = vault.fail("saveClient");
    expect(codeOf(await pairings.approve(pairingId, someAccess))).toBe("vault_write_failed");
    repair();
    pairings.sessionClosed("session-1");
    expect(codeOf(pairings.requestPairing("session-2", someProgram))).toBe("ok");
  });

  it("makes all others wait too, though less, so that renaming does not help", async () => {
    const { pairings, clock } = await createPairingWorld();
    const seconds: number[] = [];
    for (let time = 0; time < 9; time += 1) {
      const name = `Name ${time}`;
      const { pairingId } = waitingProgram(pairings, "session-1", { name });
      pairings.deny(pairingId);
      const refused = pairings.requestPairing("session-2", { name: `${name} again` });
      seconds.push(refused.ok ? 0 : (refused.error.retryAfterSeconds ?? 0));
      await clock.advance((seconds.at(-1) ?? 0) * 1000);
    }
    expect(seconds).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it("is forgotten with the next approval, and after two hours", async () => {
    const { pairings, clock } = await createPairingWorld();
    pairings.deny(waitingProgram(pairings).pairingId);
    await clock.advance(10_000);
    valueOf(await pairings.approve(waitingProgram(pairings).pairingId, someAccess));
    pairings.deny(waitingProgram(pairings, "session-2").pairingId);
    expect(pairings.requestPairing("session-3", someProgram)).toMatchObject({ error: { retryAfterSeconds: 10 } });
    await clock.advance(120 * minuteMs);
    pairings.deny(waitingProgram(pairings, "session-4").pairingId);
    expect(pairings.requestPairing("session-5", someProgram)).toMatchObject({ error: { retryAfterSeconds: 10 } });
  });
});

describe("a blocked program", () => {
  it("is denied, and never shown again, not even after a restart", async () => {
    const { pairings, blocked, vault, clock, decided } = await createPairingWorld();
    const { pairingId, answer } = waitingProgram(pairings);
    valueOf(await pairings.block(pairingId));
    expect([codeOf(await answer), pairings.list()]).toEqual(["pairing_denied", []]);
    await clock.advance(60 * minuteMs);
    expect(codeOf(pairings.requestPairing("session-2", { name: "DEALER DMS" }))).toBe("pairing_blocked");
    expect(decided).toEqual(["window Dealer DMS pairing_blocked", "broker DEALER DMS pairing_blocked"]);
    const next = await createPairingWorld({ vault, clock });
    expect(codeOf(next.pairings.requestPairing("session-3", someProgram))).toBe("pairing_blocked");
    expect(next.blocked.list()).toEqual(blocked.list());
  });

  it("is known by its file where that is known, so that another program of its name may ask", async () => {
    const { pairings, clock } = await createPairingWorld();
    const { pairingId } = valueOf(pairings.requestPairing("session-1", someProgram, "/tmp/false-dms"));
    valueOf(await pairings.block(pairingId));
    await clock.advance(60 * minuteMs);
    expect(codeOf(pairings.requestPairing("session-2", { name: "Renamed" }, "/tmp/false-dms"))).toBe("pairing_blocked");
    expect(codeOf(pairings.requestPairing("session-2", someProgram))).toBe("pairing_blocked");
    expect(codeOf(pairings.requestPairing("session-3", someProgram, "/opt/dms/dms"))).toBe("ok");
  });

  it("may ask again once it is unblocked", async () => {
    const { pairings, blocked, clock } = await createPairingWorld();
    valueOf(await pairings.block(waitingProgram(pairings).pairingId));
    await clock.advance(60 * minuteMs);
    expect(codeOf(await blocked.unblock("unknown"))).toBe("program_unknown");
    valueOf(await blocked.unblock(blocked.list()[0]?.blockedId ?? ""));
    expect(codeOf(pairings.requestPairing("session-2", someProgram))).toBe("ok");
  });

  it("still waits, unblocked, when the vault refuses", async () => {
    const { pairings, blocked, vault } = await createPairingWorld();
    const { pairingId } = waitingProgram(pairings);
    vault.fail("saveSecret");
    expect(codeOf(await pairings.block(pairingId))).toBe("vault_write_failed");
    expect([pairings.list().length, blocked.list()]).toEqual([1, []]);
    expect(codeOf(await pairings.block("unknown"))).toBe("pairing_unknown");
  });
});
