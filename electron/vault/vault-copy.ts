/**
 * Copies the vault's file while the app that holds it goes on writing.
 *
 * Invariants: nothing of the original is changed or locked; what is handed out is a state that the vault was in after some
 * commit. In write-ahead mode the main file changes only by pages that are in the log, too, until the log is begun anew, and
 * a log that is begun anew has another header (sqlite.org/fileformat2.html#walformat). So: the header, the file, the log; and
 * if the header is still the same, the log holds whatever the file got meanwhile. A torn end of the log does not count.
 */
import { copyFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { err, ok, type Result } from "../../shared/result.ts";
import { salvageFolderPrefix } from "./salvage.ts";
import { needsRepair, problemOf, vaultInUse, writeFailed } from "./vault-failures.ts";

/** The log is begun anew about every thousand pages: a second try meets it hardly ever. */
const copyTries = 8;
const copyPauseMs = 50;
const logHeaderBytes = 32;

type CopyFile = (from: string, to: string) => Promise<void>;

export interface VaultCopy {
  readonly database: DatabaseSync;
  /** Removes the copy. */
  readonly close: () => Promise<void>;
}

/**
 * Copies the vault and opens the copy; `copy` copies one file. Fails with `vault_in_use` (it changes all the time),
 * `vault_needs_repair` or `vault_write_failed`.
 */
export async function openVaultCopy(folder: string, vaultPath: string, copy: CopyFile = copyFile): Promise<Result<VaultCopy>> {
  let copyFolder: string | undefined;
  try {
    // In the profile: sealed tokens leave it for nowhere, and the next opening removes what a kill leaves.
    copyFolder = await mkdtemp(join(folder, salvageFolderPrefix));
    const path = join(copyFolder, "copy.sqlite");
    const copied = await copyWhole(vaultPath, path, copy);
    const database = copied ? openCopy(path) : undefined;
    if (database !== undefined) return ok({ database, close: closer(database, copyFolder) });
    await removeFolder(copyFolder);
    return err(vaultInUse());
  } catch (error) {
    if (copyFolder !== undefined) await removeFolder(copyFolder);
    return err(problemOf(error) === "damaged file" ? needsRepair() : writeFailed(error));
  }
}

async function copyWhole(from: string, to: string, copy: CopyFile): Promise<boolean> {
  for (let tried = 1; tried <= copyTries; tried += 1) {
    const before = await stateOf(from);
    await copy(from, to);
    await rm(`${to}-wal`, { force: true });
    if (before.hasLog) await copy(`${from}-wal`, `${to}-wal`).catch(ignoreMissing);
    const after = await stateOf(from);
    if (before.header === after.header && (before.header !== "" || before.changedNs === after.changedNs)) return true;
    await setTimeout(tried * copyPauseMs);
  }
  return false;
}

async function stateOf(path: string) {
  const { mtimeNs } = await stat(path, { bigint: true });
  const header = await logHeader(`${path}-wal`);
  return { hasLog: header !== undefined, header: header ?? "", changedNs: mtimeNs };
}

/** `undefined` without a log; empty while nothing was written to it. */
async function logHeader(path: string): Promise<string | undefined> {
  try {
    await using log = await open(path, "r");
    const { buffer, bytesRead } = await log.read(Buffer.alloc(logHeaderBytes), 0, logHeaderBytes, 0);
    return buffer.toString("hex", 0, bytesRead);
  } catch (error) {
    return ignoreMissing(error);
  }
}

function openCopy(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0, defensive: true });
  try {
    // Exclusive, so that the copy needs no shared index. The first reading takes the log in.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; SELECT 1 FROM audit LIMIT 1");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function closer(database: DatabaseSync, copyFolder: string): () => Promise<void> {
  return async () => {
    if (database.isOpen) database.close();
    await removeFolder(copyFolder);
  };
}

/** What cannot be removed now, the next opening of the vault removes. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
