/**
 * The tables whose rows hold one sealed value, described once, for what has to go over all of them: integrity, key change,
 * recovery. Invariant: a row's context here is the one its own module seals it with.
 */
import type { DatabaseSync } from "node:sqlite";
import { connectionRecordVersion } from "./connection-schema.ts";
import { sealedRowVersion } from "./sealed-row.ts";
import type { RecordContext } from "./sealing.ts";
import type { StoredRow } from "./stored-row.ts";

export interface SealedTable {
  readonly name: "connection" | "registration" | "dms_client" | "secret";
  readonly kind: "connection" | "registration" | "client" | "secret";
  /** Columns of the primary key, in the order in which they name the record. */
  readonly names: readonly string[];
  readonly revision: "generation" | "revision";
  readonly sealed: string;
  /** Column whose text is bound to the sealed value. */
  readonly view: "view" | undefined;
  readonly recordVersion: number;
}

export const sealedTables: readonly SealedTable[] = [
  {
    name: "connection",
    kind: "connection",
    names: ["provider", "environment", "user"],
    revision: "generation",
    sealed: "sealed_record",
    view: undefined,
    recordVersion: connectionRecordVersion,
  },
  {
    name: "registration",
    kind: "registration",
    names: ["provider", "environment"],
    revision: "revision",
    sealed: "sealed_client_secret",
    view: "view",
    recordVersion: sealedRowVersion,
  },
  {
    name: "dms_client",
    kind: "client",
    names: ["client_id"],
    revision: "revision",
    sealed: "sealed_client_key",
    view: "view",
    recordVersion: sealedRowVersion,
  },
  {
    name: "secret",
    kind: "secret",
    names: ["name"],
    revision: "revision",
    sealed: "sealed_value",
    view: undefined,
    recordVersion: sealedRowVersion,
  },
];

/** What the row's sealed value was sealed for. */
export function contextOfRow(table: SealedTable, row: StoredRow): RecordContext {
  const view = table.view === undefined ? "" : String(row[table.view]);
  return {
    kind: table.kind,
    names: namesOfRow(table, row),
    recordVersion: table.recordVersion,
    generation: Number(row[table.revision]),
    ...(view === "" ? {} : { boundText: view }),
  };
}

/** The row's sealed bytes; empty, and so never openable, when the column holds something else. */
export function sealedOfRow(table: SealedTable, row: StoredRow): Uint8Array {
  const sealed = row[table.sealed];
  return sealed instanceof Uint8Array ? sealed : new Uint8Array();
}

export function namesOfRow(table: SealedTable, row: StoredRow): readonly string[] {
  return table.names.map((name) => String(row[name]));
}

export function revisionOfRow(table: SealedTable, row: StoredRow): number {
  return Number(row[table.revision]);
}

/** The revision under which `row`'s record is stored in `database`; 0 when it is not. Throws SQLite's errors. */
export function storedRevision(database: DatabaseSync, table: SealedTable, row: StoredRow): number {
  const stored = findRow(database, table, namesOfRow(table, row));
  return stored === undefined ? 0 : revisionOfRow(table, stored);
}

/** The whole row of a record. Throws SQLite's errors. */
export function findRow(database: DatabaseSync, table: SealedTable, names: readonly string[]): StoredRow | undefined {
  const where = table.names.map((name) => `${name} = ?`).join(" AND ");
  return database.prepare(`SELECT * FROM ${table.name} WHERE ${where}`).get(...names);
}

/** Puts a row of another copy of the table in, with every column it has but its row id. Throws SQLite's errors. */
export function putRow(database: DatabaseSync, table: SealedTable, { id: _id, ...row }: StoredRow): void {
  const columns = Object.keys(row);
  const places = columns.map(() => "?").join(", ");
  database.prepare(`INSERT OR REPLACE INTO ${table.name} (${columns.join(", ")}) VALUES (${places})`).run(...Object.values(row));
}
