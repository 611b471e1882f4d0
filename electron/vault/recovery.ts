/**
 * Makes a sound vault out of a damaged one: the newest good backup, and over it every row of the damaged file whose seal
 * opens.
 *
 * Invariants: the damaged file gets a name with its date and is never deleted; the new file takes its place only when it is
 * complete, so a kill at any point leaves a file from which the next opening starts again. Nobody knows whether a grant found
 * here is the newest one, so it comes back InDoubt (its refresh token is tried once, late), unless the damaged file can still
 * vouch for all its rows.
 */
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionRecord } from "../core/connection-state.ts";
import { flushFolder } from "./atomic-file.ts";
import { continueAudit } from "./audit-rows.ts";
import { type Backup, listBackups } from "./backups.ts";
import { type ConnectionRows, createConnectionRows } from "./connection-rows.ts";
import { type DatabaseOpening, openDatabase } from "./database.ts";
import { doubtful, lostConnection } from "./doubtful.ts";
import { openIntegrity } from "./integrity.ts";
import { createTables, migrate } from "./migrations.ts";
import { type SalvagedRows, salvageAudit, salvageAuditHead, salvageRows, withCopy } from "./salvage.ts";
import { contextOfRow, putRow, revisionOfRow, type SealedTable, sealedOfRow, sealedTables, storedRevision } from "./sealed-tables.ts";
import type { Sealer } from "./sealing.ts";
import type { StoredRow } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { provesVault } from "./vault-canary.ts";
import { lockedOut, problemOf } from "./vault-failures.ts";
import { companions, damagedPattern, setVaultAside } from "./vault-folder.ts";

export interface RecoveryParts {
  readonly folder: string;
  readonly vaultPath: string;
  readonly sealer: Sealer;
  readonly vaultId: string;
  readonly nowMs: () => number;
}

export interface Recovered {
  /** The damaged file's new name; absent when there was none. */
  readonly aside: string | undefined;
  /** When the backup that was used was taken; absent when none was. */
  readonly backupTakenAtMs: number | undefined;
  /** Connections that still have their sign-in. */
  readonly kept: number;
}

/** Fails with `vault_locked` when nothing found belongs to this key: then everything is left as it is. Throws the system's errors. */
export function recoverVault(parts: RecoveryParts): Result<Recovered> {
  const { folder, vaultPath } = parts;
  const temporary = join(folder, "vault.recovering.tmp");
  removeWithCompanions(temporary);
  const base = openBase(parts, temporary);
  if (base === undefined) return err(lockedOut({ problem: "no new file" }));
  const { database, backup } = base;
  const source = existsSync(vaultPath) ? vaultPath : newestSetAside(folder);
  let taken: Taken;
  try {
    taken = inTransaction(database, () => fill(parts, database, source));
  } finally {
    database.close();
  }
  if (taken.foreign && backup === undefined) {
    removeWithCompanions(temporary);
    return err(lockedOut({ problem: "key of another vault" }));
  }
  const aside = existsSync(vaultPath) ? setVaultAside(folder, vaultPath, parts.nowMs()) : undefined;
  renameSync(temporary, vaultPath);
  flushFolder(folder);
  return ok({ aside, backupTakenAtMs: backup?.takenAtMs, kept: taken.kept });
}

/** Whether something is there that a missing or empty vault can be made again from. */
export function hasRecoverySources(folder: string): boolean {
  return listBackups(folder).length > 0 || newestSetAside(folder) !== undefined;
}

interface Base {
  readonly database: DatabaseSync;
  readonly backup: Backup | undefined;
}

/** A copy of the newest backup that is whole and of this key, brought to the latest version; else an empty vault. */
function openBase(parts: RecoveryParts, temporary: string): Base | undefined {
  for (const backup of [...listBackups(parts.folder), undefined]) {
    removeWithCompanions(temporary);
    if (backup !== undefined) copyFileSync(backup.path, temporary);
    const opening = openDatabase(temporary, (database) => proveAndMigrate(parts, database));
    if (opening.kind === "opened") return { database: opening.value, backup };
  }
  return undefined;
}

function proveAndMigrate({ sealer, vaultId }: RecoveryParts, database: DatabaseSync): DatabaseOpening<DatabaseSync> {
  createTables(database);
  if (!provesVault(database, sealer, vaultId)) return { kind: "damaged" };
  migrate(database, sealer, vaultId);
  return { kind: "opened", value: database };
}

