/**
 * Takes out of a damaged or foreign database file whatever is whole.
 *
 * Invariants: the file itself is only read (it is opened as a copy), and nothing is believed here: what is taken out is judged
 * by its seal. A row the file cannot give is left out, not an error; a disk that fails is an error, not a missing row.
 */
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { latestVersion, schemaFits } from "./migrations.ts";
import { type SealedTable, sealedTables } from "./sealed-tables.ts";
import type { StoredRow } from "./stored-row.ts";
import { schemaVersion } from "./vault-canary.ts";
import { saysDamaged } from "./vault-failures.ts";

export type SalvagedRows = ReadonlyMap<SealedTable["name"], readonly StoredRow[]>;

/** Begins the names of the folders for copies; what a kill left of them is removed at the next opening. */
export const salvageFolderPrefix = "vault.salvage-";

/** SQLite's page size where nobody chose another, and the vault does not. */
const pageBytes = 4096;

/**
 * Opens a copy of the file at `path` with its write-ahead log and hands it to `work`. A file whose first page, with header and
 * schema, is damaged gets that page from `sibling`, an older copy of the same file, if there is one.
 */
export function withCopy<T>(folder: string, path: string, sibling: string | undefined, work: (database: DatabaseSync) => T): T {
  const copyFolder = mkdtempSync(join(folder, salvageFolderPrefix));
  try {
    const copy = join(copyFolder, "copy.sqlite");
    copyWithLog(path, copy);
    const database = openCopy(copy);
    try {
      if (sibling === undefined || hasTables(database)) return work(database);
    } finally {
      database.close();
    }
    copyWithLog(path, copy);
    replaceFirstPage(copy, sibling);
    const mended = openCopy(copy);
    try {
      return work(mended);
    } finally {
      mended.close();
    }
  } finally {
    rmSync(copyFolder, { recursive: true, force: true });
  }
}

function copyWithLog(path: string, copy: string): void {
  for (const ending of ["", "-wal"]) {
    rmSync(copy + ending, { force: true });
    if (existsSync(path + ending)) copyFileSync(path + ending, copy + ending);
  }
}

function openCopy(copy: string): DatabaseSync {
  const database = new DatabaseSync(copy, { timeout: 0, defensive: true });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    return database;
  } catch (error) {
    if (!saysDamaged(error)) {
      database.close();
      throw error;
    }
    return database;
  }
}

/** Whether the tables can be asked for what they hold. A file of an older version has other tables, but no damaged ones. */
function hasTables(database: DatabaseSync): boolean {
  try {
    return schemaVersion(database) < latestVersion || schemaFits(database);
  } catch (error) {
    if (!saysDamaged(error)) throw error;
    return false;
  }
}

function replaceFirstPage(path: string, sibling: string): void {
  if (statSync(path).size < pageBytes || statSync(sibling).size < pageBytes) return;
  const page = Buffer.alloc(pageBytes);
  const from = openSync(sibling, "r");
  const to = openSync(path, "r+");
  try {
    readSync(from, page, 0, pageBytes, 0);
    // The file is as long as it is, whatever the older header says (sqlite.org/fileformat2.html, offset 28).
    page.writeUInt32BE(Math.floor(statSync(path).size / pageBytes), 28);
    writeSync(to, page, 0, pageBytes, 0);
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** Every row that can still be read, of every sealed table. */
export function salvageRows(database: DatabaseSync): SalvagedRows {
  return new Map(sealedTables.map((table) => [table.name, salvageTable(database, table)]));
}

/** From both ends of the key's index up to the damage, and then the table by itself. */
function salvageTable(database: DatabaseSync, { name, names }: SealedTable): readonly StoredRow[] {
  const rows = new Map<string, StoredRow>();
  const orders = ["ASC", "DESC"].map((direction) => names.map((column) => `${column} ${direction}`).join(", "));
  const selects = [...orders.map((order) => `SELECT * FROM ${name} ORDER BY ${order}`), `SELECT * FROM ${name} NOT INDEXED`];
  for (const select of selects) {
    for (const row of readable(() => database.prepare(select))) rows.set(JSON.stringify(names.map((column) => row[column])), row);
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
    // The end of what can be read.
    if (!saysDamaged(error)) throw error;
  }
}
