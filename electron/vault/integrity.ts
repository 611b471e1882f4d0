/**
 * One sealed value that stands for the whole set of sealed rows: the XOR of a secret mark of each row.
 *
 * Invariant: it changes in the transaction that changes a row, so a row that was put back, taken away or added by another
 * program is noticed at the next opening although the row itself is sound. (That every single row is whole and in its place
 * its own seal shows; that the file as a whole is the newest, the epoch.) A mark covers kind, names, revision and the
 * seal's tag, which differs for each sealing. The functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type SealedTable, sealedTables } from "./sealed-tables.ts";
import type { Marker, RecordContext, Sealer } from "./sealing.ts";
import { type MarkedRow, sealedBytes } from "./stored-row.ts";

const tagBytes = 16;
const markBytes = 32;
const rowSchema = z.object({ sealed_marks: sealedBytes });
const context: RecordContext = { kind: "integrity", names: [], recordVersion: 1, generation: 0 };

export interface Integrity {
  /** Takes a change of one row into account; `undefined` stands for no row. Call it inside the transaction of that change. */
  readonly changed: (
    kind: SealedTable["kind"],
    names: readonly string[],
    before: MarkedRow | undefined,
    after: MarkedRow | undefined,
  ) => void;
  /** Takes the rows as they are for the truth. Inside a transaction. */
  readonly adopt: () => void;
  /** Whether the rows are those that were written last. Reads all of them. */
  readonly verify: () => boolean;
}

export function openIntegrity(database: DatabaseSync, sealer: Sealer): Integrity {
  const statements = {
    read: database.prepare("SELECT sealed_marks FROM integrity"),
    save: database.prepare("INSERT OR REPLACE INTO integrity (id, sealed_marks) VALUES (1, ?)"),
  };
  // The value last written, under the bytes it was sealed to: after a rollback the stored bytes are others again.
  let known: { readonly sealed: Uint8Array; readonly marks: Uint8Array } | undefined;
  const read = (): Uint8Array | undefined => {
    const row = statements.read.get();
    if (row === undefined) return undefined;
    const { sealed_marks: sealed } = rowSchema.parse(row);
    if (known !== undefined && Buffer.compare(known.sealed, sealed) === 0) return known.marks;
    const text = sealer.open(context, sealed);
    return text === undefined ? undefined : Buffer.from(text, "hex");
  };
  const write = (marks: Uint8Array) => {
    const sealed = sealer.seal(context, Buffer.from(marks).toString("hex"));
    statements.save.run(sealed);
    known = { sealed, marks };
  };
  return {
    changed: (kind, names, before, after) => {
      const marks = read();
      // A value that cannot be read must go on failing at the next opening, not be made up from here on.
      if (marks === undefined) return;
      const next = Uint8Array.from(marks);
      const mark = sealer.marker();
      for (const row of [before, after]) {
        if (row !== undefined) addMark(next, mark(rowText(kind, names, row.revision, tagOf(row.sealed))));
      }
      write(next);
    },
    adopt: () => write(marksOfAll(database, sealer.marker())),
    verify: () => {
      const marks = read();
      return marks !== undefined && Buffer.compare(marks, marksOfAll(database, sealer.marker())) === 0;
    },
  };
}

/** Reads every row's names, revision and tag; the tag as text, which is quicker to take over than bytes. */
function marksOfAll(database: DatabaseSync, mark: Marker): Uint8Array {
  const marks = new Uint8Array(markBytes);
  for (const table of sealedTables) {
    const columns = [...table.names, table.revision, `lower(hex(substr(${table.sealed}, -${tagBytes})))`];
    for (const row of database.prepare(`SELECT ${columns.join(", ")} FROM ${table.name}`).iterate()) {
      const values = Object.values(row);
      const names = values.slice(0, table.names.length).map(String);
      addMark(marks, mark(rowText(table.kind, names, Number(values.at(-2)), String(values.at(-1)))));
    }
  }
  return marks;
}

/** JSON keeps names apart whatever is in them, lone surrogates included. */
function rowText(kind: string, names: readonly string[], revision: number, tag: string): string {
  return JSON.stringify([kind, revision, tag, ...names]);
}

function tagOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(-tagBytes)).toString("hex");
}

function addMark(marks: Uint8Array, mark: Uint8Array): void {
  for (let index = 0; index < markBytes; index += 1) marks[index] = (marks[index] ?? 0) ^ (mark[index] ?? 0);
}
