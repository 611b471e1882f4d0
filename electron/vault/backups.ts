/**
 * Backups of the vault by generation: whole copies, sealed as the vault is, named by their date.
 *
 * Invariants: a backup appears under its name only once it is complete, checked and flushed; the newest few are kept, and an
 * older one is deleted only after a newer one is in place. The functions throw errors of SQLite and the file system.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { flushFile, flushFolder } from "./atomic-file.ts";
import type { SealedTable } from "./sealed-tables.ts";
import { dateStamp } from "./set-aside.ts";
import { problemOf } from "./vault-failures.ts";
import { makePrivateFile } from "./vault-folder.ts";

/** One damaged backup must not be the last one; each takes as much room as the vault. */
const kept = 3;
/** A number that only rises, since a clock may be set back; the date is for people. */
const namePattern = /^vault\.backup-(\d{6})-(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})\.sqlite$/;
/** Pages copied before others get their turn. */
const pagesAtOnce = 200;
/** About one copy in four meets a transaction while the app writes without a pause. */
const copyTries = 8;
const copyPauseMs = 25;

export interface Backup {
  readonly path: string;
  readonly number: number;
  /** By the clock of that time. */
  readonly takenAtMs: number;
}

/** Newest first. */
export function listBackups(folder: string): readonly Backup[] {
  const found = existsSync(folder) ? readdirSync(folder) : [];
  return found.flatMap((name) => backupNamed(folder, name) ?? []).sort((a, b) => b.number - a.number);
}

/**
 * Copies the open vault while it goes on working, and drops backups beyond the newest few. `isWanted` is asked before the
 * copy takes its name, as the vault may have been closed or its key changed meanwhile.
 */
export async function takeBackup(database: DatabaseSync, folder: string, nowMs: number, isWanted: () => boolean): Promise<boolean> {
  const unfinished = join(folder, unfinishedName);
  rmSync(unfinished, { force: true });
  makePrivateFile(unfinished);
  await copyWhole(database, unfinished, isWanted);
  if (!isWanted() || !isWhole(unfinished)) {
    rmSync(unfinished, { force: true });
    return false;
  }
  flushFile(unfinished);
  const number = String((listBackups(folder)[0]?.number ?? 0) + 1).padStart(6, "0");
  renameSync(unfinished, join(folder, `vault.backup-${number}-${dateStamp(nowMs)}.sqlite`));
  flushFolder(folder);
  for (const old of listBackups(folder).slice(kept)) rmSync(old.path, { force: true });
  return true;
}

/** A step of the copy that meets a transaction of the app fails, and Node gives that error without its code: begin again. */
async function copyWhole(database: DatabaseSync, path: string, isWanted: () => boolean): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      await backup(database, path, { rate: pagesAtOnce });
      return;
    } catch (error) {
      if (tried === copyTries || !isWanted() || !database.isOpen) throw error;
      await setTimeout(tried * copyPauseMs);
    }
  }
}

/** Deletes every backup but the `keep` newest: those before a key change are sealed with a key that nobody has any more. */
export function dropBackups(folder: string, keep: number): void {
  for (const old of listBackups(folder).slice(keep)) rmSync(old.path, { force: true });
}

/**
 * Takes a record out of the backups, too: what was forgotten, removed or narrowed must not come back with one. Overwritten, not
 * only unlinked. A backup that cannot be changed is deleted: it could not be used either.
 */
export function forgetInBackups(folder: string, table: SealedTable, names: readonly string[]): void {
  for (const { path } of listBackups(folder)) {
    try {
      forgetInBackup(path, table, names);
    } catch (error) {
      if (problemOf(error) === undefined) throw error;
      for (const ending of ["", "-journal"]) rmSync(path + ending, { force: true });
    }
  }
}

function forgetInBackup(path: string, { name, names: columns }: SealedTable, names: readonly string[]): void {
  const database = new DatabaseSync(path, { timeout: 0, defensive: true });
  try {
    database.exec("PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
    database.prepare(`DELETE FROM ${name} WHERE ${columns.map((column) => `${column} = ?`).join(" AND ")}`).run(...names);
  } finally {
    database.close();
  }
}

/** Removes what a backup left that was killed. */
export function removeUnfinishedBackup(folder: string): void {
  for (const ending of ["", "-wal", "-shm", "-journal"]) rmSync(join(folder, unfinishedName + ending), { force: true });
}

const unfinishedName = "vault.backup-unfinished.tmp";

/** Whether the copy is sound; also takes it out of write-ahead mode, so that it is one file. */
function isWhole(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 0, defensive: true });
  try {
    const mode = Object.values(database.prepare("PRAGMA journal_mode = DELETE").get() ?? {})[0];
    return mode === "delete" && Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0] === "ok";
  } finally {
    database.close();
  }
}

function backupNamed(folder: string, name: string): Backup | undefined {
  const parts = namePattern.exec(name)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [number = 0, year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return { path: join(folder, name), number, takenAtMs: Date.UTC(year, month - 1, day, hour, minute, second) };
}
