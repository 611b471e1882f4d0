/**
 * The vault: opens its folder, key and database, and implements the core's `Vault` port on them.
 *
 * Invariants: nothing is written before the folder's lock is held and the key has proved itself; a file that cannot be
 * used is kept; the vault key's bytes are wiped at `close`. Errors of SQLite end in `guard`, as one of the `vault_*` codes.
 *
 * The key's base64 text passes through `safeStorage`, whose API takes strings; JavaScript cannot wipe those.
 */
import type { DatabaseSync } from "node:sqlite";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Vault } from "../core/ports.ts";
import { createAuditQueue } from "./audit-queue.ts";
import { type AuditRow, type AuditVerification, openAuditRows } from "./audit-rows.ts";
import { createClientRows } from "./client-rows.ts";
import { createConnectionRows } from "./connection-rows.ts";
import { createCredentialEnvelope } from "./credential-envelope.ts";
import type { CredentialStore } from "./credential-store.ts";
import { openDatabase } from "./database.ts";
import type { KeyEnvelope } from "./key-envelope.ts";
import { openVaultKey } from "./key-envelopes.ts";
import { migrate } from "./migrations.ts";
import { createRegistrationRows } from "./registration-rows.ts";
import { createSafeStorageEnvelope, type SafeStorageLike } from "./safe-storage-envelope.ts";
import { createSealer, type Sealer } from "./sealing.ts";
import { createSecretRows } from "./secret-rows.ts";
import { provesVault } from "./vault-canary.ts";
import { lockedOut, writeFailed } from "./vault-failures.ts";
import { lockFolder, setVaultAside, vaultExists } from "./vault-folder.ts";

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
  readonly platform?: NodeJS.Platform;
  readonly timeouts?: { readonly credentialStoreMs: number; readonly safeStorageMs: number };
}

export interface OpenedVault {
  readonly vault: Vault;
  /** What a person should know although the vault is open. */
  readonly notices: readonly Failure[];
  /** Walks the whole audit chain. */
  readonly verifyAudit: () => Promise<Result<AuditVerification>>;
  /** At most `limit` rows, newest first, older than `beforeSequence`. */
  readonly listAudit: (limit: number, beforeSequence?: number) => Promise<Result<readonly AuditRow[]>>;
  /** Writes what waits, closes the file, wipes the key and drops the lock. Later calls answer `vault_locked`. */
  readonly close: () => void;
}

/**
 * Opens or makes the vault of a profile. Fails with `vault_locked` (keys do not open it, or another process has it),
 * `vault_protection_missing`, `vault_newer` or `vault_write_failed`; in none of these cases anything was deleted.
 */
export async function openVault(options: OpenVaultOptions): Promise<Result<OpenedVault>> {
  const locked = lockFolder(options.folder);
  if (!locked.ok) return locked;
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
    throw error;
  }
}

/** Adds to `held` what must be let go of when the vault does not open, or at its close. */
async function openLocked(
  options: OpenVaultOptions,
  vaultPath: string,
  held: (() => void)[],
  release: () => void,
): Promise<Result<OpenedVault>> {
  const key = await openVaultKey({
    folder: options.folder,
    vaultExists: vaultExists(vaultPath),
    envelopes: envelopesOf(options),
    nowMs: options.nowMs,
  });
  if (!key.ok) return key;
  const { vaultKey, vaultId } = key.value;
  held.push(() => vaultKey.fill(0));
  const sealer = createSealer(vaultKey);
  const file = openFile(options, vaultPath, (database) => {
    migrate(database);
    if (!provesVault(database, sealer, vaultId)) return err(lockedOut({ problem: "key of another vault" }));
    return ok(tablesOf(database, sealer, options.nowMs));
  });
  if (!file.ok) return file;
  held.push(() => file.value.tables.database.close());
  const notices = [...(await key.value.repair()), ...file.value.notices];
  return ok(present(file.value.tables, notices, release));
}

