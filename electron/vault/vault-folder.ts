/**
 * The folder of the vault and who may use it.
 *
 * Invariants: folder and files are the owner's alone (0700, 0600); one process at a time holds the lock, and the system
 * drops it when that process dies. No file is ever deleted: a damaged vault is renamed to a name with its date.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { flushFolder } from "./atomic-file.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";
import { saysDamaged, saysInUse, vaultInUse, writeFailed } from "./vault-failures.ts";

/** SQLite's companions of a database file. */
export const companions = ["-wal", "-shm", "-journal"] as const;

export interface LockedFolder {
  readonly vaultPath: string;
  readonly release: () => void;
}

/** Makes the folder and takes its lock. Fails with `vault_locked` while another process holds it, or `vault_write_failed`. */
export function lockFolder(folder: string): Result<LockedFolder> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const lock = takeLockAnew(join(folder, "vault.lock"));
    return ok({ vaultPath: join(folder, "vault.sqlite"), release: () => lock.close() });
  } catch (error) {
    return err(lockFailure(error));
  }
}

/** Whether this file has content: SQLite leaves an empty vault when it is stopped before its first write. Throws the system's error. */
export function vaultExists(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Makes sure of the file's mode before SQLite opens it; `-wal` and `-journal` inherit it. Throws the system's error. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

/** Renames the vault and its companions; returns the new name without folder. Throws the system's error. */
export function setVaultAside(folder: string, vaultPath: string, nowMs: number): string {
  const aside = asidePath(folder, nowMs);
  // The vault first: without it, the next start goes on from here; without its log, it would be an older vault.
  renameSync(vaultPath, aside);
  moveCompanions(vaultPath, aside);
  flushFolder(folder);
  return basename(aside);
}

/** Moves what a kill left beside a vault that was set aside: its log would be taken for the new vault's. Throws the system's error. */
export function moveCompanionsAside(folder: string, vaultPath: string, nowMs: number): void {
  moveCompanions(vaultPath, asidePath(folder, nowMs));
}

function moveCompanions(vaultPath: string, aside: string): void {
  for (const companion of companions) {
    if (existsSync(vaultPath + companion)) renameSync(vaultPath + companion, aside + companion);
  }
}

function asidePath(folder: string, nowMs: number): string {
  return unusedPath(join(folder, `vault.damaged-${dateStamp(nowMs)}`), ".sqlite");
}

/** The lock file holds nothing: a damaged one is made anew. */
function takeLockAnew(path: string): DatabaseSync {
  try {
    return takeLock(path);
  } catch (error) {
    if (!saysDamaged(error)) throw error;
    rmSync(path, { force: true });
    return takeLock(path);
  }
}

/** SQLite's own file lock on an empty database: it works alike on every system and ends with the process. */
function takeLock(path: string): DatabaseSync {
  makePrivateFile(path);
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

function lockFailure(error: unknown): Failure {
  return saysInUse(error) ? vaultInUse() : writeFailed(error);
}
