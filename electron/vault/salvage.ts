/**
 * Takes out of a damaged or foreign database file whatever is whole.
 *
 * Invariant: the file itself is only read (it is opened as a copy), and nothing is believed here: what is taken out is judged
 * by its seal. A row the file cannot give is left out, not an error.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type SealedTable, sealedTables } from "./sealed-tables.ts";
import type { StoredRow } from "./stored-row.ts";
import { problemOf } from "./vault-failures.ts";

export type SalvagedRows = ReadonlyMap<SealedTable["name"], readonly StoredRow[]>;

/** Opens a copy of the file at `path` with its write-ahead log and hands it to `work`. */
export function withCopy<T>(folder: string, path: string, work: (database: DatabaseSync) => T): T {
  const copyFolder = mkdtempSync(join(folder, "vault.salvage-"));
  try {
    const copy = join(copyFolder, "copy.sqlite");
    for (const ending of ["", "-wal"]) {
      if (existsSync(path + ending)) copyFileSync(path + ending, copy + ending);
    }
    const database = new DatabaseSync(copy, { timeout: 0, defensive: true });
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
      return work(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(copyFolder, { recursive: true, force: true });
  }
}

/** Every row that can still be read, of every sealed table. */
export function salvageRows(database: DatabaseSync): SalvagedRows {
  return new Map(sealedTables.map((table) => [table.name, salvageTable(database, table)]));
}

/** From both ends up to the damage. */
function salvageTable(database: DatabaseSync, { name, names }: SealedTable): readonly StoredRow[] {
  const rows = new Map<string, StoredRow>();
  for (const direction of ["ASC", "DESC"]) {
    const order = names.map((column) => `${column} ${direction}`).join(", ");
    for (const row of readable(() => database.prepare(`SELECT * FROM ${name} ORDER BY ${order}`))) {
      const id = JSON.stringify(names.map((column) => row[column]));
      if (direction === "DESC" && rows.has(id)) break;
      rows.set(id, row);
    }
  }
  return [...rows.values()];
}

/** Rows of the audit log from its beginning up to the damage, after `sequence`. */
export function* salvageAudit(database: DatabaseSync, sequence: number): Generator<StoredRow> {
  yield* readable(() => database.prepare("SELECT sequence, entry, hash FROM audit WHERE sequence > ? ORDER BY sequence"), sequence);
}

/** The sealed end of the audit log, if it can be read. */
export function salvageAuditHead(database: DatabaseSync): StoredRow | undefined {
  const [row] = readable(() => database.prepare("SELECT sequence, sealed_hash FROM audit_head"));
  return row;
}

function* readable(prepare: () => StatementSync, ...values: readonly number[]): Generator<StoredRow> {
  try {
    yield* prepare().iterate(...values);
  } catch (error) {
    // The end of what can be read. Any other error is a bug.
    if (problemOf(error) === undefined) throw error;
  }
}
