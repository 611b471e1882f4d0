/**
 * An open vault as the rest of the app uses it: the core's port, and what can be done with the vault itself.
 *
 * Invariants: every error of SQLite becomes a failure here; after `close` every call answers `vault_locked`; a key change
 * and the close do not overlap.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import type { Vault } from "../core/ports.ts";
import { type AuditAccess, accessAudit } from "./audit-access.ts";
import { type AuditVerification, brokenAt } from "./audit-chain.ts";
import { createAuditQueue } from "./audit-queue.ts";
import { atTheEnd } from "./audit-turns.ts";
import { type BackupKeeper, createBackupKeeper } from "./backup-keeper.ts";
import { dropBackups, forgetInBackups } from "./backups.ts";
import { writeEpochFile } from "./epoch.ts";
import type { KeyKeeper } from "./key-keeper.ts";
import { emptyWriteAheadLog, resealDatabase } from "./key-reseal.ts";
import { findUnreadable, repairConnection } from "./record-repair.ts";
import { repairAtStart } from "./repair-marker.ts";
import { type SealedTable, sealedTables } from "./sealed-tables.ts";
import { createSealer } from "./sealing.ts";
import { lockedOut, needsRepair, problemOf, writeFailed } from "./vault-failures.ts";
import { endEpoch, type OpenedVaultFile } from "./vault-file.ts";
import type { VaultTables } from "./vault-tables.ts";

export interface OpenedVault extends AuditAccess {
  readonly vault: Vault;
  /** What a person should know although the vault is open; a key change may add to it. */
  readonly notices: readonly Failure[];
  /**
   * Opens every connection's record once and walks the audit chain, in small steps, and repairs what it can from the backups.
   */
  readonly inspect: () => Promise<Result<Inspection>>;
  /** Backs the vault up now. Fails with `vault_backup_failed`. */
  readonly backUp: () => Promise<Result<undefined>>;
  /** Unix milliseconds; `undefined` before the first backup. */
  readonly newestBackupAtMs: () => number | undefined;
  /** Told how each backup ended: what failed, or nothing. */
  readonly onBackup: (listener: (failed: Failure | undefined) => void) => void;
  readonly hasPassphrase: () => boolean;
  /** Sets or replaces the passphrase. Fails with `vault_passphrase_weak` or `vault_write_failed`. */
  readonly setPassphrase: (passphrase: string) => Promise<Result<undefined>>;
  /** Fails with `vault_protection_missing` when nothing else opens the vault. */
  readonly removePassphrase: () => Promise<Result<undefined>>;
  /** Makes a new vault key and seals everything again. Fails with `vault_passphrase_wrong` or `vault_rekey_failed`; then the old key stays. */
  readonly rekey: (passphrase?: string) => Promise<Result<undefined>>;
  /** Writes what waits, closes the file, wipes the key and drops the lock. Later calls answer `vault_locked`. */
  readonly close: () => void;
}

export interface Inspection {
  /** Connections whose record opens neither here nor in a backup. */
  readonly unreadable: readonly ConnectionKey[];
  /** Since the opening: also those that were restored because somebody read them before. */
  readonly restored: number;
  /** `undefined` when the vault was closed meanwhile. A break that an earlier opening has found and recorded is not told again. */
  readonly audit: AuditVerification | undefined;
}

export interface PresentParts {
  readonly folder: string;
  readonly vaultId: string;
  readonly file: OpenedVaultFile;
  readonly keeper: KeyKeeper;
  readonly notices: readonly Failure[];
  readonly nowMs: () => number;
  /** Wipes the key, closes the database and drops the lock. */
  readonly release: () => void;
}

type Guard = <T>(work: () => Result<T>) => Result<T>;

export function presentVault(parts: PresentParts): OpenedVault {
  const { folder, file, keeper, nowMs } = parts;
  const { tables } = file;
  const notices = [...parts.notices];
  let closed = false;
  let onBackup: (failed: Failure | undefined) => void = () => undefined;
  const guard: Guard = (work) => {
    if (closed) return err(lockedOut({ problem: "closed" }));
    const result = attempt(work);
    if (!result.ok && result.error.code === "vault_needs_repair") attempt(() => done(repairAtStart(folder)));
    return result;
  };
  const backups = createBackupKeeper(tables, folder, nowMs, (failed) => onBackup(failed));
  const queue = createAuditQueue((entries) => guard(() => done(tables.audit.append(entries))));
  const step = <T>(work: () => T): Result<T> => guard(() => ok(work()));
  const audit = accessAudit({ rows: tables.audit, folder, step, flush: queue.flush });
  let restored = 0;
  const repair = (key: ConnectionKey): boolean => {
    const repaired = repairConnection(tables, folder, key, nowMs());
    if (repaired) restored += 1;
    return repaired;
  };
  return {
    vault: { ...vaultOn({ tables, guard, backups, repair, folder }), appendAudit: queue.append },
    notices,
    ...audit,
    inspect: async () => {
      try {
        const unreadable = await findUnreadable(tables, repair, () => closed);
        const verified = closed ? undefined : await atTheEnd(tables.audit.verifying({ recorded: false }), step);
        if (verified?.ok === false && !closed) return verified;
        return ok({ unreadable, restored, audit: verified?.ok ? breakNow(verified.value, tables) : undefined });
      } catch (error) {
        // Closed in the middle of it: nobody waits for the answer.
        return err(closed ? lockedOut({ problem: "closed" }) : failureOf(error));
      }
    },
    backUp: backups.backUp,
    newestBackupAtMs: backups.newestAtMs,
    onBackup: (listener) => {
      onBackup = listener;
    },
    hasPassphrase: keeper.hasPassphrase,
    setPassphrase: async (passphrase) => (closed ? err(lockedOut({ problem: "closed" })) : keeper.setPassphrase(file.vaultKey, passphrase)),
    removePassphrase: keeper.removePassphrase,
    rekey: async (passphrase) =>
      closed ? err(lockedOut({ problem: "closed" })) : changeKey({ ...parts, backups, isClosed: () => closed, told: notices }, passphrase),
    close: () => {
      if (closed) return;
      queue.flush();
      backups.stop();
      // A note that is not written costs nothing but one check at the next opening.
      attempt(() => done(writeEpochFile(folder, endEpoch(tables, file.epoch), tables.sealer)));
      closed = true;
      parts.release();
    },
  };
}

