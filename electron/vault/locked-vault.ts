/**
 * What can be known of a vault without its key, and setting it aside to start anew.
 *
 * Invariants: the plain columns are for show only; the vault, its backups and its key files are renamed, never deleted.
 */
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionRecord } from "../core/connection-state.ts";
import { flushFolder, writeFileAtomically } from "./atomic-file.ts";
import { listBackups } from "./backups.ts";
import { lostConnection } from "./doubtful.ts";
import { repairDone } from "./repair-marker.ts";
import { salvageRows, withCopy } from "./salvage.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";
import { problemOf, writeFailed } from "./vault-failures.ts";
import { companions, lockFolder } from "./vault-folder.ts";

const vaultName = "vault.sqlite";
const otherNames = ["vault.recovered.sqlite", "vault-keys.json", "vault-keys.copy.json", "vault-epoch.json"] as const;

/** The connections in a vault nobody can open: of the file itself, or of its newest backup. */
export function readLockedConnections(folder: string): readonly ConnectionRecord[] {
  for (const path of [join(folder, vaultName), ...listBackups(folder).map((backup) => backup.path)]) {
    if (!existsSync(path)) continue;
    const found = readPlainColumns(folder, path);
    if (found.length > 0) return found;
  }
  return [];
}

function readPlainColumns(folder: string, path: string): readonly ConnectionRecord[] {
  try {
    const rows = withCopy(folder, path, undefined, salvageRows).get("connection") ?? [];
    return rows.flatMap((row) => lostConnection(row) ?? []);
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
    return [];
  }
}

/**
 * Sets the whole vault aside, so that the next opening makes a new one. Its connections are noted first, for
 * `resumeStartingAnew`. Returns the old vault's new name. Fails with `vault_in_use` or `vault_write_failed`.
 */
export function setWholeVaultAside(folder: string, nowMs: number): Result<string> {
  return whileLocked(folder, () => {
    const stem = basename(unusedPath(join(folder, `vault.set-aside-${dateStamp(nowMs)}`), ""));
    const connections = readLockedConnections(folder).map(({ key, organisation, connectedAtMs }) => ({
      ...key,
      organisation,
      connectedAtMs,
    }));
    writeFileAtomically(notePath(folder), JSON.stringify({ stem, connections }));
    moveAside(folder, stem);
    return `${stem}.sqlite`;
  });
}

/**
 * Goes on with a vault being started anew: moves what a kill left, and gives the old connections. Nothing when none is. Fails
 * with `vault_in_use` or `vault_write_failed`.
 */
export function resumeStartingAnew(folder: string): Result<readonly ConnectionRecord[]> {
  const note = readNote(folder);
  if (note === undefined) return ok([]);
  return whileLocked(folder, () => {
    // Once there is a new key, what lies there is the new vault.
    if (!note.moved) {
      moveAside(folder, note.stem);
      writeFileAtomically(notePath(folder), JSON.stringify({ ...note, moved: true }));
    }
    return note.connections.flatMap(({ connectedAtMs, ...row }) => lostConnection({ ...row, connected_at_ms: connectedAtMs }) ?? []);
  });
}

/** The old connections are in the new vault. Throws the system's error. */
export function endStartingAnew(folder: string): void {
  rmSync(notePath(folder), { force: true });
}

const noteSchema = z.object({
  stem: z.string().regex(/^vault\.set-aside-[\d-]+$/),
  moved: z.boolean().default(false),
  connections: z.array(
    z.object({
      provider: z.string(),
      environment: z.string(),
      user: z.string(),
      organisation: z.string().default(""),
      connectedAtMs: z.number(),
    }),
  ),
});

function readNote(folder: string) {
  try {
    return noteSchema.safeParse(JSON.parse(readFileSync(notePath(folder), "utf8"))).data;
  } catch {
    // None, or one that a kill left half: nothing has been moved then.
    return undefined;
  }
}

function notePath(folder: string): string {
  return join(folder, "vault.starting-anew.json");
}

function moveAside(folder: string, stem: string): void {
  const move = (name: string, as: string) => {
    if (existsSync(join(folder, name))) renameSync(join(folder, name), join(folder, stem + as));
  };
  for (const backup of listBackups(folder)) move(basename(backup.path), `.${basename(backup.path)}`);
  for (const ending of ["", ...companions]) move(vaultName + ending, `.sqlite${ending}`);
  for (const name of otherNames) move(name, `.${name}`);
  repairDone(folder);
  flushFolder(folder);
}

function whileLocked<T>(folder: string, work: () => T): Result<T> {
  const locked = lockFolder(folder);
  if (!locked.ok) return locked;
  try {
    return ok(work());
  } catch (error) {
    return err(writeFailed(error));
  } finally {
    locked.value.release();
  }
}

/** The old vault's connections as a new vault keeps them: each waits for Reconnect. */
export function waitingForReconnect(
  connections: readonly ConnectionRecord[],
  providerName: (provider: string) => string,
): readonly ConnectionRecord[] {
  return connections.map(({ key, ...record }) => ({
    ...record,
    key,
    generation: 1,
    state: { kind: "ReconnectRequired", failure: failure("grant_unreadable", { provider: providerName(key.provider) }) },
  }));
}
