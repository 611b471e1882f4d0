/**
 * Opens the vault of a profile: its folder's lock, its key, its database, in this order.
 *
 * Invariants: nothing is written before the lock is held and the key has proved itself; what cannot be used is kept; when
 * the vault does not open, everything taken on the way is let go of and the key's bytes are wiped.
 *
 * The key's base64 text passes through `safeStorage`, whose API takes strings; JavaScript cannot wipe those.
 */
import type { Failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AuditEntry } from "../core/ports.ts";
import { createCredentialEnvelope } from "./credential-envelope.ts";
import type { CredentialStore } from "./credential-store.ts";
import { withinDeadline } from "./deadline.ts";
import { type Epoch, readEpochCredential, writeEpochCredential, writeEpochFile } from "./epoch.ts";
import type { KeyEnvelope } from "./key-envelope.ts";
import { type OpenedKey, openVaultKey } from "./key-envelopes.ts";
import type { LockedKey } from "./key-failures.ts";
import { type OpenedVault, presentVault } from "./present-vault.ts";
import { repairSmallTables } from "./record-repair.ts";
import { hasRecoverySources } from "./recovery.ts";
import { createSafeStorageEnvelope, type SafeStorageLike } from "./safe-storage-envelope.ts";
import type { Sealer } from "./sealing.ts";
import { sweep } from "./sweep.ts";
import { problemOf, saysDamaged, writeFailed } from "./vault-failures.ts";
import { type OpenedVaultFile, openVaultFile } from "./vault-file.ts";
import { lockFolder, vaultExists } from "./vault-folder.ts";

export type { OpenedVault } from "./present-vault.ts";

/** A prompt of the credential store that nobody answers. */
const credentialTimeoutMs = 5_000;
/** Longer: on Linux the desktop may ask for the keyring's password first, and a person types it. */
const safeStorageTimeoutMs = 60_000;

export interface OpenVaultOptions {
  /** Per-machine, per-user folder of the profile; made if needed. */
  readonly folder: string;
  /** Electron's `safeStorage`, after `ready`. */
  readonly safeStorage: SafeStorageLike;
  readonly credentialStore: CredentialStore;
  readonly nowMs: () => number;
  /** What a person typed: opens a vault that has a passphrase, or protects a new one where the computer cannot. */
  readonly passphrase?: string;
  readonly platform?: NodeJS.Platform;
  readonly timeouts?: { readonly credentialStoreMs: number; readonly safeStorageMs: number };
}

/** A vault that did not open, and what a person can do about it. */
export interface LockedVault extends LockedKey {
  /** Whether something is there that could be set aside. */
  readonly exists: boolean;
}

/**
 * Opens or makes the vault of a profile; recovers a damaged one. Fails with `vault_locked` and its kin (keys do not open it),
 * `vault_in_use`, `vault_protection_missing`, `vault_newer` or `vault_write_failed`; in none of these cases anything was deleted.
 */
export async function openVault(options: OpenVaultOptions): Promise<Result<OpenedVault, LockedVault>> {
  const locked = lockFolder(options.folder);
  if (!locked.ok) return err({ ...withoutPlaces(locked.error), exists: true });
  const held: (() => void)[] = [locked.value.release];
  const release = () => {
    for (const drop of held.splice(0).toReversed()) drop();
  };
  try {
    const opened = await openLocked(options, locked.value.vaultPath, held, release);
    if (!opened.ok) release();
    return opened;
  } catch (error) {
    release();
    return err({ ...withoutPlaces(writeFailed(error)), exists: true });
  }
}

/** Adds to `held` what must be let go of when the vault does not open, or at its close. */
async function openLocked(
  options: OpenVaultOptions,
  vaultPath: string,
  held: (() => void)[],
  release: () => void,
): Promise<Result<OpenedVault, LockedVault>> {
  const { folder, nowMs } = options;
  sweep(folder);
  const exists = vaultExists(vaultPath) || hasRecoverySources(folder, vaultPath);
  const key = await openVaultKey({
    folder,
    vaultExists: exists,
    envelopes: envelopesOf(options),
    nowMs,
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
  });
  if (!key.ok) return err({ ...key.error, exists });
  const found = await openWithAnyKey(options, vaultPath, key.value, held);
  if (!found.ok) return err({ ...found.error, exists });
  const { file, opened } = found.value;
  const settled = await opened.settle(file.vaultKey);
  const notices = [...settled.notices, ...file.notices];
  const { vaultId } = opened;
  return ok(presentVault({ folder, vaultId, file, keeper: settled.keeper, notices, nowMs, release }));
}