interface Taken {
  /** The source held rows, and none of them was of this key. */
  readonly foreign: boolean;
  readonly kept: number;
}

function fill(parts: RecoveryParts, database: DatabaseSync, source: string | undefined): Taken {
  const integrity = openIntegrity(database, parts.sealer);
  integrity.adopt();
  const connections = createConnectionRows(database, parts.sealer, integrity);
  for (const record of recordsOf(connections)) connections.replace(doubtful(record, parts.nowMs()));
  const foreign = source !== undefined && takeFromSource(parts, database, connections, source);
  integrity.adopt();
  const kept = recordsOf(connections).filter(({ state }) => state.kind !== "ReconnectRequired").length;
  return { foreign, kept };
}

function recordsOf(connections: ConnectionRows): readonly ConnectionRecord[] {
  return connections.keys().flatMap((key) => {
    const read = connections.read(key);
    return read.ok && read.value !== undefined ? [read.value] : [];
  });
}

/** Returns whether the source is another vault's. A file that cannot be opened at all gives nothing and is nobody's. */
function takeFromSource(parts: RecoveryParts, database: DatabaseSync, connections: ConnectionRows, source: string): boolean {
  try {
    return withCopy(parts.folder, source, (damaged) => {
      const rows = salvageRows(damaged);
      const vouched = vouchesForRows(damaged, parts.sealer);
      const opened = takeRows(parts, database, connections, rows, vouched);
      const isOurs = opened > 0 || vouched || canaryProves(parts, damaged);
      if (isOurs) continueAudit(database, (after) => salvageAudit(damaged, after), salvageAuditHead(damaged));
      return !isOurs && [...rows.values()].some((list) => list.length > 0);
    });
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
    return false;
  }
}

function canaryProves({ sealer, vaultId }: RecoveryParts, damaged: DatabaseSync): boolean {
  try {
    return provesVault(damaged, sealer, vaultId);
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
    return false;
  }
}

/** Whether the damage left all sealed rows as they were written last. */
function vouchesForRows(damaged: DatabaseSync, sealer: Sealer): boolean {
  try {
    return openIntegrity(damaged, sealer).verify();
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
    return false;
  }
}

/** Returns how many rows opened. */
function takeRows(parts: RecoveryParts, database: DatabaseSync, connections: ConnectionRows, rows: SalvagedRows, vouched: boolean): number {
  let opened = 0;
  for (const table of sealedTables) {
    for (const row of rows.get(table.name) ?? []) {
      if (opens(parts.sealer, table, row)) opened += 1;
      else if (table.name === "connection") keepAsLost(connections, row);
      if (!opens(parts.sealer, table, row) || revisionOfRow(table, row) < storedRevision(database, table, row)) continue;
      putRow(database, table, row);
      if (table.name === "connection" && !vouched) doubtStored(parts, connections, row);
    }
  }
  return opened;
}

function doubtStored(parts: RecoveryParts, connections: ConnectionRows, row: StoredRow): void {
  const record = connections.readRow(row);
  if (record !== undefined) connections.replace(doubtful(record, parts.nowMs()));
}

/** Whoever was connected is told so, unless the backup has the connection. */
function keepAsLost(connections: ConnectionRows, row: StoredRow): void {
  const lost = lostConnection(row);
  if (lost === undefined) return;
  const stored = connections.read(lost.key);
  if (!stored.ok || stored.value === undefined) connections.replace(lost);
}

function opens(sealer: Sealer, table: SealedTable, row: StoredRow): boolean {
  return sealer.open(contextOfRow(table, row), sealedOfRow(table, row)) !== undefined;
}

function newestSetAside(folder: string): string | undefined {
  const names = readdirSync(folder).filter((name) => damagedPattern.test(name));
  // Without the ending, `-2` follows the name it was added to.
  const newest = names.toSorted((a, b) => a.replace(".sqlite", "").localeCompare(b.replace(".sqlite", ""))).at(-1);
  return newest === undefined ? undefined : join(folder, newest);
}

function removeWithCompanions(path: string): void {
  for (const ending of ["", ...companions]) rmSync(path + ending, { force: true });
}
