/** A throw-away profile with a vault in it, and records to put there. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { Failure } from "../../../shared/failure.ts";
import { err, type Result } from "../../../shared/result.ts";
import type { ConnectionKey, ConnectionRecord, Grant, StoredState } from "../../core/connection-state.ts";
import { openVaultKey } from "../key-envelopes.ts";
import { createSafeStorageEnvelope } from "../safe-storage-envelope.ts";
import { createSealer } from "../sealing.ts";
import { type OpenedVault, type OpenVaultOptions, openVault } from "../vault.ts";
import { sealCanary } from "../vault-canary.ts";
import { FakeCredentialStore, FakeSafeStorage } from "./fake-key-places.ts";

export const nowMs = Date.UTC(2026, 10, 22, 14, 30, 5);

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-"));
  onTestFinished(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export class Profile {
  readonly folder = temporaryFolder();
  readonly safeStorage = new FakeSafeStorage();
  readonly credentialStore = new FakeCredentialStore();

  get vaultPath(): string {
    return join(this.folder, "vault.sqlite");
  }

  get options(): OpenVaultOptions {
    return {
      folder: this.folder,
      safeStorage: this.safeStorage,
      credentialStore: this.credentialStore,
      nowMs: () => nowMs,
      platform: "linux",
      timeouts: { credentialStoreMs: 50, safeStorageMs: 50 },
    };
  }

  async tryOpen(changes: Partial<OpenVaultOptions> = {}): Promise<Result<OpenedVault>> {
    const opened = await openVault({ ...this.options, ...changes });
    if (!opened.ok) return err(opened.error.failure);
    onTestFinished(() => opened.value.close());
    return opened;
  }

  async open(): Promise<OpenedVault> {
    return valueOf(await this.tryOpen());
  }

  /** Makes the closed vault one that a newer version of the app has written. */
  async makeNewer(version: number): Promise<void> {
    const { folder } = this;
    const envelopes = [createSafeStorageEnvelope(this.safeStorage, { platform: "linux", timeoutMs: 50 })];
    const key = await openVaultKey({ folder, vaultExists: true, envelopes, nowMs: () => nowMs });
    if (!key.ok) throw new Error(key.error.failure.message);
    const { candidates, vaultId, wipe } = key.value;
    const [vaultKey] = candidates;
    if (vaultKey === undefined) throw new Error("no key");
    this.edit((database) => {
      database.exec(`PRAGMA user_version = ${version}`);
      sealCanary(database, createSealer(vaultKey), vaultId);
    });
    wipe();
  }

  /** Another program's view of the file; the vault must be closed. */
  edit<T>(work: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.vaultPath);
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
}

/** The value of a result that must be a success. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`unexpected failure ${result.error.code}: ${JSON.stringify(result.error.params)}`);
  return result.value;
}

/** The failure of a result that must be one. */
export function failureOf(result: Result<unknown>): Failure {
  if (result.ok) throw new Error("unexpected success");
  return result.error;
}

export const john: ConnectionKey = { provider: "mazda", environment: "production", user: "mmd10030.johndoe" };
export const jane: ConnectionKey = { ...john, user: "mmd10030.janedoe" };

export function grant(name: string): Grant {
  return {
    accessToken: `access-token-of-${name}`,
    refreshToken: `refresh-token-of-${name}`,
    scope: "openid offline_access",
    obtainedAtMs: nowMs,
    accessTokenExpiresAtMs: nowMs + 300_000,
    grantExpiresAtMs: nowMs + 86_400_000,
    grantExpiryIsEstimate: true,
  };
}

export function record(key: ConnectionKey, generation: number, state: StoredState): ConnectionRecord {
  return { key, organisation: "10030/MMD", connectedAtMs: nowMs, generation, state };
}

export function active(key: ConnectionKey, generation: number, name = `${key.user}-${generation}`): ConnectionRecord {
  return record(key, generation, { kind: "Active", grant: grant(name) });
}
