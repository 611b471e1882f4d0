/**
 * The audit log in the vault (its chain: `audit-chain.ts`).
 *
 * Invariants: rows are only ever added (triggers refuse the rest). The newest sequence and hash are sealed in the same
 * transaction, so a chain that was cut or rewritten as a whole is noticed by whoever has the vault key; such a find is
 * itself written to the log before anything else. The functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { AuditEntry } from "../core/ports.ts";
import { type ChainEnd, chainedHash, discontinuity, entryText, follows, genesis, readableAuditRow, storedAuditRow } from "./audit-chain.ts";
import { type AuditReader, createAuditReader } from "./audit-reader.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { type StoredRow, sealedBytes } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";

const headSchema = z.object({ sequence: z.int(), sealed_hash: sealedBytes });

export interface AuditRows extends AuditReader {
  readonly append: (entries: readonly AuditEntry[]) => void;
  /** The row that this opening had to write, because the end of the log was not the sealed one. */
  readonly discontinuityFound: number | undefined;
}

/** Opens the log. A chain whose end is not the sealed one gets a row that says so. */
export function openAuditRows(database: DatabaseSync, sealer: Sealer, nowMs: () => number): AuditRows {
  const insert = prepareInsert(database);
  const readEnd = endReader(database);
  const saveHead = database.prepare("INSERT OR REPLACE INTO audit_head (id, sequence, sealed_hash) VALUES (1, ?, ?)");
  const isSealedEnd = sealedEndOf(database, sealer);
  const append = (entries: readonly AuditEntry[]) => {
    if (entries.length === 0) return;
    inTransaction(database, () => {
      let end = readEnd();
      for (const entry of entries) {
        const text = entryText(end.sequence + 1, entry);
        end = { sequence: end.sequence + 1, hash: chainedHash(end.hash, text) };
        insert.run(end.sequence, text, end.hash);
      }
      saveHead.run(end.sequence, sealer.seal(headContext(end.sequence), hex(end.hash)));
    });
  };

  const isWhole = isSealedEnd(readEnd());
  if (!isWhole) append([{ atMs: nowMs(), ...discontinuity }]);
  return {
    ...createAuditReader(database, isSealedEnd),
    append,
    discontinuityFound: isWhole ? undefined : readEnd().sequence,
  };
}

/** Tells whether the log of this database should end with a row, as its last writer has sealed it. */
export function sealedEndOf(database: DatabaseSync, sealer: Sealer): (end: ChainEnd) => boolean {
  const head = database.prepare("SELECT sequence, sealed_hash FROM audit_head");
  return (end) => {
    const row = head.get();
    if (row === undefined) return end.sequence === 0;
    const { sequence, sealed_hash: sealed } = headSchema.parse(row);
    return sequence === end.sequence && sealer.open(headContext(sequence), sealed) === hex(end.hash);
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
  const insert = prepareInsert(database);
  let end = endReader(database)();
  for (const stored of rowsAfter(end.sequence)) {
    const row = readableAuditRow(stored);
    if (row === undefined || !follows(end, row)) break;
    insert.run(row.sequence, row.entry, row.hash);
    end = row;
  }
  const sealed = headSchema.safeParse(storedHead).data;
  if (sealed?.sequence !== end.sequence) return;
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

function prepareInsert(database: DatabaseSync) {
  return database.prepare("INSERT INTO audit (sequence, entry, hash) VALUES (?, ?, ?)");
}

function endReader(database: DatabaseSync): () => ChainEnd {
  const newest = database.prepare("SELECT sequence, entry, hash FROM audit ORDER BY sequence DESC LIMIT 1");
  return () => {
    const row = newest.get();
    return row === undefined ? genesis : storedAuditRow(row);
  };
}

function headContext(sequence: number): RecordContext {
  return { kind: "audit-head", names: [], recordVersion: 1, generation: sequence };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
