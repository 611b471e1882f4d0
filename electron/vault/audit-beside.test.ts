import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AuditEntry } from "../core/ports.ts";
import { type AuditBeside, openAuditBeside } from "./audit-beside.ts";
import type { AuditVerification } from "./audit-chain.ts";
import { leaveAuditNote } from "./audit-notes.ts";
import { active, failureOf, john, nowMs, Profile, valueOf } from "./testing/profile.ts";
import type { OpenedVault } from "./vault.ts";
import { openVaultCopy } from "./vault-copy.ts";

function entry(number: number): AuditEntry {
  return { atMs: nowMs + number, action: "token.get", actor: "client-1", user: `user-${number}`, outcome: "ok" };
}

async function running(rows: number): Promise<{ readonly profile: Profile; readonly opened: OpenedVault }> {
  const profile = new Profile();
  const opened = await profile.open();
  const appended = Array.from({ length: rows }, (_, index) => opened.vault.appendAudit(entry(index + 1)));
  for (const result of await Promise.all(appended)) valueOf(result);
  return { profile, opened };
}

async function beside(profile: Profile): Promise<AuditBeside> {
  const opened = valueOf(await openAuditBeside(profile.folder));
  onTestFinished(opened.close);
  return opened;
}

/** Follows docs/audit.md and nothing else. Gives the sequence numbers of an unbroken chain. */
function checkedByTheDocument(jsonLines: string): readonly number[] {
  let hash = Buffer.alloc(32);
  return jsonLines
    .trimEnd()
    .split("\n")
    .map((line) => {
      const text = `${line.slice(0, -75)}}`;
      hash = createHash("sha256").update(hash).update(text).digest();
      const row: unknown = JSON.parse(line);
      expect(row).toMatchObject({ hash: hash.toString("hex") });
      expect(line.slice(0, -75)).toBe(text.slice(0, -1));
      // Of our own log, and compared by the caller.
      return (JSON.parse(text) as { readonly sequence: number }).sequence;
    });
}

async function exported(source: Pick<AuditBeside, "exportAudit">): Promise<string> {
  let text = "";
  for await (const part of source.exportAudit("jsonl")) text += valueOf(part);
  return text;
}

async function verified(copy: AuditBeside, { options }: Profile): Promise<AuditVerification> {
  const result = await copy.verifyAudit(options);
  if (!result.ok) throw new Error(`unexpected failure ${result.error.failure.code}`);
  return result.value;
}

function copiesIn({ folder }: Profile): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith("vault.salvage-"));
}

