/**
 * The envelope sealed under a random key that the credential store holds.
 *
 * Invariant: a key in the store is never replaced while it has the right length, so an envelope of an older key file still
 * opens. Each vault key has an entry of its own: neither two profiles of one user nor the old and the new key of a change
 * share one.
 */
import { randomBytes } from "node:crypto";
import { err, type Result } from "../../shared/result.ts";
import type { CredentialProblem, CredentialStore } from "./credential-store.ts";
import { withinDeadline } from "./deadline.ts";
import type { EnvelopeOutcome, KeyEnvelope, Sealing, StoredKey } from "./key-envelope.ts";
import { keyIdOf } from "./key-file.ts";
import { keyBytes, openBytes, type RecordContext, sealBytes } from "./sealing.ts";

/** Account used to find out whether the store answers, before there is a vault. */
const probeAccount = "vault key probe";

export function createCredentialEnvelope(store: CredentialStore, timeoutMs: number): KeyEnvelope {
  const timely = boundedStore(store, timeoutMs);
  return {
    name: "credentialStore",
    open: (stored) => openEnvelope(timely, stored),
    seal: (vaultId, keyId, vaultKey) => sealEnvelope(timely, vaultId, keyId, vaultKey),
    forget: async (keyId) => (await timely.remove(accountOf(keyId))).ok,
  };
}

/** A prompt of the desktop may stay unanswered, and a store may throw: both become a problem word. */
function boundedStore(store: CredentialStore, timeoutMs: number): CredentialStore {
  const bounded = async <T>(work: Promise<Result<T, CredentialProblem>>, discard?: (late: Result<T, CredentialProblem>) => void) => {
    try {
      return await withinDeadline(timeoutMs, work, err<CredentialProblem>("timed_out"), discard);
    } catch {
      return err<CredentialProblem>("failed");
    }
  };
  return {
    read: (account) =>
      bounded(store.read(account), (late) => {
        if (late.ok) late.value?.fill(0);
      }),
    write: (account, secret) => bounded(store.write(account, secret)),
    remove: (account) => bounded(store.remove(account)),
  };
}

async function openEnvelope(store: CredentialStore, stored: StoredKey | undefined): Promise<EnvelopeOutcome> {
  const read = await store.read(stored === undefined ? probeAccount : accountOf(keyIdOf(stored.vaultId, stored.sealed)));
  if (!read.ok) return { kind: "unavailable", problem: read.error };
  const sealingKey = read.value;
  if (stored?.sealed.credentialStore === undefined || sealingKey?.length !== keyBytes) return { kind: "lost" };
  const vaultKey = openBytes(sealingKey, envelopeContext(stored.vaultId), Buffer.from(stored.sealed.credentialStore, "base64"));
  sealingKey.fill(0);
  return vaultKey?.length === keyBytes ? { kind: "opened", vaultKey, stale: false } : { kind: "lost" };
}

async function sealEnvelope(store: CredentialStore, vaultId: string, keyId: string, vaultKey: Uint8Array): Promise<Sealing> {
  const kept = await keptKey(store, accountOf(keyId));
  if (!kept.ok) return { kind: "refused", problem: kept.error };
  const text = sealBytes(kept.value, envelopeContext(vaultId), vaultKey).toString("base64");
  kept.value.fill(0);
  return { kind: "sealed", text };
}

/** The key in the store; a new one if there is none. It is read back: some stores accept writes and keep nothing. */
async function keptKey(store: CredentialStore, account: string): Promise<Result<Uint8Array, CredentialProblem>> {
  const found = await store.read(account);
  if (!found.ok) return found;
  if (found.value?.length === keyBytes) return { ok: true, value: found.value };
  const fresh = randomBytes(keyBytes);
  const written = await store.write(account, fresh);
  const kept = written.ok ? await store.read(account) : written;
  if (!kept.ok) return kept;
  return kept.value !== undefined && fresh.equals(kept.value) ? { ok: true, value: fresh } : err("failed");
}

function accountOf(keyId: string): string {
  return `vault key ${keyId}`;
}

function envelopeContext(vaultId: string): RecordContext {
  return { kind: "envelope", names: ["credential-store", vaultId], recordVersion: 1, generation: 0 };
}
