/**
 * Opens the vault's database with one of the keys that may be its own, and has a damaged one recovered.
 *
 * Invariants: nothing is written before a key has proved itself; what is damaged, changed by others or older than it should
 * be is never used silently: each gives a notice.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type DatabaseOpening, openDatabase } from "./database.ts";
import { doubtful } from "./doubtful.ts";
import { type Epoch, isBehind, readEpoch, startEpoch } from "./epoch.ts";
import { openIntegrity } from "./integrity.ts";
import { createTables, migrate } from "./migrations.ts";
import { hasRecoverySources, type Recovered, recoverVault } from "./recovery.ts";
import { createSealer } from "./sealing.ts";
import { inTransaction } from "./transaction.ts";
import { provesVault } from "./vault-canary.ts";
import { lockedOut, writeFailed } from "./vault-failures.ts";
import { vaultExists } from "./vault-folder.ts";
import { openTables, type VaultTables } from "./vault-tables.ts";

export interface VaultFileParts {
  readonly folder: string;
  readonly vaultPath: string;
  readonly vaultId: string;
  /** Keys that may be this vault's, likeliest first. */
  readonly candidates: readonly Buffer[];
  /** The newest epochs noted outside the vault. */
  readonly notedEpochs: readonly (Epoch | undefined)[];
  readonly nowMs: () => number;
}

export interface OpenedVaultFile {
  readonly tables: VaultTables;
  readonly vaultKey: Buffer;
  readonly epoch: Epoch;
  readonly notices: readonly Failure[];
}

interface Proven {
  readonly tables: VaultTables;
  readonly vaultKey: Buffer;
}

/** Fails with `vault_locked` (of another key), `vault_newer`, `vault_in_use` or `vault_write_failed`; then the file is as it was. */
export function openVaultFile(parts: VaultFileParts): Result<OpenedVaultFile> {
  const opening = mustBeRecovered(parts) ? ({ kind: "damaged" } as const) : openProven(parts);
  if (opening.kind === "opened") return finish(parts, opening.value, []);
  if (opening.kind === "failed") return err(opening.failure);
  const recovered = recoverWithAnyKey(parts);
  if (!recovered.ok) return recovered;
  const again = openProven(parts);
  if (again.kind === "failed") return err(again.failure);
  if (again.kind !== "opened") return err(failure("vault_write_failed", { problem: "damaged file" }));
  return finish(parts, again.value, recoveryNotices(opening.kind, recovered.value));
}

/** A vault that was there before must not come back empty because its file is gone or cut to nothing. */
function mustBeRecovered({ folder, vaultPath }: VaultFileParts): boolean {
  return !vaultExists(vaultPath) && hasRecoverySources(folder);
}

function openProven(parts: VaultFileParts): DatabaseOpening<Proven> {
  return openDatabase(parts.vaultPath, (database): DatabaseOpening<Proven> => {
    createTables(database);
    for (const vaultKey of parts.candidates) {
      const sealer = createSealer(vaultKey);
      if (!provesVault(database, sealer, parts.vaultId)) continue;
      migrate(database, sealer, parts.vaultId);
      const integrity = openIntegrity(database, sealer);
      if (!integrity.verify()) return { kind: "changed" };
      return { kind: "opened", value: { tables: openTables(database, sealer, integrity, parts.nowMs), vaultKey } };
    }
    // The key has proved itself on the key file: this file is another vault's, or its canary is damaged.
    return { kind: "damaged" };
  });
}

function recoverWithAnyKey(parts: VaultFileParts): Result<Recovered> {
  let recovered: Result<Recovered> = err(lockedOut({ problem: "no key" }));
  for (const vaultKey of parts.candidates) {
    recovered = attempt(() => recoverVault({ ...parts, sealer: createSealer(vaultKey) }));
    if (recovered.ok) break;
  }
  return recovered;
}

function recoveryNotices(why: "damaged" | "changed", { aside, backupTakenAtMs, kept }: Recovered): readonly Failure[] {
  const code = why === "changed" ? "vault_changed" : "vault_damaged";
  return [
    ...(aside === undefined ? [] : [failure(code, { file: aside, kept })]),
    ...(backupTakenAtMs === undefined ? [] : [failure("vault_restored", { date: new Date(backupTakenAtMs).toISOString() })]),
  ];
}

/** Looks whether the file is the newest one, and starts its next epoch. */
function finish(parts: VaultFileParts, { tables, vaultKey }: Proven, recovered: readonly Failure[]): Result<OpenedVaultFile> {
  const { database, sealer } = tables;
  const finished = attempt(() =>
    inTransaction(database, () => {
      const found = readEpoch(database, sealer);
      const isOld = recovered.length === 0 && parts.notedEpochs.some((noted) => isBehind(found, noted));
      if (isOld) doubtEverything(tables, parts.nowMs());
      const notices = isOld ? [failure("vault_rolled_back")] : recovered;
      return ok({ tables, vaultKey, epoch: startEpoch(database, sealer, newest([found, ...parts.notedEpochs])), notices });
    }),
  );
  if (!finished.ok) database.close();
  return finished;
}

function doubtEverything({ connections }: VaultTables, nowMs: number): void {
  for (const key of connections.keys()) {
    const read = connections.read(key);
    if (read.ok && read.value !== undefined) connections.replace(doubtful(read.value, nowMs));
  }
}

function newest(epochs: readonly (Epoch | undefined)[]): Epoch | undefined {
  return epochs.reduce((best, epoch) => ((epoch?.number ?? 0) > (best?.number ?? 0) ? epoch : best), undefined);
}

function attempt<T>(work: () => Result<T>): Result<T> {
  try {
    return work();
  } catch (error) {
    return err(writeFailed(error));
  }
}

/** Ends the epoch at a clean close, so that a write-ahead log of this run can be told from the closed vault. Throws SQLite's errors. */
export function endEpoch({ database, sealer }: VaultTables, epoch: Epoch): Epoch {
  return inTransaction(database, () => startEpoch(database, sealer, epoch));
}
