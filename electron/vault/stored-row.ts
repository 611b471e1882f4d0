/** Rows as SQLite gives them, before anything in them is trusted. */
import type { SQLOutputValue } from "node:sqlite";
import { z } from "zod";

export type StoredRow = Readonly<Record<string, SQLOutputValue>>;

export const sealedBytes = z.instanceof(Uint8Array);
const revisionSchema = z.object({ revision: z.int() });

/** The tag at the end of sealed bytes (sealing.ts). */
const tagBytes = 16;

/** What integrity counts of a row. */
export interface MarkedRow {
  readonly revision: number;
  /** The seal's tag: each sealing has another one. */
  readonly tag: Uint8Array;
}

/** SQL for the tag of a sealed column. */
export function tagColumn(sealedColumn: string): string {
  return `substr(${sealedColumn}, -${tagBytes})`;
}

export function markedBytes(revision: number, sealed: Uint8Array): MarkedRow {
  return { revision, tag: sealed.subarray(-tagBytes) };
}

/** The stored row as integrity counts it; `undefined` when there is none. */
export function markedRow(storedRow: StoredRow | undefined, sealedColumn: string): MarkedRow | undefined {
  if (storedRow === undefined) return undefined;
  return markedBytes(revisionSchema.parse(storedRow).revision, sealedBytes.parse(storedRow[sealedColumn]));
}

/** The revision that follows the stored row's. */
export function nextRevision(storedRow: StoredRow | undefined): number {
  return storedRow === undefined ? 1 : revisionSchema.parse(storedRow).revision + 1;
}
