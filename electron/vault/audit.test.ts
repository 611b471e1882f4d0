import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ok } from "../../shared/result.ts";
import type { AuditEntry } from "../core/ports.ts";
import { createAuditQueue } from "./audit-queue.ts";
import { nowMs, Profile, valueOf } from "./testing/profile.ts";

function entry(number: number): AuditEntry {
  return {
    atMs: nowMs + number,
    action: "token.get",
    actor: "client-1",
    actorName: "DMS",
    provider: "mazda",
    environment: "production",
    user: `user-${number}`,
    outcome: "ok",
  };
}

async function filled(rows: number): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  const appended = Array.from({ length: rows }, (_, index) => opened.vault.appendAudit(entry(index + 1)));
  opened.close();
  for (const result of await Promise.all(appended)) valueOf(result);
  return profile;
}

/** What another program does: it drops the triggers first. */
function tamper(profile: Profile, sql: string): void {
  profile.edit((database) => {
    const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
    database.exec(sql);
    // Whoever changes the log puts its triggers back: a missing one would be noticed by itself.
    for (const trigger of triggers) database.exec(String(trigger["sql"]));
  });
}

describe("the audit log", () => {
  it("keeps entries in their order across restarts and verifies", async () => {
    const profile = await filled(3);
    const opened = await profile.open();
    valueOf(await opened.vault.appendAudit(entry(4)));
    expect(valueOf(await opened.verifyAudit())).toEqual({ kind: "intact", rows: 4 });
    const listed = valueOf(await opened.listAudit(10));
    expect(listed.map((row) => row.sequence)).toEqual([4, 3, 2, 1]);
    expect(listed.map((row) => row.entry)).toEqual([entry(4), entry(3), entry(2), entry(1)]);
  });

  it("is listed page by page", async () => {
    const opened = await (await filled(5)).open();
    const first = valueOf(await opened.listAudit(2));
    const second = valueOf(await opened.listAudit(2, first.at(-1)?.sequence));
    expect([...first, ...second].map((row) => row.sequence)).toEqual([5, 4, 3, 2]);
  });

  it("is verifiable by anyone from its exported rows", async () => {
    const opened = await (await filled(3)).open();
    let hash = Buffer.alloc(32);
    for (const row of valueOf(await opened.listAudit(10)).toReversed()) {
      hash = createHash("sha256").update(hash).update(row.entryText).digest();
      expect(row.hash).toBe(hash.toString("hex"));
    }
  });

  it("shows entries that still wait to be written", async () => {
    const opened = await new Profile().open();
    const appended = opened.vault.appendAudit(entry(1));
    expect(valueOf(await opened.listAudit(10))).toHaveLength(1);
    valueOf(await appended);
  });

  it("refuses to change or delete rows", async () => {
    const profile = await filled(2);
    profile.edit((database) => {
      expect(() => database.exec("UPDATE audit SET entry = '{}'")).toThrow("append-only");
      expect(() => database.exec("DELETE FROM audit")).toThrow("append-only");
    });
  });

  it.each([
    ["a changed row", `UPDATE audit SET entry = replace(entry, 'user-2', 'user-9') WHERE sequence = 2`, 2, "changed"],
    ["a changed hash", `UPDATE audit SET hash = zeroblob(32) WHERE sequence = 3`, 3, "changed"],
    ["a removed row", `DELETE FROM audit WHERE sequence = 2`, 2, "missing"],
    ["swapped rows", `UPDATE audit SET sequence = -1 * sequence + 5 + 100 WHERE sequence IN (2, 3)`, 2, "missing"],
  ])("shows %s and where the chain breaks", async (_name, sql, sequence, problem) => {
    const profile = await filled(4);
    tamper(profile, sql);
    const opened = await profile.open();
    expect(valueOf(await opened.verifyAudit())).toEqual({ kind: "broken", sequence, problem });
  });

  it("records in itself that its end was cut off", async () => {
    const profile = await filled(4);
    tamper(profile, "DELETE FROM audit WHERE sequence > 2");
    const opened = await profile.open();
    const [newest] = valueOf(await opened.listAudit(1));
    expect(newest).toMatchObject({ sequence: 3, entry: { action: "audit.discontinuity", actor: "broker", atMs: nowMs } });
  });

  it("records in itself that it was emptied", async () => {
    const profile = await filled(2);
    tamper(profile, "DELETE FROM audit");
    const opened = await profile.open();
    expect(valueOf(await opened.listAudit(10)).map((row) => row.entry.action)).toEqual(["audit.discontinuity"]);
  });

  it("records in itself that the chain was rewritten with right hashes", async () => {
    const profile = await filled(1);
    const text = JSON.stringify({ sequence: 1, ...entry(1), user: "somebody-else" });
    const hash = createHash("sha256").update(Buffer.alloc(32)).update(text).digest("hex");
    tamper(profile, `UPDATE audit SET entry = '${text}', hash = x'${hash}'`);
    const opened = await profile.open();
    expect(valueOf(await opened.listAudit(1))[0]?.entry.action).toBe("audit.discontinuity");
  });
});

describe("the audit queue", () => {
  it("writes entries of one moment together and settles each after its commit", async () => {
    const commits: number[] = [];
    const queue = createAuditQueue((entries) => {
      commits.push(entries.length);
      return ok();
    });
    const appended = [1, 2, 3].map((number) => queue.append(entry(number)));
    expect(commits).toEqual([]);
    await Promise.all(appended);
    expect(commits).toEqual([3]);
  });

  it("does not collect without end", () => {
    const commits: number[] = [];
    const queue = createAuditQueue((entries) => {
      commits.push(entries.length);
      return ok();
    });
    for (let number = 0; number < 1_200; number += 1) void queue.append(entry(number));
    expect(commits).toEqual([500, 500]);
    queue.flush();
    expect(commits).toEqual([500, 500, 200]);
  });
});
