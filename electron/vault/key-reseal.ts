/**
 * Seals everything in the database again under a new key.
 *
 * Invariant: one transaction, so that after a kill the whole file is under the old key or under the new one. A record that
 * does not open stays as it is: it opens under neither. Throws SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { resealAuditHead } from "./audit-rows.ts";
import { resealEpoch } from "./epoch.ts";
import { openIntegrity } from "./integrity.ts";
import { contextOfRow, findRow, namesOfRow, type SealedTable, sealedOfRow, sealedTables } from "./sealed-tables.ts";
import type { Sealer } from "./sealing.ts";
import { inTransaction } from "./transaction.ts";
import { sealCanary } from "./vault-canary.ts";

export function resealDatabase(database: DatabaseSync, vaultId: string, from: Sealer, to: Sealer): void {
  inTransaction(database, () => {
    for (const table of sealedTables) resealTable(database, table, from, to);
    resealAuditHead(database, from, to);
    resealEpoch(database, from, to);
    openIntegrity(database, to).adopt();
    sealCanary(database, to, vaultId);
  });
}

/** What was sealed with the old key must not stay behind in the write-ahead log. Throws SQLite's errors. */
export function emptyWriteAheadLog(database: DatabaseSync): void {
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function resealTable(database: DatabaseSync, table: SealedTable, from: Sealer, to: Sealer): void {
  const where = table.names.map((name) => `${name} = ?`).join(" AND ");
  const update = database.prepare(`UPDATE ${table.name} SET ${table.sealed} = ? WHERE ${where}`);
  // Names first: a table must not change under its own reader.
  for (const named of database.prepare(`SELECT ${table.names.join(", ")} FROM ${table.name}`).all()) {
    const names = namesOfRow(table, named);
    const row = findRow(database, table, names);
    const text = row === undefined ? undefined : from.open(contextOfRow(table, row), sealedOfRow(table, row));
    if (row !== undefined && text !== undefined) update.run(to.seal(contextOfRow(table, row), text), ...names);
  }
}
