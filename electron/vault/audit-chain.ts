/**
 * The chain of the audit log: each row's hash is SHA-256 over the hash before it and the row's JSON text (docs/audit.md).
 *
 * Invariants: pure; a changed, inserted or missing row does not fit for anyone who has the rows; a break that the log has
 * recorded about itself stays a break.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { AuditRowView, AuditVerificationView } from "../../shared/views.ts";
import type { AuditEntry } from "../core/ports.ts";
import { parseJson } from "./stored-json.ts";
import { sealedBytes } from "./stored-row.ts";

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

/** `broken`: `sequence` is the first row that does not fit. */
export type AuditVerification = AuditVerificationView;
export type BrokenAudit = Extract<AuditVerification, { readonly kind: "broken" }>;

/** The newest row of a chain, or of a part of it. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** A row as it is stored. `entry` is the text that was hashed. */
export interface StoredAuditRow extends ChainEnd {
  readonly entry: string;
}

/** What the first row follows. */
export const genesis: ChainEnd = { sequence: 0, hash: new Uint8Array(32) };

/** What the broker writes when it finds that the end of the log is not the one it sealed. */
export const discontinuity = { action: "audit.discontinuity", actor: "broker", outcome: "audit_broken" } as const;

/** Throws `ZodError` for a row of another form. */
export function storedAuditRow(row: unknown): StoredAuditRow {
  return rowSchema.parse(row);
}

/** The same for a row that may be damaged: `undefined` then. */
export function readableAuditRow(row: unknown): StoredAuditRow | undefined {
  return rowSchema.safeParse(row).data;
}

/** What a row's text says; `undefined` when nothing of ours wrote it. */
export function readEntry(text: string): AuditRowView | undefined {
  return entrySchema.safeParse(parseJson(text)).data;
}

/** The text of a row: keys in a fixed order, because the text is what is hashed. */
export function entryText(sequence: number, entry: AuditEntry): string {
  const { atMs, action, actor, actorName, provider, environment, user, outcome } = entry;
  return JSON.stringify({ sequence, atMs, action, actor, actorName, provider, environment, user, outcome });
}

/** The hash of a row with this text that follows `previousHash`. */
export function chainedHash(previousHash: Uint8Array, text: string): Buffer {
  return createHash("sha256").update(previousHash).update(text, "utf8").digest();
}

/** Whether `row` is the one that follows `end`: the next sequence, and a hash that is right. */
export function follows(end: ChainEnd, { sequence, entry, hash }: StoredAuditRow): boolean {
  return sequence === end.sequence + 1 && chainedHash(end.hash, entry).equals(hash);
}

/** The break between `end` and `row`, which should follow it; `undefined` when it does. */
export function breakAt(end: ChainEnd, row: StoredAuditRow): BrokenAudit | undefined {
  const expected = end.sequence + 1;
  if (row.sequence !== expected) return brokenAt(expected, "missing");
  const isItsOwn = readEntry(row.entry)?.sequence === row.sequence;
  return isItsOwn && follows(end, row) ? undefined : brokenAt(row.sequence, "changed");
}

/**
 * Whether the row tells that rows before it were cut off or exchanged: the sealed end did not fit, or the whole vault was an
 * older copy.
 */
export function recordsBreak({ entry }: StoredAuditRow): boolean {
  // Hardly any row does; reading every one's text again would take most of a verification.
  if (!entry.includes(discontinuity.action) && !entry.includes("vault_rolled_back")) return false;
  const row = readEntry(entry);
  if (row?.actor !== discontinuity.actor) return false;
  return row.action === discontinuity.action || (row.action === "vault.open" && row.outcome === "vault_rolled_back");
}

export function brokenAt(sequence: number, problem: BrokenAudit["problem"]): BrokenAudit {
  return { kind: "broken", sequence, problem };
}