interface KeyChangeParts extends PresentParts {
  readonly backups: BackupKeeper;
  readonly isClosed: () => boolean;
  /** Gets what the change has to tell. */
  readonly told: Failure[];
}

async function changeKey(parts: KeyChangeParts, passphrase?: string): Promise<Result<undefined>> {
  const { folder, vaultId, file, keeper, backups, isClosed } = parts;
  const begun = await keeper.beginChange(file.vaultKey, passphrase);
  if (!begun.ok) return begun;
  const change = begun.value;
  const resealed = isClosed() ? err(lockedOut({ problem: "closed" })) : attempt(() => done(reseal(file, vaultId, change.newKey)));
  if (!resealed.ok) {
    await change.abandon();
    return err(failure("vault_rekey_failed", { problem: String(resealed.error.params["problem"] ?? "failed") }));
  }
  // The key is changed from here on, whatever else fails: at worst a backup is missing for a while, which is told as a notice.
  attempt(() => done(emptyWriteAheadLog(file.tables.database)));
  attempt(() => done(writeEpochFile(folder, file.epoch, file.tables.sealer)));
  backups.discardCurrent();
  const backedUp = await backups.backUp();
  parts.told.push(...(await change.finish()));
  // Nobody can open the old backups any more.
  attempt(() => done(dropBackups(folder, backedUp.ok ? 1 : 0)));
  if (!backedUp.ok) backups.soon();
  return ok();
}

/** From here on the running sealers use the new key: they read it from these bytes at each use. */
function reseal({ tables, vaultKey }: OpenedVaultFile, vaultId: string, newKey: Buffer): void {
  resealDatabase(tables.database, vaultId, createSealer(vaultKey), createSealer(newKey));
  vaultKey.set(newKey);
  newKey.fill(0);
  tables.sealer.forgetSubkeys();
  if (!tables.integrity.verify()) throw new Error("the vault was resealed wrongly");
}

interface VaultParts {
  readonly tables: VaultTables;
  readonly guard: Guard;
  readonly backups: BackupKeeper;
  readonly repair: (key: ConnectionKey) => boolean;
  readonly folder: string;
}

function vaultOn({ tables, guard, backups, repair, folder }: VaultParts): Omit<Vault, "appendAudit"> {
  const { connections, registrations, clients, secrets } = tables;
  /** What changed cannot be had again from a provider. */
  const kept = (result: Result<undefined>): Result<undefined> => {
    if (result.ok) backups.changed();
    return result;
  };
  const forget = (kind: SealedTable["kind"], names: readonly string[]) => {
    for (const table of sealedTables) if (table.kind === kind) attempt(() => done(forgetInBackups(folder, table, names)));
  };
  return {
    listConnections: async (page) => guard(() => ok(connections.list(page))),
    readConnection: async (key) =>
      guard(() => {
        const read = connections.read(key);
        return !read.ok && repair(key) ? connections.read(key) : read;
      }),
    commitConnection: async (record) => {
      const committed = guard(() => connections.commit(record));
      return record.generation === 1 ? kept(committed) : committed;
    },
    deleteConnection: async (key, generation) => {
      const deleted = guard(() => connections.delete(key, generation));
      if (deleted.ok) forget("connection", [key.provider, key.environment, key.user]);
      return deleted;
    },

    listRegistrations: async () => guard(() => ok(registrations.list())),
    readRegistration: async (provider, environment) => guard(() => registrations.read(provider, environment)),
    saveRegistrations: async (list) => kept(guard(() => done(registrations.save(list)))),
    deleteRegistration: async (provider, environment) => {
      const deleted = kept(guard(() => done(registrations.delete(provider, environment))));
      if (deleted.ok) forget("registration", [provider, environment]);
      return deleted;
    },

    listClients: async () => guard(() => ok(clients.list())),
    saveClient: async (client) => {
      const saved = kept(guard(() => done(clients.save(client))));
      // Its access may have been narrowed: an older one must not come back.
      if (saved.ok) forget("client", [client.clientId]);
      return saved;
    },
    deleteClient: async (clientId) => {
      const deleted = kept(guard(() => done(clients.delete(clientId))));
      if (deleted.ok) forget("client", [clientId]);
      return deleted;
    },

    readSecret: async (name) => guard(() => secrets.read(name)),
    saveSecret: async (name, value) => guard(() => done(secrets.save(name, value))),
  };
}

function breakNow(verified: AuditVerification, { audit }: VaultTables): AuditVerification {
  const isNew = verified.kind === "intact" && audit.discontinuityFound !== undefined;
  return isNew ? brokenAt(audit.discontinuityFound, "head") : verified;
}

/** A statement that ran and has nothing to tell. */
function done(_ran: void): Result<undefined> {
  return ok();
}

function attempt<T>(work: () => Result<T>): Result<T> {
  try {
    return work();
  } catch (error) {
    return err(failureOf(error));
  }
}

/** Errors of SQLite and the file system become failures; a bug is thrown on. */
function failureOf(error: unknown): Failure {
  return problemOf(error) === "damaged file" ? needsRepair() : writeFailed(error);
}
