/**
 * Backups of the vault by generation: whole copies, sealed as the vault is, named by their date.
 *
 * Invariants: a backup appears under its name only once it is complete, checked and flushed; the newest few are kept, and an
 * older one is deleted only after a newer one is in place. The functions throw errors of SQLite and the file system.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { flushFolder } from "./atomic-file.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";
import { makePrivateFile } from "./vault-folder.ts";

/** One damaged backup must not be the last one; each takes as much room as the vault. */
const kept = 3;
const namePattern = /^vault\.backup-(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})(?:-\d+)?\.sqlite$/;
/** Pages copied before others get their turn. */
const pagesAtOnce = 200;
/** About one copy in four meets a transaction while the app writes without a pause. */
const copyTries = 8;
const copyPauseMs = 25;

export interface Backup {
  readonly path: string;
  readonly takenAtMs: number;
}

/** Newest first. */
export function listBackups(folder: string): readonly Backup[] {
  const found = existsSync(folder) ? readdirSync(folder) : [];
  return found
    .flatMap((name) => {
      const takenAtMs = dateInName(name);
      return takenAtMs === undefined ? [] : [{ path: join(folder, name), takenAtMs }];
    })
    .sort((a, b) => b.takenAtMs - a.takenAtMs || b.path.length - a.path.length || b.path.localeCompare(a.path));
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
  renameSync(unfinished, unusedPath(join(folder, `vault.backup-${dateStamp(nowMs)}`), ".sqlite"));
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

/** Takes a forgotten connection out of the backups too; overwritten, not only unlinked. */
export function forgetInBackups(folder: string, names: readonly [provider: string, environment: string, user: string]): void {
  for (const { path } of listBackups(folder)) {
    const database = new DatabaseSync(path, { timeout: 0, defensive: true });
    try {
      database.exec("PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
      database.prepare("DELETE FROM connection WHERE provider = ? AND environment = ? AND user = ?").run(...names);
    } finally {
      database.close();
    }
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

function flushFile(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function dateInName(name: string): number | undefined {
  const parts = namePattern.exec(basename(name))?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
