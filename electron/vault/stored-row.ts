/** Rows as SQLite gives them, before anything in them is trusted. */
import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";

export type StoredRow = Readonly<Record<string, SQLOutputValue>>;

export const sealedBytes = z.instanceof(Uint8Array);
const revisionSchema = z.object({ revision: z.int() });

/** What integrity counts of a row. */
export interface MarkedRow {
  readonly revision: number;
  readonly sealed: Uint8Array;
}

/** The stored row as integrity counts it; `undefined` when there is none. */
export function markedRow(storedRow: StoredRow | undefined, sealedColumn: string): MarkedRow | undefined {
  if (storedRow === undefined) return undefined;
  return { revision: revisionSchema.parse(storedRow).revision, sealed: sealedBytes.parse(storedRow[sealedColumn]) };
}

/** The revision that follows the stored row's. */
export function nextRevision(storedRow: StoredRow | undefined): number {
  return storedRow === undefined ? 1 : revisionSchema.parse(storedRow).revision + 1;
}
