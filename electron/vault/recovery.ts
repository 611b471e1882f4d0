/**
 * Makes a sound vault out of a damaged one: the newest good backup, and over it every row of the damaged file whose seal
 * opens; or only that file's rows, if it can still vouch for all of them.
 *
 * Invariants: the damaged file gets a name with its date and is never deleted; it is moved only when the new file is complete
 * under a name of its own, so a kill at any point leaves the old file or the new one to go on with; a disk that fails on the
 * way ends the recovery and changes nothing. Nobody knows whether a grant found here is the newest one, so it comes back
 * InDoubt (its refresh token is tried once, late), unless the damaged file vouches for its rows.
 */
import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionRecord } from "../core/connection-state.ts";
import { flushFile, flushFolder } from "./atomic-file.ts";
import { continueAudit } from "./audit-rows.ts";
import { type Backup, listBackups } from "./backups.ts";
import { type ConnectionRows, createConnectionRows } from "./connection-rows.ts";
import { openDatabase } from "./database.ts";
import { doubtful, lostConnection } from "./doubtful.ts";
import { type Epoch, isBehind, readEpoch } from "./epoch.ts";
import { openIntegrity } from "./integrity.ts";
import { createTables, migrate } from "./migrations.ts";
import { type SalvagedRows, salvageAudit, salvageAuditHead, salvageRows, withCopy } from "./salvage.ts";
import { contextOfRow, putRow, revisionOfRow, type SealedTable, sealedOfRow, sealedTables, storedRevision } from "./sealed-tables.ts";
import type { Sealer } from "./sealing.ts";
import type { StoredRow } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { provesVault } from "./vault-canary.ts";
import { lockedOut, saysDamaged } from "./vault-failures.ts";
import { companions, moveCompanionsAside, setVaultAside, vaultExists } from "./vault-folder.ts";

