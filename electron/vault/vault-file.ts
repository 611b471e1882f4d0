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
import { type Epoch, isBehind, readEpoch, readEpochFile, startEpoch } from "./epoch.ts";
import { openIntegrity } from "./integrity.ts";
import { createTables, latestVersion, migrate, schemaFits } from "./migrations.ts";
import { finishRecovery, hasRecoverySources, type Recovered, recoverVault } from "./recovery.ts";
import { needsRepairAtStart, repairDone } from "./repair-marker.ts";
import { createSealer, type Sealer } from "./sealing.ts";
import { inTransaction } from "./transaction.ts";
import { provesVault, schemaVersion } from "./vault-canary.ts";
import { writeFailed } from "./vault-failures.ts";
import { vaultExists } from "./vault-folder.ts";
import { openTables, type VaultTables } from "./vault-tables.ts";

export interface VaultFileParts {
  readonly folder: string;
  readonly vaultPath: string;
  readonly vaultId: string;
  /** Keys that may be this vault's, likeliest first. */
  readonly candidates: readonly Buffer[];
  /** The newest epoch noted in the credential store. */
  readonly credentialEpoch: Epoch | undefined;
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
  const prepared = attempt(() => ok(finishRecovery(parts.folder, parts.vaultPath, parts.nowMs())));
  if (!prepared.ok) return prepared;
  const opening = mustBeRecovered(parts) ? ({ kind: "damaged" } as const) : openProven(parts);
  if (opening.kind === "opened") return finish(parts, opening.value, []);
  if (opening.kind === "failed") return err(opening.failure);
  const recovered = recover(parts);
  if (!recovered.ok) return recovered;
  const again = openProven(parts);
  if (again.kind === "failed") return err(again.failure);
  if (again.kind !== "opened") return err(failure("vault_write_failed", { problem: "damaged file" }));
  return finish(parts, again.value, recoveryNotices(opening.kind, recovered.value));
}

/** A vault that was there before must not come back empty because its file is gone or cut to nothing. */
function mustBeRecovered({ folder, vaultPath }: VaultFileParts): boolean {
  if (needsRepairAtStart(folder)) return true;
  return !vaultExists(vaultPath) && hasRecoverySources(folder, vaultPath);
}

function openProven(parts: VaultFileParts): DatabaseOpening<Proven> {
  return openDatabase(parts.vaultPath, (database): DatabaseOpening<Proven> => {
    createTables(database);
    for (const vaultKey of parts.candidates) {
      const sealer = createSealer(vaultKey);
      if (!provesVault(database, sealer, parts.vaultId)) continue;
      if (schemaVersion(database) > latestVersion) return { kind: "failed", failure: failure("vault_newer") };
      migrate(database, sealer, parts.vaultId);
      if (!schemaFits(database)) return { kind: "damaged" };
      const integrity = openIntegrity(database, sealer);
      if (!integrity.verify()) return { kind: "changed" };
      return { kind: "opened", value: { tables: openTables(database, sealer, integrity, parts.nowMs), vaultKey } };
    }
    // The key has proved itself on the key file: this file is another vault's, or its canary is damaged.
    return { kind: "damaged" };
  });
}

function recover(parts: VaultFileParts): Result<Recovered> {
  const sealers = parts.candidates.map(createSealer);
  const recovered = attempt(() => recoverVault({ ...parts, sealers, notedEpochs: (sealer) => notedEpochs(parts, sealer) }));
  if (recovered.ok) repairDone(parts.folder);
  return recovered;
}

function notedEpochs({ folder, credentialEpoch }: VaultFileParts, sealer: Sealer): readonly Epoch[] {
  return [readEpochFile(folder, sealer), credentialEpoch].filter((epoch) => epoch !== undefined);
}

function recoveryNotices(why: "damaged" | "changed", { aside, backupTakenAtMs, kept }: Recovered): readonly Failure[] {
  const code = why === "changed" ? "vault_changed" : "vault_damaged";
  return [
    ...(aside === undefined ? [] : [failure(code, { file: aside, kept })]),
    ...(backupTakenAtMs === undefined ? [] : [failure("vault_restored", { date: new Date(backupTakenAtMs).toISOString() })]),
  ];
}

/**
 * Looks whether the file is the newest one, and starts its next epoch. A disk that takes no writes now keeps nobody from
 * reading: the epoch then stays as it was.
 */
function finish(parts: VaultFileParts, { tables, vaultKey }: Proven, recovered: readonly Failure[]): Result<OpenedVaultFile> {
  const { database, sealer } = tables;
  const finished = attempt((): Result<OpenedVaultFile> => {
    const found = readEpoch(database, sealer);
    const noted = notedEpochs(parts, sealer);
    const isOld = recovered.length === 0 && noted.some((one) => isBehind(found, one));
    const started = attempt(() =>
      inTransaction(database, () => {
        if (isOld) doubtEverything(tables, parts.nowMs());
        return ok(startEpoch(database, sealer, newest([found, ...noted])));
      }),
    );
    const notices = isOld ? [failure("vault_rolled_back")] : recovered;
    if (started.ok) return ok({ tables, vaultKey, epoch: started.value, notices });
    if (isOld || found === undefined) return started;
    return ok({ tables, vaultKey, epoch: found, notices });
  });
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