describe("the audit log beside the running app", () => {
  it("is exported and checked from a copy, which is gone afterwards", async () => {
    const { profile } = await running(600);
    const copy = await beside(profile);
    expect(copiesIn(profile)).toHaveLength(1);
    expect(checkedByTheDocument(await exported(copy))).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    expect(await verified(copy, profile)).toEqual({ kind: "intact", rows: 600 });
    expect(valueOf(await copy.listAudit(1))[0]?.entry).toEqual(entry(600));
    await copy.close();
    expect(copiesIn(profile)).toEqual([]);
  });

  it("is a state the log was in, however fast it grows meanwhile", async () => {
    const { profile, opened } = await running(10);
    const enough = new AbortController();
    const write = async () => {
      // Sign-ins, too: their larger records have the write-ahead log begun anew often.
      for (let number = 1; !enough.signal.aborted; number += 1) {
        valueOf(await opened.vault.commitConnection(active(john, number, "x".repeat(20_000))));
        void opened.vault.appendAudit(entry(number));
        await nextTurn();
      }
    };
    const written = write();
    let before = 0;
    for (let round = 0; round < 10; round += 1) {
      const copy = await beside(profile);
      expect((await verified(copy, profile)).kind).toBe("intact");
      const rows = checkedByTheDocument(await exported(copy)).length;
      expect(rows).toBeGreaterThanOrEqual(before);
      before = rows;
      await copy.close();
    }
    enough.abort();
    await written;
  });

  it("is copied again when the write-ahead log was begun anew in the middle of it", async () => {
    const { profile, opened } = await running(10);
    let generation = 0;
    const fillLog = async () => {
      for (const rows = 40; generation % rows < rows - 1; ) {
        generation += 1;
        valueOf(await opened.vault.commitConnection(active(john, generation, "x".repeat(200_000))));
        await Promise.all([opened.vault.appendAudit(entry(generation)), opened.listAudit(1)]);
      }
      generation += 1;
      valueOf(await opened.vault.commitConnection(active(john, generation)));
    };
    const copied: string[] = [];
    const copying = async (from: string, to: string) => {
      copied.push(basename(from));
      await copyFile(from, to);
      if (copied.length === 1) await fillLog();
    };
    await fillLog();
    const copy = valueOf(await openVaultCopy(profile.folder, profile.vaultPath, copying));
    onTestFinished(copy.close);
    expect(copied).toEqual(["vault.sqlite", "vault.sqlite-wal", "vault.sqlite", "vault.sqlite-wal"]);
    const newest = copy.database.prepare("SELECT max(sequence) AS newest FROM audit").get();
    expect(newest).toEqual({ newest: valueOf(await opened.listAudit(1))[0]?.sequence });
  });

  it("changes nothing of the vault and keeps the app from nothing", async () => {
    const { profile, opened } = await running(3);
    const copy = await beside(profile);
    valueOf(await opened.vault.appendAudit(entry(4)));
    expect(valueOf(await opened.verifyAudit())).toEqual({ kind: "intact", rows: 4 });
    // The copy is of the moment before.
    expect(await verified(copy, profile)).toEqual({ kind: "intact", rows: 3 });
  });

  it("is exported, but not proved, without the keys", async () => {
    const { profile } = await running(3);
    const copy = await beside(profile);
    profile.safeStorage.available = false;
    profile.credentialStore.problem = "unavailable";
    const refused = await copy.verifyAudit(profile.options);
    expect(refused.ok ? "proved" : refused.error.failure.code).toBe("vault_keys_unavailable");
    expect(checkedByTheDocument(await exported(copy))).toEqual([1, 2, 3]);
  });

  it("is broken for who has another vault's key", async () => {
    const { profile } = await running(3);
    const other = new Profile();
    await other.open();
    const copy = await beside(profile);
    const refused = await copy.verifyAudit(other.options);
    expect(refused.ok ? "proved" : refused.error.failure.code).toBe("vault_locked");
  });

  it("cannot be read where there is no vault", async () => {
    const profile = new Profile();
    expect(failureOf(await openAuditBeside(profile.folder)).code).toBe("vault_write_failed");
    writeFileSync(profile.vaultPath, "no database at all".repeat(1_000));
    expect(failureOf(await openAuditBeside(profile.folder)).code).toBe("vault_needs_repair");
    expect(copiesIn(profile)).toEqual([]);
  });
});

describe("a note for the audit log", () => {
  const note = { atMs: nowMs + 5, action: "audit.export", outcome: "ok" } as const;
  const notesIn = ({ folder }: Profile) => readdirSync(folder).filter((name) => name.startsWith("audit-note."));

  it("is in the log the next time it is read, and nowhere else any more", async () => {
    const { profile, opened } = await running(1);
    const copy = await beside(profile);
    valueOf(copy.leaveNote(note));
    valueOf(copy.leaveNote({ ...note, atMs: nowMs, action: "audit.verify", outcome: "audit_broken" }));
    expect(notesIn(profile)).toHaveLength(2);
    const { rows } = valueOf(await opened.pageAudit({ limit: 10 }));
    expect(rows.slice(0, 2)).toEqual([
      { sequence: 3, ...note, actor: "command-line" },
      { sequence: 2, atMs: nowMs, action: "audit.verify", actor: "command-line", outcome: "audit_broken" },
    ]);
    expect(notesIn(profile)).toEqual([]);
    expect(valueOf(await opened.verifyAudit())).toEqual({ kind: "intact", rows: 3 });
  });

  it("waits for the next start", async () => {
    const { profile, opened } = await running(1);
    leaveAuditNote(profile.folder, note);
    opened.close();
    const reopened = await profile.open();
    expect(notesIn(profile)).toEqual([]);
    expect(valueOf(await reopened.listAudit(1))[0]?.entry).toEqual({ ...note, actor: "command-line" });
  });

  it.each([
    ["another act", { ...note, action: "token.get" }],
    ["another actor", { ...note, actor: "broker" }],
    ["a text for an outcome", { ...note, outcome: "ok ok" }],
    ["no JSON", undefined],
    ["a long file", { ...note, outcome: "x".repeat(5_000) }],
  ])("is dropped when it holds %s", async (_what, content) => {
    const { profile, opened } = await running(1);
    const path = join(profile.folder, "audit-note.00000000-0000-0000-0000-000000000000.json");
    writeFileSync(path, content === undefined ? "{" : JSON.stringify(content));
    expect(valueOf(await opened.listAudit(10))).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });
});
