/**
 * Rows that hold a plain view and one sealed value: registrations, programs and named secrets.
 *
 * Invariant: the sealed value is bound to its row's names, its revision (so an older value cannot be put under a newer
 * row) and the exact text of the view (so that an endpoint or an access policy cannot be exchanged beside its secret).
 */
import type { RecordContext, Sealer } from "./sealing.ts";

/** Version of the sealed text of these rows. */
export const sealedRowVersion = 1;

export interface SealedRow {
  readonly kind: RecordContext["kind"];
  readonly names: readonly string[];
  readonly revision: number;
  /** JSON text of the view; empty where there is none. */
  readonly view: string;
}

/** Seals `value` for `row`. */
export function sealRow(sealer: Sealer, row: SealedRow, value: string): Buffer {
  return sealer.seal(contextOf(row), value);
}

/** The value, or `undefined` when anything of `row` is not what it was sealed with. */
export function openRow(sealer: Sealer, row: SealedRow, sealed: Uint8Array): string | undefined {
  return sealer.open(contextOf(row), sealed);
}

function contextOf(row: SealedRow): RecordContext {
  return { kind: row.kind, names: row.names, recordVersion: sealedRowVersion, generation: row.revision, boundText: row.view };
}
