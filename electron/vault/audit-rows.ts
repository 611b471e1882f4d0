/**
 * The audit log: each row's hash is SHA-256 over the hash before it and the row's JSON text, so a changed, inserted or
 * missing row breaks the chain for anyone who verifies an export.
 *
 * Invariants: rows are only ever added (triggers refuse the rest). The newest sequence and hash are sealed in the same
 * transaction, so a chain that was cut or rewritten as a whole is noticed by whoever has the vault key; such a find is
 * itself written to the log before anything else. The functions throw SQLite's errors.
 */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { AuditEntry } from "../core/ports.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { parseJson } from "./stored-json.ts";
import { type StoredRow, sealedBytes } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";

const entrySchema = z.object({
  sequence: z.int(),
  atMs: z.number(),
  action: z.string(),
  actor: z.string(),
  actorName: z.string().exactOptional(),
  provider: z.string().exactOptional(),
  environment: z.enum(["acceptance", "production"]).exactOptional(),
  user: z.string().exactOptional(),
  outcome: z.string(),
});
const rowSchema = z.object({ sequence: z.int(), entry: z.string(), hash: sealedBytes });
const headSchema = z.object({ sequence: z.int(), sealed_hash: sealedBytes });

/** One row as exported. */
export interface AuditRow {
  readonly sequence: number;
  readonly entry: AuditEntry;
  /** The text that was hashed. */
  readonly entryText: string;
  /** Hexadecimal. */
  readonly hash: string;
}

export type AuditVerification =
  | { readonly kind: "intact"; readonly rows: number }
  /** `sequence` is the first row that does not fit. */
  | { readonly kind: "broken"; readonly sequence: number; readonly problem: "changed" | "missing" | "head" };

export interface AuditRows {
  readonly append: (entries: readonly AuditEntry[]) => void;
  /** Newest first. */
  readonly list: (limit: number, beforeSequence?: number) => readonly AuditRow[];
  readonly verify: () => AuditVerification;
  /** The same, a page at a time, while the log goes on growing. `pause` lets others have their turn. */
  readonly verifyInSteps: (pause: () => Promise<void>) => Promise<AuditVerification>;
}

