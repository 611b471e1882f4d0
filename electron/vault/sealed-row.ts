/**
 * Rows that hold a plain view and one sealed value: registrations, programs and named secrets.
 *
 * Invariant: the sealed value is bound to its row's names, its revision (so an older value cannot be put under a newer
 * row) and the exact text of the view (so that an endpoint or an access policy cannot be exchanged beside its secret).
 */
import { z } from "zod";
import type { RecordContext, Sealer } from "./sealing.ts";

const recordVersion = 1;

export interface SealedRow {
  readonly kind: RecordContext["kind"];
  readonly names: readonly string[];
  readonly revision: number;
  /** JSON text of the view; empty where there is none. */
  readonly view: string;
}

export const revisionSchema = z.object({ revision: z.int() });
export const sealedBytes = z.instanceof(Uint8Array);

/** Seals `value` for `row`. */
export function sealRow(sealer: Sealer, row: SealedRow, value: string): Buffer {
  return sealer.seal(contextOf(row), value);
}

/** The value, or `undefined` when anything of `row` is not what it was sealed with. */
export function openRow(sealer: Sealer, row: SealedRow, sealed: Uint8Array): string | undefined {
  return sealer.open(contextOf(row), sealed);
}

/** The revision that follows the stored row's. */
export function nextRevision(storedRow: unknown): number {
  return storedRow === undefined ? 1 : revisionSchema.parse(storedRow).revision + 1;
}

function contextOf(row: SealedRow): RecordContext {
  return { kind: row.kind, names: row.names, recordVersion, generation: row.revision, boundText: row.view };
}