interface ProvenVault {
  readonly file: OpenedVaultFile;
  readonly opened: OpenedKey;
}

/** The key file and its copy may belong to two vaults: the database proves which one is its own. */
async function openWithAnyKey(
  options: OpenVaultOptions,
  vaultPath: string,
  key: OpenedKey,
  held: (() => void)[],
): Promise<Result<ProvenVault, LockedKey>> {
  const keys = key.other === undefined ? [key] : [key, key.other];
  for (const { wipe } of keys) held.push(wipe);
  for (const opened of keys) {
    const file = await openFile(options, vaultPath, opened);
    if (file.ok) {
      // Let go of in the opposite order: the file first, then the key it was read with.
      held.push(
        () => file.value.vaultKey.fill(0),
        () => file.value.tables.sealer.forgetSubkeys(),
        () => file.value.tables.database.close(),
      );
      return ok({ file: file.value, opened });
    }
    if (file.error.code !== "vault_locked") return err(withoutPlaces(file.error));
  }
  return err(key.unproven());
}

/** Opens the database, repairs its small tables and notes the new epoch outside. */
async function openFile(options: OpenVaultOptions, vaultPath: string, key: OpenedKey): Promise<Result<OpenedVaultFile>> {
  const { folder, credentialStore, nowMs } = options;
  const { vaultId, candidates } = key;
  const noted = await bounded(options, readEpochCredential(credentialStore, vaultId));
  const file = openVaultFile({ folder, vaultPath, vaultId, candidates, credentialEpoch: noted, nowMs });
  if (!file.ok) return file;
  const { tables, epoch } = file.value;
  try {
    const notices = [...file.value.notices, ...repairSmallTables(tables, folder)];
    const entries = notices.map(({ code }) => ({ atMs: nowMs(), action: "vault.open", actor: "broker", outcome: code }));
    appendIfPossible(tables.audit.append, entries);
    noteEpoch(folder, epoch, tables.sealer);
    // Nobody waits for this note: it only tells an old profile folder from a new one.
    void bounded(options, writeEpochCredential(credentialStore, vaultId, epoch));
    return ok({ ...file.value, notices });
  } catch (error) {
    tables.database.close();
    return err(writeFailed(error));
  }
}

/** A disk that takes no writes now keeps nobody from reading. */
function appendIfPossible(append: (entries: readonly AuditEntry[]) => void, entries: readonly AuditEntry[]): void {
  try {
    append(entries);
  } catch (error) {
    if (problemOf(error) === undefined || saysDamaged(error)) throw error;
  }
}

/** A vault without its note is as good: only an older copy of it would not be noticed. */
function noteEpoch(folder: string, epoch: Epoch, sealer: Sealer): void {
  try {
    writeEpochFile(folder, epoch, sealer);
  } catch (error) {
    if (problemOf(error) === undefined) throw error;
  }
}

/** A store that throws or does not answer in time has nothing to say about epochs. */
function bounded<T>(options: OpenVaultOptions, work: Promise<T>): Promise<T | undefined> {
  const quiet = work.catch(() => undefined);
  return withinDeadline(options.timeouts?.credentialStoreMs ?? credentialTimeoutMs, quiet, undefined);
}

/** The places of this computer that may hold an envelope of the key. */
export function envelopesOf(options: OpenVaultOptions): readonly KeyEnvelope[] {
  return [
    createSafeStorageEnvelope(options.safeStorage, {
      platform: options.platform ?? process.platform,
      timeoutMs: options.timeouts?.safeStorageMs ?? safeStorageTimeoutMs,
    }),
    createCredentialEnvelope(options.credentialStore, options.timeouts?.credentialStoreMs ?? credentialTimeoutMs),
  ];
}

function withoutPlaces(failure: Failure): LockedKey {
  return { failure, places: [], canUsePassphrase: false, canChoosePassphrase: false };
}
