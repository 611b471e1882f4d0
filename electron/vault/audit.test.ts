import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { ok } from "../../shared/result.ts";
import { openAuditBeside } from "./audit-beside.ts";
import { createAuditQueue } from "./audit-queue.ts";
import { entry, filled, tamper } from "./testing/audit-log.ts";
import { nowMs, Profile, valueOf } from "./testing/profile.ts";

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

  it("goes on saying so, and where", async () => {
    const profile = await filled(4);
    tamper(profile, "DELETE FROM audit WHERE sequence > 2");
    const first = await profile.open();
    expect(valueOf(await first.inspect()).audit).toEqual({ kind: "broken", sequence: 3, problem: "head" });
    valueOf(await first.vault.appendAudit(entry(9)));
    first.close();
    const second = await profile.open();
    expect(valueOf(await second.verifyAudit())).toEqual({ kind: "broken", sequence: 3, problem: "head" });
    // The notice of the start is for what is new.
    expect(valueOf(await second.inspect()).audit).toEqual({ kind: "intact", rows: 4 });
  });

  it("counts an older copy of the whole vault as a break", async () => {
    const profile = await filled(2);
    const old = readFileSync(profile.vaultPath);
    const opened = await profile.open();
    valueOf(await opened.vault.appendAudit(entry(3)));
    opened.close();
    writeFileSync(profile.vaultPath, old);
    const reopened = await profile.open();
    expect(reopened.notices.map(({ code }) => code)).toEqual(["vault_rolled_back"]);
    expect(valueOf(await reopened.verifyAudit())).toEqual({ kind: "broken", sequence: 3, problem: "head" });
  });

  it("takes no row for a break that a program or a person could have caused", async () => {
    const opened = await new Profile().open();
    valueOf(await opened.vault.appendAudit({ ...entry(1), user: "audit.discontinuity", actorName: "vault_rolled_back" }));
    valueOf(await opened.vault.appendAudit({ ...entry(2), action: "audit.discontinuity", actor: "a-program" }));
    expect(valueOf(await opened.verifyAudit())).toEqual({ kind: "intact", rows: 2 });
  });

  it("names the end when the last rows were rewritten while it was open", async () => {
    const profile = await filled(2);
    const text = JSON.stringify({ sequence: 2, ...entry(2), user: "somebody-else" });
    const opened = await profile.open();
    const [, first] = valueOf(await opened.listAudit(2));
    opened.close();
    const hash = createHash("sha256")
      .update(Buffer.from(first?.hash ?? "", "hex"))
      .update(text)
      .digest("hex");
    tamper(profile, `UPDATE audit SET entry = '${text}', hash = x'${hash}' WHERE sequence = 2`);
    const beside = valueOf(await openAuditBeside(profile.folder));
    onTestFinished(beside.close);
    expect(await beside.verifyAudit(profile.options)).toEqual(ok({ kind: "broken", sequence: 3, problem: "head" }));
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

  it("does not collect without end, and makes no answer of the same turn wait for the disk", async () => {
    const commits: number[] = [];
    const queue = createAuditQueue((entries) => {
      commits.push(entries.length);
      return ok();
    });
    for (let number = 0; number < 4_001; number += 1) void queue.append(entry(number));
    expect(commits).toEqual([]);
    await new Promise(setImmediate);
    expect(commits).toEqual([4_001]);
  });
});
