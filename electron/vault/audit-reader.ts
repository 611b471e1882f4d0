/**
 * Reads the audit log: page by page, as a file, and to prove its chain.
 *
 * Invariant: each step of a generator reads a bounded number of rows, so that a log of any length takes no more memory than a
 * short one, and whoever runs the steps can let others have their turn between them. Everything throws SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { AuditQuery } from "../../shared/ipc-contract.ts";
import type { AuditExportFormat, AuditPageView, AuditRowView } from "../../shared/views.ts";
import type { AuditEntry } from "../core/ports.ts";
import {
  type AuditVerification,
  breakAt,
  brokenAt,
  type ChainEnd,
  genesis,
  readEntry,
  recordsBreak,
  type StoredAuditRow,
  storedAuditRow,
} from "./audit-chain.ts";
import { globPattern, likePattern, matches, okEnding } from "./audit-filter.ts";
import { auditFileForms } from "./audit-format.ts";

/** One row with what vouches for it. */
export interface AuditRow {
  readonly sequence: number;
  readonly entry: AuditEntry;
  /** The text that was hashed. */
  readonly entryText: string;
  /** Hexadecimal. */
  readonly hash: string;
}

export interface VerifyOptions {
  /** Whether a break that the log has recorded about itself counts, too. */
  readonly recorded: boolean;
}

export interface AuditReader {
  /** Newest first. */
  readonly list: (limit: number, beforeSequence?: number) => readonly AuditRow[];
  /** The rows that meet `query`, newest first. */
  readonly searching: (query: AuditQuery) => Generator<undefined, AuditPageView>;
  /** Walks the whole chain up to the end it has by then. */
  readonly verifying: (options: VerifyOptions) => Generator<undefined, AuditVerification>;
  /** A file of the rows there are when it begins, in parts. */
  readonly exporting: (format: AuditExportFormat) => Generator<string, undefined>;
}

/** About 1 ms: a program that asks for a token meanwhile does not notice. */
const rowsAtOnce = 250;
/** SQLite looks through these by itself; the same time. */
const rowsLookedThroughAtOnce = 2_000;

const scannedSchema = z.object({ oldest: z.int().nullable(), count: z.int() });

/** `isSealedEnd` says whether the log should end there. */
export function createAuditReader(database: DatabaseSync, isSealedEnd: (end: ChainEnd) => boolean): AuditReader {
  const statements = {
    page: database.prepare("SELECT sequence, entry, hash FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?"),
    following: database.prepare("SELECT sequence, entry, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?"),
    found: database.prepare(`
      SELECT sequence, entry, hash FROM (SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?)
      WHERE entry LIKE ? ESCAPE '\\' AND entry GLOB ? AND coalesce(entry NOT LIKE ?, 1) ORDER BY sequence DESC LIMIT ?`),
    scanned: database.prepare(`
      SELECT min(sequence) AS oldest, count(*) AS count FROM (SELECT sequence FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?)`),
    newest: database.prepare("SELECT sequence FROM audit ORDER BY sequence DESC LIMIT 1"),
  };
  const following = (sequence: number) => statements.following.all(sequence, rowsAtOnce).map(storedAuditRow);
  return {
    list: (limit, before = Number.MAX_SAFE_INTEGER) =>
      statements.page
        .all(before, limit)
        .map(storedAuditRow)
        .flatMap((row) => listed(row)),
    *searching({ limit, before = Number.MAX_SAFE_INTEGER, ...filter }) {
      const patterns = [likePattern(filter.text), globPattern(filter.text), filter.outcome === "refused" ? okEnding : null] as const;
      const rows: AuditRowView[] = [];
      for (let below = before; ; yield) {
        // One more than asked for shows whether there are more.
        const wanted = limit + 1 - rows.length;
        const found = statements.found.all(below, rowsLookedThroughAtOnce, ...patterns, wanted).map(storedAuditRow);
        rows.push(...found.map(shown).filter((row) => matches(row, filter)));
        if (rows.length > limit) return { rows: rows.slice(0, limit), hasMore: true };
        const { oldest, count } = scannedSchema.parse(statements.scanned.get(below, rowsLookedThroughAtOnce));
        const isAllLookedThrough = found.length < wanted;
        if (isAllLookedThrough && count < rowsLookedThroughAtOnce) return { rows, hasMore: false };
        below = (isAllLookedThrough ? oldest : found.at(-1)?.sequence) ?? 0;
      }
    },
    *verifying({ recorded }) {
      let end = genesis;
      let recordedBreak: AuditVerification | undefined;
      for (let rows = following(0); rows.length > 0; rows = following(end.sequence)) {
        for (const row of rows) {
          const broken = breakAt(end, row);
          if (broken !== undefined) return recordedBreak ?? broken;
          if (recorded && recordsBreak(row)) recordedBreak ??= brokenAt(row.sequence, "head");
          end = row;
        }
        yield;
      }
      // In the step that found no more rows, so that none was added between.
      if (recordedBreak !== undefined) return recordedBreak;
      return isSealedEnd(end) ? { kind: "intact", rows: end.sequence } : brokenAt(end.sequence + 1, "head");
    },
    *exporting(format) {
      const { heading, line } = auditFileForms[format];
      const newest = Number(statements.newest.get()?.["sequence"] ?? 0);
      if (heading !== "") yield heading;
      for (let after = 0; after < newest; ) {
        const rows = following(after).filter(({ sequence }) => sequence <= newest);
        yield rows.map(line).join("");
        after = rows.at(-1)?.sequence ?? newest;
      }
      return undefined;
    },
  };
}

/** A row that cannot be read any more is not left out: somebody has changed it. */
function shown({ sequence, entry }: StoredAuditRow): AuditRowView {
  const row = readEntry(entry);
  if (row === undefined) return { sequence, atMs: 0, action: "audit.unreadable", actor: "broker", outcome: "audit_broken" };
  return { ...row, sequence };
}

function listed({ sequence, entry: entryText, hash }: StoredAuditRow): readonly AuditRow[] {
  const row = readEntry(entryText);
  if (row === undefined) return [];
  const { sequence: _sequence, ...entry } = row;
  return [{ sequence, entry, entryText, hash: Buffer.from(hash).toString("hex") }];
}