export interface RecoveryParts {
  readonly folder: string;
  readonly vaultPath: string;
  /** Sealers of the keys that may be this vault's, likeliest first. */
  readonly sealers: readonly Sealer[];
  readonly vaultId: string;
  /** The epochs noted outside the file. */
  readonly notedEpochs: (sealer: Sealer) => readonly Epoch[];
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

/** Complete, and only waiting to take the vault's name. */
const recoveredName = "vault.recovered.sqlite";
const temporaryName = "vault.recovering.tmp";

/**
 * Fails with `vault_locked` when nothing found belongs to any of the keys: then everything is left as it is. Throws errors of
 * SQLite and the file system; then, too.
 */
export function recoverVault(parts: RecoveryParts): Result<Recovered> {
  const { folder, vaultPath } = parts;
  const source = existsSync(vaultPath) ? vaultPath : undefined;
  const sealer = sealerFor(parts, source);
  const temporary = join(folder, temporaryName);
  const base = openBase(parts, sealer, temporary);
  if (base === undefined) return err(lockedOut({ problem: "no new file" }));
  const taken = complete(base.database, () => fill(parts, sealer, base.database, source));
  if (taken.foreign && base.backup === undefined) {
    removeWithCompanions(temporary);
    return err(lockedOut({ problem: "key of another vault" }));
  }
  flushFile(temporary);
  renameSync(temporary, join(folder, recoveredName));
  flushFolder(folder);
  const aside = source === undefined ? undefined : setVaultAside(folder, vaultPath, parts.nowMs());
  finishRecovery(folder, vaultPath, parts.nowMs());
  const usedBackup = taken.vouched ? undefined : base.backup;
  return ok({ aside, backupTakenAtMs: usedBackup?.takenAtMs, kept: taken.kept });
}

/** Whether a missing or empty vault can be made again. */
export function hasRecoverySources(folder: string, vaultPath: string): boolean {
  return listBackups(folder).length > 0 || existsSync(join(folder, recoveredName)) || vaultExists(`${vaultPath}-wal`);
}

/** Goes on with a recovery that was killed, and clears away what killed ones left. Throws the system's errors. */
export function finishRecovery(folder: string, vaultPath: string, nowMs: number): void {
  removeWithCompanions(join(folder, temporaryName));
  const recovered = join(folder, recoveredName);
  if (!existsSync(recovered)) return;
  if (existsSync(vaultPath)) {
    // Killed before the damaged file was moved: it will be recovered again.
    removeWithCompanions(recovered);
    return;
  }
  moveCompanionsAside(folder, vaultPath, nowMs);
  renameSync(recovered, vaultPath);
  flushFolder(folder);
}

/** The key that opens most of the damaged file: after a key change that was killed, either of two may be the right one. */
function sealerFor({ folder, sealers }: RecoveryParts, source: string | undefined): Sealer {
  const [first, ...others] = sealers;
  if (first === undefined) throw new Error("no key to recover with");
  if (others.length === 0 || source === undefined) return first;
  const rows = readSource(folder, source, salvageRows);
  const opened = (sealer: Sealer) =>
    sealedTables.reduce((sum, table) => sum + (rows?.get(table.name) ?? []).filter((row) => opens(sealer, table, row)).length, 0);
  return others.reduce((best, sealer) => (opened(sealer) > opened(best) ? sealer : best), first);
}

interface Base {
  readonly database: DatabaseSync;
  readonly backup: Backup | undefined;
}

/** A copy of the newest backup that is whole and of this key, brought to the latest version; else an empty vault. */
function openBase(parts: RecoveryParts, sealer: Sealer, temporary: string): Base | undefined {
  for (const backup of [...listBackups(parts.folder), undefined]) {
    removeWithCompanions(temporary);
    if (backup !== undefined) copyBackup(backup.path, temporary);
    const opening = openDatabase<DatabaseSync>(
      temporary,
      (database) => {
        createTables(database);
        if (!provesVault(database, sealer, parts.vaultId)) return { kind: "damaged" };
        migrate(database, sealer, parts.vaultId);
        return { kind: "opened", value: database };
      },
      { thorough: true },
    );
    if (opening.kind === "opened") return { database: opening.value, backup };
  }
  return undefined;
}

/** With the journal of a change that was killed: SQLite undoes it. */
function copyBackup(path: string, temporary: string): void {
  copyFileSync(path, temporary);
  if (existsSync(`${path}-journal`)) copyFileSync(`${path}-journal`, `${temporary}-journal`);
}

/** Does `work` in one transaction and closes the file as one that needs no write-ahead log. */
function complete<T>(database: DatabaseSync, work: () => T): T {
  try {
    const value = inTransaction(database, work);
    const mode = Object.values(database.prepare("PRAGMA journal_mode = DELETE").get() ?? {})[0];
    if (mode !== "delete") throw new Error("the new vault could not be completed");
    return value;
  } finally {
    database.close();
  }
}

interface Taken {
  /** The source held rows, and none of them was of this key. */
  readonly foreign: boolean;
  readonly vouched: boolean;
  readonly kept: number;
}

function fill(parts: RecoveryParts, sealer: Sealer, database: DatabaseSync, source: string | undefined): Taken {
  const integrity = openIntegrity(database, sealer);
  integrity.adopt();
  const connections = createConnectionRows(database, sealer, integrity);
  const work = (damaged: DatabaseSync) => wholly(database, () => takeFrom(parts, sealer, { database, connections, damaged }));
  const taken = (source === undefined ? undefined : readSource(parts.folder, source, work)) ?? { foreign: false, vouched: false };
  if (!taken.vouched) {
    for (const record of recordsOf(connections)) connections.replace(doubtful(record, parts.nowMs()));
  }
  integrity.adopt();
  const kept = recordsOf(connections).filter(({ state }) => state.kind !== "ReconnectRequired").length;
  return { ...taken, kept };
}

/** All of `work` or nothing of it, within the transaction of the recovery. */
function wholly<T>(database: DatabaseSync, work: () => T): T {
  database.exec("SAVEPOINT taking");
  try {
    const value = work();
    database.exec("RELEASE taking");
    return value;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK TO taking; RELEASE taking");
    throw error;
  }
}

interface Sides {
  readonly database: DatabaseSync;
  readonly connections: ConnectionRows;
  readonly damaged: DatabaseSync;
}

function takeFrom(parts: RecoveryParts, sealer: Sealer, sides: Sides): Omit<Taken, "kept"> {
  const { database, damaged } = sides;
  const rows = salvageRows(damaged);
  const vouched = vouchesForRows(parts, sealer, damaged);
  // What it does not have any more was taken away on purpose: a program that was removed must not come back.
  if (vouched) for (const { name } of sealedTables) database.exec(`DELETE FROM ${name}`);
  const opened = takeRows(sealer, sides, rows);
  const isOurs = opened > 0 || vouched || read(() => provesVault(damaged, sealer, parts.vaultId)) === true;
  if (isOurs) continueAudit(database, (after) => salvageAudit(damaged, after), salvageAuditHead(damaged));
  return { foreign: !isOurs && [...rows.values()].some((list) => list.length > 0), vouched };
}

/** Whether the damage left all sealed rows as they were written last, and the file is not an older copy. */
function vouchesForRows({ notedEpochs }: RecoveryParts, sealer: Sealer, damaged: DatabaseSync): boolean {
  const isWhole = read(() => openIntegrity(damaged, sealer).verify()) === true;
  if (!isWhole) return false;
  const epoch = read(() => readEpoch(damaged, sealer));
  return epoch !== undefined && !notedEpochs(sealer).some((noted) => isBehind(epoch, noted));
}

/** Returns how many rows opened. */
function takeRows(sealer: Sealer, { database, connections }: Sides, rows: SalvagedRows): number {
  let opened = 0;
  for (const table of sealedTables) {
    for (const row of rows.get(table.name) ?? []) {
      if (!opens(sealer, table, row)) {
        if (table.name === "connection") keepAsLost(connections, row);
        continue;
      }
      opened += 1;
      if (revisionOfRow(table, row) >= storedRevision(database, table, row)) putRow(database, table, row);
    }
  }
  return opened;
}

/** Whoever was connected is told so, unless the backup has the connection. */
function keepAsLost(connections: ConnectionRows, row: StoredRow): void {
  const lost = lostConnection(row);
  if (lost === undefined) return;
  const stored = connections.read(lost.key);
  if (!stored.ok || stored.value === undefined) connections.replace(lost);
}

function recordsOf(connections: ConnectionRows): readonly ConnectionRecord[] {
  return connections.keys().flatMap((key) => {
    const stored = connections.read(key);
    return stored.ok && stored.value !== undefined ? [stored.value] : [];
  });
}

function opens(sealer: Sealer, table: SealedTable, row: StoredRow): boolean {
  return sealer.open(contextOfRow(table, row), sealedOfRow(table, row)) !== undefined;
}

/** What a damaged file gives; `undefined` when it is no database at all. A disk that fails is no damage: that is thrown on. */
function readSource<T>(folder: string, source: string, work: (damaged: DatabaseSync) => T): T | undefined {
  const [newest] = listBackups(folder);
  return read(() => withCopy(folder, source, newest?.path, work));
}

function read<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!saysDamaged(error)) throw error;
    return undefined;
  }
}

function removeWithCompanions(path: string): void {
  for (const ending of ["", ...companions]) rmSync(path + ending, { force: true });
}