interface Head {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** About 5 ms. */
const rowsAtOnce = 1_000;

const genesis: Head = { sequence: 0, hash: new Uint8Array(32) };

/** Opens the log. A chain whose end is not the sealed one gets a row that says so. */
export function openAuditRows(database: DatabaseSync, sealer: Sealer, nowMs: () => number): AuditRows {
  const statements = {
    last: database.prepare("SELECT sequence, entry, hash FROM audit ORDER BY sequence DESC LIMIT 1"),
    insert: database.prepare("INSERT INTO audit (sequence, entry, hash) VALUES (?, ?, ?)"),
    page: database.prepare("SELECT sequence, entry, hash FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?"),
    all: database.prepare("SELECT sequence, entry, hash FROM audit ORDER BY sequence"),
    following: database.prepare("SELECT sequence, entry, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?"),
    head: database.prepare("SELECT sequence, sealed_hash FROM audit_head"),
    saveHead: database.prepare("INSERT OR REPLACE INTO audit_head (id, sequence, sealed_hash) VALUES (1, ?, ?)"),
  };
  const readLast = (): Head => {
    const row = statements.last.get();
    return row === undefined ? genesis : rowSchema.parse(row);
  };
  const headFits = (last: Head): boolean => {
    const row = statements.head.get();
    if (row === undefined) return last.sequence === 0;
    const { sequence, sealed_hash: sealed } = headSchema.parse(row);
    return sequence === last.sequence && sealer.open(headContext(sequence), sealed) === hex(last.hash);
  };
  const append = (entries: readonly AuditEntry[]) => {
    if (entries.length === 0) return;
    inTransaction(database, () => {
      let head = readLast();
      for (const entry of entries) {
        const text = entryText(head.sequence + 1, entry);
        head = { sequence: head.sequence + 1, hash: chained(head.hash, text) };
        statements.insert.run(head.sequence, text, head.hash);
      }
      statements.saveHead.run(head.sequence, sealer.seal(headContext(head.sequence), hex(head.hash)));
    });
  };

  if (!headFits(readLast())) append([{ atMs: nowMs(), action: "audit.discontinuity", actor: "broker", outcome: "vault_damaged" }]);
  return {
    append,
    list: (limit, before = Number.MAX_SAFE_INTEGER) => statements.page.all(before, limit).flatMap(exportedRow),
    verifyInSteps: async (pause) => {
      let head = genesis;
      for (;;) {
        const walked = walkChain(statements.following.all(head.sequence, rowsAtOnce), head);
        if (walked.kind === "broken") return walked;
        if (walked.head.sequence === head.sequence) break;
        head = walked.head;
        await pause();
      }
      return headFits(head) ? { kind: "intact", rows: head.sequence } : brokenAt(head.sequence + 1, "head");
    },
    verify: () => {
      const walked = walkChain(statements.all.iterate());
      if (walked.kind === "broken") return walked;
      return headFits(walked.head) ? { kind: "intact", rows: walked.head.sequence } : brokenAt(walked.head.sequence + 1, "head");
    },
  };
}

/**
 * Adds rows of another copy of this log as far as they continue its chain, and the sealed end if it is that of the last of
 * them. `rowsAfter` gives the rows after a sequence number. Throws SQLite's errors.
 */
export function continueAudit(
  database: DatabaseSync,
  rowsAfter: (sequence: number) => Iterable<StoredRow>,
  storedHead: StoredRow | undefined,
): void {
  const last = database.prepare("SELECT sequence, entry, hash FROM audit ORDER BY sequence DESC LIMIT 1").get();
  const insert = database.prepare("INSERT INTO audit (sequence, entry, hash) VALUES (?, ?, ?)");
  let head: Head = last === undefined ? genesis : rowSchema.parse(last);
  for (const stored of rowsAfter(head.sequence)) {
    const row = rowSchema.safeParse(stored).data;
    if (row === undefined || row.sequence !== head.sequence + 1 || !chained(head.hash, row.entry).equals(row.hash)) break;
    insert.run(row.sequence, row.entry, row.hash);
    head = row;
  }
  const sealed = headSchema.safeParse(storedHead).data;
  if (sealed?.sequence !== head.sequence) return;
  database
    .prepare("INSERT OR REPLACE INTO audit_head (id, sequence, sealed_hash) VALUES (1, ?, ?)")
    .run(sealed.sequence, sealed.sealed_hash);
}

/** Seals the end of the log under another key. Inside a transaction. Throws SQLite's errors. */
export function resealAuditHead(database: DatabaseSync, from: Sealer, to: Sealer): void {
  const row = headSchema.safeParse(database.prepare("SELECT sequence, sealed_hash FROM audit_head").get()).data;
  const hash = row === undefined ? undefined : from.open(headContext(row.sequence), row.sealed_hash);
  if (row === undefined || hash === undefined) return;
  database.prepare("UPDATE audit_head SET sealed_hash = ?").run(to.seal(headContext(row.sequence), hash));
}

type Walked = { readonly kind: "whole"; readonly head: Head } | Extract<AuditVerification, { kind: "broken" }>;

function walkChain(rows: Iterable<unknown>, from: Head = genesis): Walked {
  let head = from;
  for (const row of rows) {
    const { sequence, entry, hash } = rowSchema.parse(row);
    const expected = head.sequence + 1;
    if (sequence !== expected) return brokenAt(expected, "missing");
    const computed = chained(head.hash, entry);
    const sameRow = entrySchema.safeParse(parseJson(entry)).data?.sequence === sequence;
    if (!sameRow || !computed.equals(hash)) return brokenAt(sequence, "changed");
    head = { sequence, hash: computed };
  }
  return { kind: "whole", head };
}

function brokenAt(sequence: number, problem: "changed" | "missing" | "head"): Extract<AuditVerification, { kind: "broken" }> {
  return { kind: "broken", sequence, problem };
}

/** Fixed order of keys: the text is what is hashed. */
function entryText(sequence: number, entry: AuditEntry): string {
  const { atMs, action, actor, actorName, provider, environment, user, outcome } = entry;
  return JSON.stringify({ sequence, atMs, action, actor, actorName, provider, environment, user, outcome });
}

function chained(previousHash: Uint8Array, text: string): Buffer {
  return createHash("sha256").update(previousHash).update(text, "utf8").digest();
}

function exportedRow(row: unknown): readonly AuditRow[] {
  const { sequence, entry: text, hash } = rowSchema.parse(row);
  const parsed = entrySchema.safeParse(parseJson(text));
  if (!parsed.success) return [];
  const { sequence: _sequence, ...entry } = parsed.data;
  return [{ sequence, entry, entryText: text, hash: hex(hash) }];
}

function headContext(sequence: number): RecordContext {
  return { kind: "audit-head", names: [], recordVersion: 1, generation: sequence };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