function envelopesOf(options: OpenVaultOptions): readonly KeyEnvelope[] {
  return [
    createSafeStorageEnvelope(options.safeStorage, {
      platform: options.platform ?? process.platform,
      timeoutMs: options.timeouts?.safeStorageMs ?? safeStorageTimeoutMs,
    }),
    createCredentialEnvelope(options.credentialStore, options.timeouts?.credentialStoreMs ?? credentialTimeoutMs),
  ];
}

interface OpenedFile {
  readonly tables: Tables;
  readonly notices: readonly Failure[];
}

/** Opens the database; a damaged one is set aside once and a new one made. */
function openFile(options: OpenVaultOptions, path: string, setUp: (database: DatabaseSync) => Result<Tables>): Result<OpenedFile> {
  const notices: Failure[] = [];
  let opening = openDatabase(path, setUp);
  if (opening.kind === "damaged") {
    const aside = attempt(() => setVaultAside(options.folder, path, options.nowMs()));
    if (!aside.ok) return aside;
    notices.push(failure("vault_damaged", { file: aside.value }));
    opening = openDatabase(path, setUp);
  }
  if (opening.kind === "failed") return err(opening.failure);
  if (opening.kind === "damaged") return err(failure("vault_write_failed", { problem: "damaged file" }));
  return ok({ tables: opening.value, notices });
}

function tablesOf(database: DatabaseSync, sealer: Sealer, nowMs: () => number) {
  return {
    database,
    connections: createConnectionRows(database, sealer),
    registrations: createRegistrationRows(database, sealer),
    clients: createClientRows(database, sealer),
    secrets: createSecretRows(database, sealer),
    audit: openAuditRows(database, sealer, nowMs),
  };
}

type Tables = ReturnType<typeof tablesOf>;

function present(tables: Tables, notices: readonly Failure[], release: () => void): OpenedVault {
  let closed = false;
  const guard: Guard = (work) => {
    if (closed) return err(lockedOut({ problem: "closed" }));
    const attempted = attempt(work);
    return attempted.ok ? attempted.value : attempted;
  };
  const queue = createAuditQueue((entries) => guard(() => done(tables.audit.append(entries))));
  const flushed = async <T>(read: () => T): Promise<Result<T>> => {
    queue.flush();
    return guard(() => ok(read()));
  };
  return {
    vault: { ...vaultOn(tables, guard), appendAudit: queue.append },
    notices,
    verifyAudit: () => flushed(tables.audit.verify),
    listAudit: (limit, beforeSequence) => flushed(() => tables.audit.list(limit, beforeSequence)),
    close: () => {
      queue.flush();
      closed = true;
      release();
    },
  };
}

type Guard = <T>(work: () => Result<T>) => Result<T>;

function vaultOn(tables: Tables, guard: Guard): Omit<Vault, "appendAudit"> {
  const { connections, registrations, clients, secrets } = tables;
  return {
    listConnections: async () => guard(() => ok(connections.list())),
    readConnection: async (key) => guard(() => connections.read(key)),
    commitConnection: async (record) => guard(() => connections.commit(record)),
    deleteConnection: async (key, generation) => guard(() => connections.delete(key, generation)),

    listRegistrations: async () => guard(() => ok(registrations.list())),
    readRegistration: async (provider, environment) => guard(() => registrations.read(provider, environment)),
    saveRegistrations: async (list) => guard(() => done(registrations.save(list))),
    deleteRegistration: async (provider, environment) => guard(() => done(registrations.delete(provider, environment))),

    listClients: async () => guard(() => ok(clients.list())),
    saveClient: async (client) => guard(() => done(clients.save(client))),
    deleteClient: async (clientId) => guard(() => done(clients.delete(clientId))),

    readSecret: async (name) => guard(() => secrets.read(name)),
    saveSecret: async (name, value) => guard(() => done(secrets.save(name, value))),
  };
}

/** A statement that ran and has nothing to tell. */
function done(_ran: void): Result<undefined> {
  return ok();
}

/** Errors of SQLite and the file system become `vault_write_failed`; a bug is thrown on. */
function attempt<T>(work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (error) {
    return err(writeFailed(error));
  }
}
