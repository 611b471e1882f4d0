/**
 * One stored value that vouches for the whole set of sealed rows.
 *
 * Each row has a secret mark, over its kind, names, revision and the seal's tag, which differs for each sealing. The XOR of
 * all marks is kept in memory; what is stored is a mark of that. Invariant: it changes in the transaction that changes a row,
 * so a row that was put back, taken away or added by another program is noticed at the next opening although the row itself
 * is sound. (That every single row is whole and in its place its own seal shows; that the file as a whole is the newest, the
 * epoch.) The functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type SealedTable, sealedTables } from "./sealed-tables.ts";
import type { Marker, Sealer } from "./sealing.ts";
import { type MarkedRow, sealedBytes, tagColumn } from "./stored-row.ts";

const markBytes = 32;
const noMark = new Uint8Array();
const rowSchema = z.object({ mark: sealedBytes });

export interface Integrity {
  /**
   * Takes a change of one row into account; `undefined` stands for no row. Call it inside the transaction of that change,
   * after `verify` or `adopt`.
   */
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

/** The set of rows as it is in memory, and the mark that stands for it on disk. */
interface MarkedSet {
  readonly marks: Uint8Array;
  readonly mark: Uint8Array;
}

export function openIntegrity(database: DatabaseSync, sealer: Sealer): Integrity {
  const statements = {
    read: database.prepare("SELECT mark FROM integrity"),
    save: database.prepare("INSERT OR REPLACE INTO integrity (id, mark) VALUES (1, ?)"),
    follow: database.prepare("UPDATE integrity SET mark = ? WHERE mark = ?"),
  };
  // Newest first. The one before it counts again when the transaction of the newest is rolled back.
  let known: readonly MarkedSet[] = [];
  const stored = (): Uint8Array | undefined => rowSchema.optional().parse(statements.read.get())?.mark;
  return {
    changed: (kind, names, before, after) => {
      const mark = sealer.marker();
      const rowMarks = [before, after].flatMap((row) => (row === undefined ? [] : [mark(rowText(kind, names, row))]));
      const follows = (current: MarkedSet): boolean => {
        const next = markedSet(mark, withMarks(current.marks, rowMarks));
        if (statements.follow.run(next.mark, current.mark).changes !== 1) return false;
        known = [next, current];
        return true;
      };
      if (known.some(follows)) return;
      // A transaction of several changes was rolled back: the rows themselves tell what was stored before this one.
      if (known.length > 0 && follows(markedSet(mark, withMarks(marksOfAll(database, mark), rowMarks)))) return;
      // Going on would make the next opening believe what nobody has checked.
      throw new Error("the rows have not been verified");
    },
    adopt: () => {
      const mark = sealer.marker();
      const next = markedSet(mark, marksOfAll(database, mark));
      known = [next];
      statements.save.run(next.mark);
    },
    verify: () => {
      const mark = sealer.marker();
      const found = markedSet(mark, marksOfAll(database, mark));
      if (Buffer.compare(found.mark, stored() ?? noMark) !== 0) return false;
      known = [found];
      return true;
    },
  };
}

/** A mark that is in the set already is taken out by adding it. */
function withMarks(marks: Uint8Array, added: readonly Uint8Array[]): Uint8Array {
  const next = Uint8Array.from(marks);
  for (const mark of added) addMark(next, mark);
  return next;
}

function markedSet(mark: Marker, marks: Uint8Array): MarkedSet {
  return { marks, mark: mark(`all.${hex(marks)}`) };
}

/** Reads every row. Its text is put together by SQLite: taking over five values a row would take most of an opening. */
function marksOfAll(database: DatabaseSync, mark: Marker): Uint8Array {
  const marks = new Uint8Array(markBytes);
  for (const table of sealedTables) {
    const parts = [...table.names.map((name) => `hex(${name})`), table.revision, `hex(${tagColumn(table.sealed)})`];
    // In the order of the key, so that its index is proved together with the rows it leads to.
    const select = `SELECT ${parts.join(" || '.' || ")} AS text FROM ${table.name} ORDER BY ${table.names.join(", ")}`;
    for (const { text } of database.prepare(select).iterate()) addMark(marks, mark(`${table.kind}.${String(text)}`));
  }
  return marks;
}

/** Hexadecimal keeps the parts apart whatever is in them. The same text as `marksOfAll` has SQLite make. */
function rowText(kind: string, names: readonly string[], { revision, tag }: MarkedRow): string {
  return [kind, ...names.map((name) => hex(Buffer.from(name, "utf8"))), revision, hex(tag)].join(".");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

function addMark(marks: Uint8Array, mark: Uint8Array): void {
  for (let index = 0; index < markBytes; index += 1) marks[index] = (marks[index] ?? 0) ^ (mark[index] ?? 0);
}
