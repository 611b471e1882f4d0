/**
 * The canary inside the database: it ties the file to the key, so that a key file of another vault does not make every
 * connection look dead.
 *
 * Invariant: from schema version 2 on it is sealed for that version, so a file cannot be passed off as an older one whose
 * rows nobody vouched for. The functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { sealedTables } from "./sealed-tables.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { sealedBytes } from "./stored-row.ts";

const rowSchema = z.object({ sealed_canary: sealedBytes });
const canaryText = "the key of this vault";
/** Version 1 sealed its canary for no version. */
const firstVersionWithItsOwn = 2;

/** Whether the sealer's key is the one this database was made with; a new database takes the key as its own. */
export function provesVault(database: DatabaseSync, sealer: Sealer, vaultId: string): boolean {
  const row = database.prepare("SELECT sealed_canary FROM vault").get();
  if (row !== undefined) return sealer.open(contextOf(database, vaultId), rowSchema.parse(row).sealed_canary) === canaryText;
  if (holdsRows(database)) return false;
  sealCanary(database, sealer, vaultId);
  return true;
}

/** Seals the canary anew: for another key, or after the schema's version rose. */
export function sealCanary(database: DatabaseSync, sealer: Sealer, vaultId: string): void {
  const sealed = sealer.seal(contextOf(database, vaultId), canaryText);
  database.prepare("INSERT OR REPLACE INTO vault (id, sealed_canary) VALUES (1, ?)").run(sealed);
}

/** `user_version` of the file; 0 for a new one. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function contextOf(database: DatabaseSync, vaultId: string): RecordContext {
  const version = schemaVersion(database);
  const generation = version < firstVersionWithItsOwn ? 0 : version;
  return { kind: "canary", names: ["database", vaultId], recordVersion: 1, generation };
}

function holdsRows(database: DatabaseSync): boolean {
  return sealedTables.some(({ name }) => database.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() !== undefined);
}
