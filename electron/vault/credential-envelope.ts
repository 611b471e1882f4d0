/**
 * The envelope sealed under a random key that the credential store holds.
 *
 * Invariant: a key in the store is never replaced while it has the right length, so an envelope of an older key file still
 * opens. Each vault has an entry of its own: two profiles of one user do not share a key.
 */
import { randomBytes } from "node:crypto";
import { err, type Result } from "../../shared/result.ts";
import type { CredentialProblem, CredentialStore } from "./credential-store.ts";
import { withinDeadline } from "./deadline.ts";
import type { EnvelopeOutcome, KeyEnvelope } from "./key-envelope.ts";
import type { KeyFile } from "./key-file.ts";
import { keyBytes, openBytes, type RecordContext, sealBytes } from "./sealing.ts";

/** Account used to find out whether the store answers, before there is a vault. */
const probeAccount = "vault key probe";

export function createCredentialEnvelope(store: CredentialStore, timeoutMs: number): KeyEnvelope {
  const timely = boundedStore(store, timeoutMs);
  return {
    name: "credentialStore",
    open: (file) => openEnvelope(timely, file),
    seal: async (vaultId, vaultKey) => {
      const sealingKey = await keptKey(timely, vaultId);
      if (sealingKey === undefined) return undefined;
      const sealed = sealBytes(sealingKey, envelopeContext(vaultId), vaultKey).toString("base64");
      sealingKey.fill(0);
      return sealed;
    },
  };
}

/** A prompt of the desktop may stay unanswered, and a store may throw: both become a problem word. */
function boundedStore(store: CredentialStore, timeoutMs: number): CredentialStore {
  const bounded = async <T>(work: Promise<Result<T, CredentialProblem>>) => {
    try {
      return await withinDeadline(timeoutMs, work, err<CredentialProblem>("timed_out"));
    } catch {
      return err<CredentialProblem>("failed");
    }
  };
  return {
    read: (account) => bounded(store.read(account)),
    write: (account, secret) => bounded(store.write(account, secret)),
  };
}

async function openEnvelope(store: CredentialStore, file: KeyFile | undefined): Promise<EnvelopeOutcome> {
  const read = await store.read(file === undefined ? probeAccount : accountOf(file.vaultId));
  if (!read.ok) return { kind: "unavailable", problem: read.error };
  const sealingKey = read.value;
  if (file?.credentialStore === undefined || sealingKey?.length !== keyBytes) return { kind: "lost" };
  const vaultKey = openBytes(sealingKey, envelopeContext(file.vaultId), Buffer.from(file.credentialStore, "base64"));
  sealingKey.fill(0);
  return vaultKey?.length === keyBytes ? { kind: "opened", vaultKey, stale: false } : { kind: "lost" };
}

/** The key in the store; a new one if there is none. It is read back: some stores accept writes and keep nothing. */
async function keptKey(store: CredentialStore, vaultId: string): Promise<Uint8Array | undefined> {
  const account = accountOf(vaultId);
  const found = await store.read(account);
  if (!found.ok) return undefined;
  if (found.value?.length === keyBytes) return found.value;
  const fresh = randomBytes(keyBytes);
  const written = await store.write(account, fresh);
  const kept = written.ok ? await store.read(account) : written;
  return kept.ok && kept.value !== undefined && fresh.equals(kept.value) ? fresh : undefined;
}

function accountOf(vaultId: string): string {
  return `vault key ${vaultId}`;
}

function envelopeContext(vaultId: string): RecordContext {
  return { kind: "envelope", names: ["credential-store", vaultId], recordVersion: 1, generation: 0 };
}
