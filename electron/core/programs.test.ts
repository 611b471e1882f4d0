import { describe, expect, it } from "vitest";
import type { DmsClientRecord } from "./ports.ts";
import { createPairingWorld, someAccess } from "./testing/pairings.ts";
import { minuteMs } from "./testing/records.ts";
import { codeOf, valueOf } from "./testing/world.ts";

const hourMs = 60 * minuteMs;

function program(changes: Partial<DmsClientRecord> = {}): DmsClientRecord {
  return { clientId: "client-1", name: "Dealer DMS", clientKey: "k".repeat(43), access: someAccess, pairedAtMs: 1, ...changes };
}

async function withProgram(record = program()) {
  const world = await createPairingWorld();
  valueOf(await world.programs.save(record));
  return world;
}

describe("removing a program", () => {
  it("forgets its key and ends its sessions", async () => {
    const { programs, vault, sessionsEnded } = await withProgram();
    valueOf(await programs.remove("client-1"));
    expect([sessionsEnded, vault.clients.size, programs.find("client-1")]).toEqual([["client-1"], 0, undefined]);
  });

  it("changes nothing when the vault refuses", async () => {
    const { programs, vault, sessionsEnded } = await withProgram();
    vault.fail("deleteClient");
    expect(codeOf(await programs.remove("client-1"))).toBe("vault_write_failed");
    expect([sessionsEnded, programs.find("client-1")?.clientId]).toEqual([[], "client-1"]);
  });
});

describe("changing what a program may use", () => {
  const narrower = { users: ["asmith"], providers: ["webfleet"], requestsPerMinute: 10 };

  it("is in the vault before its sessions end, and keeps its key", async () => {
    const { programs, vault, sessionsEnded } = await withProgram();
    const release = vault.hold("saveClient");
    const changing = programs.changeAccess("client-1", narrower);
    await Promise.resolve();
    expect([sessionsEnded, programs.find("client-1")?.access]).toEqual([[], someAccess]);
    release();
    valueOf(await changing);
    expect(sessionsEnded).toEqual(["client-1"]);
    expect(programs.find("client-1")).toEqual(program({ access: narrower }));
    expect(vault.clients.get("client-1")).toEqual(program({ access: narrower }));
  });

  it("changes nothing when the vault refuses, or when there is no such program", async () => {
    const { programs, vault, sessionsEnded } = await withProgram();
    expect(codeOf(await programs.changeAccess("nobody", narrower))).toBe("program_unknown");
    vault.fail("saveClient");
    expect(codeOf(await programs.changeAccess("client-1", narrower))).toBe("vault_write_failed");
    expect([sessionsEnded, programs.find("client-1")]).toEqual([[], program()]);
  });
});

describe("access until a date", () => {
  it("ends at that moment: the program is unknown, its sessions end once, and it stays in the list", async () => {
    const { programs, clock, ended, sessionsEnded } = await createPairingWorld();
    const untilMs = clock.nowMs() + 100 * hourMs;
    valueOf(await programs.save(program({ access: { ...someAccess, untilMs } })));
    await clock.advance(100 * hourMs - 1);
    expect([programs.find("client-1")?.clientId, sessionsEnded]).toEqual(["client-1", []]);
    await clock.advance(1);
    expect([programs.find("client-1"), sessionsEnded, ended]).toEqual([undefined, ["client-1"], ["client-1"]]);
    await clock.advance(100 * hourMs);
    expect([sessionsEnded, ended, programs.list().length]).toEqual([["client-1"], ["client-1"], 1]);
  });

  it("comes to life when the clock is set back, and ends again", async () => {
    const { programs, vault, clock, ended, sessionsEnded } = await createPairingWorld();
    const untilMs = clock.nowMs() + hourMs;
    valueOf(await programs.save(program({ access: { ...someAccess, untilMs } })));
    await clock.advance(2 * hourMs);
    expect([ended.length, sessionsEnded.length]).toEqual([1, 1]);
    clock.setBack(90 * minuteMs);
    await clock.advance(10 * minuteMs);
    expect(programs.find("client-1")?.clientId).toBe("client-1");
    await clock.advance(hourMs);
    expect([programs.find("client-1"), ended.length, sessionsEnded.length]).toEqual([undefined, 2, 2]);
    // Long over, it is no news at the next start.
    await clock.advance(48 * hourMs);
    expect((await createPairingWorld({ vault, clock })).ended).toEqual([]);
  });

  it("can be given again", async () => {
    const { programs, clock, ended } = await createPairingWorld();
    const until = (hours: number) => ({ ...someAccess, untilMs: clock.nowMs() + hours * hourMs });
    valueOf(await programs.save(program({ access: until(1) })));
    await clock.advance(2 * hourMs);
    valueOf(await programs.changeAccess("client-1", until(1)));
    expect(programs.find("client-1")?.clientId).toBe("client-1");
    await clock.advance(2 * hourMs);
    expect([programs.find("client-1"), ended]).toEqual([undefined, ["client-1", "client-1"]]);
  });

  it("that ended while the app was closed has ended at the next start", async () => {
    const { programs, vault, clock } = await createPairingWorld();
    valueOf(await programs.save(program({ access: { ...someAccess, untilMs: clock.nowMs() + hourMs } })));
    programs.close();
    expect(clock.waitsMs).toEqual([]);
    await clock.advance(2 * hourMs);
    const next = await createPairingWorld({ vault, clock });
    expect([next.programs.find("client-1"), next.ended]).toEqual([undefined, ["client-1"]]);
  });
});

describe("a program of the computer's policy", () => {
  const managed = program({ origin: "policy", name: "Managed DMS" });

  it("is known without the vault, and cannot be changed, replaced or removed", async () => {
    const { programs, vault } = await createPairingWorld({ policyPrograms: [managed] });
    expect(programs.find("client-1")).toEqual(managed);
    expect(codeOf(await programs.changeAccess("client-1", someAccess))).toBe("program_managed");
    expect(codeOf(await programs.save(program()))).toBe("program_managed");
    expect(codeOf(await programs.remove("client-1"))).toBe("program_managed");
    expect([vault.clients.size, programs.list()[0]?.origin]).toEqual([0, "policy"]);
  });

  it("wins over a stored one of the same client id, which comes back without the policy", async () => {
    const { vault } = await withProgram();
    const ruled = await createPairingWorld({ vault, policyPrograms: [managed] });
    expect(ruled.programs.list().map(({ name }) => name)).toEqual(["Managed DMS"]);
    const free = await createPairingWorld({ vault });
    expect(free.programs.list().map(({ name }) => name)).toEqual(["Dealer DMS"]);
  });
});
