/**
 * What can be known of a vault without its key, and setting it aside to start anew.
 *
 * Invariants: the plain columns are for show only; the vault, its backups and its key files are renamed, never deleted.
 */
import { existsSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionRecord } from "../core/connection-state.ts";
import { flushFolder } from "./atomic-file.ts";
import { listBackups } from "./backups.ts";
import { lostConnection } from "./doubtful.ts";
import { salvageRows, withCopy } from "./salvage.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";
import { problemOf, writeFailed } from "./vault-failures.ts";
import { companions, lockFolder } from "./vault-folder.ts";

const vaultName = "vault.sqlite";
const otherNames = ["vault-keys.json", "vault-keys.copy.json", "vault-epoch.json"] as const;

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
    const rows = withCopy(folder, path, salvageRows).get("connection") ?? [];
    return rows.flatMap((row) => lostConnection(row) ?? []);
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
    return [];
  }
}

/**
 * Sets the whole vault aside, so that the next opening makes a new one. Returns the old vault's new name. Fails with
 * `vault_in_use` or `vault_write_failed`.
 */
export function setWholeVaultAside(folder: string, nowMs: number): Result<string> {
  const locked = lockFolder(folder);
  if (!locked.ok) return locked;
  try {
    const stem = unusedPath(join(folder, `vault.set-aside-${dateStamp(nowMs)}`), "");
    const move = (name: string, as: string) => {
      if (existsSync(join(folder, name))) renameSync(join(folder, name), stem + as);
    };
    // The keys last: while they are there, a kill in between leaves a vault that says it is locked, not an empty one.
    for (const backup of listBackups(folder)) renameSync(backup.path, `${stem}.${basename(backup.path)}`);
    for (const ending of [...companions, ""]) move(vaultName + ending, `.sqlite${ending}`);
    for (const name of otherNames) move(name, `.${name}`);
    flushFolder(dirname(stem));
    return ok(`${basename(stem)}.sqlite`);
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
