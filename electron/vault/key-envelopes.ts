/**
 * Opens the vault key from its two envelopes, or makes one for a new profile.
 *
 * Invariants: a key is used only if it proves the canary; nothing stored is overwritten unless a proven key is at hand
 * and the place that lost its envelope works; while a vault file exists, no new key is made.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type Failure, type FailureParams, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { EnvelopeName, EnvelopeOutcome, KeyEnvelope } from "./key-envelope.ts";
import { type KeyFile, makeCanary, provesKey, readKeyFile, setKeyFileAside, writeKeyFile } from "./key-file.ts";
import { keyBytes } from "./sealing.ts";
import { lockedOut, oneEnvelopeOnly, writeFailed } from "./vault-failures.ts";

export interface OpenKeyOptions {
  readonly folder: string;
  /** Whether a vault that needs the existing key is there. */
  readonly vaultExists: boolean;
  readonly envelopes: readonly KeyEnvelope[];
  readonly nowMs: () => number;
}

export interface OpenedKey {
  readonly vaultId: string;
  /** 32 bytes; the caller wipes them. */
  readonly vaultKey: Buffer;
  /** Seals again what is missing or stale, once the vault has proved the key. Gives a notice for each place that cannot be used. */
  readonly repair: () => Promise<readonly Failure[]>;
}

interface Read {
  readonly envelope: KeyEnvelope;
  readonly outcome: EnvelopeOutcome;
}

/**
 * Fails with `vault_locked` when a vault exists that no envelope opens, with `vault_protection_missing` when a new profile
 * finds no place for its key, and with `vault_write_failed`.
 */
export async function openVaultKey(options: OpenKeyOptions): Promise<Result<OpenedKey>> {
  const stored = readKeyFile(options.folder);
  const file = stored.kind === "present" ? stored.file : undefined;
  const reads = await Promise.all(
    options.envelopes.map(async (envelope): Promise<Read> => ({ envelope, outcome: proven(await envelope.open(file), file) })),
  );
  const vaultKey = firstKey(reads);
  if (file !== undefined && vaultKey !== undefined) {
    return ok({ vaultId: file.vaultId, vaultKey, repair: () => repair(options.folder, file, vaultKey, reads) });
  }
  if (options.vaultExists) return err(lockedOut({ keyFile: stored.kind, ...problems(reads) }));
  return createKey(options, stored.kind !== "absent", reads);
}

/** A key that does not prove the canary is no key. */
function proven(outcome: EnvelopeOutcome, file: KeyFile | undefined): EnvelopeOutcome {
  if (outcome.kind !== "opened" || (file !== undefined && provesKey(outcome.vaultKey, file))) return outcome;
  outcome.vaultKey.fill(0);
  return { kind: "lost" };
}

function firstKey(reads: readonly Read[]): Buffer | undefined {
  const [first, ...others] = reads.flatMap(({ outcome }) => (outcome.kind === "opened" ? [outcome.vaultKey] : []));
  for (const other of others) other.fill(0);
  return first;
}

/** Seals again what is missing or stale. A place that fails to do so costs a notice, not the vault. */
async function repair(folder: string, file: KeyFile, vaultKey: Buffer, reads: readonly Read[]): Promise<readonly Failure[]> {
  const resealed: Partial<Record<EnvelopeName, string>> = {};
  const missing: EnvelopeName[] = [];
  for (const { envelope, outcome } of reads) {
    if (outcome.kind === "opened" && !outcome.stale) continue;
    const sealed = outcome.kind === "unavailable" ? undefined : await envelope.seal(file.vaultId, vaultKey);
    if (sealed !== undefined) resealed[envelope.name] = sealed;
    else if (outcome.kind !== "opened") missing.push(envelope.name);
  }
  const written = Object.keys(resealed).length === 0 || tryWrite(() => writeKeyFile(folder, { ...file, ...resealed })) === undefined;
  if (!written) missing.push(...reads.filter(({ outcome }) => outcome.kind === "lost").map(({ envelope }) => envelope.name));
  return [...new Set(missing)].map(oneEnvelopeOnly);
}

async function createKey(options: OpenKeyOptions, oldFile: boolean, reads: readonly Read[]): Promise<Result<OpenedKey>> {
  const vaultId = randomUUID();
  const vaultKey = randomBytes(keyBytes);
  const sealed: Partial<Record<EnvelopeName, string>> = {};
  const missing: EnvelopeName[] = [];
  for (const { envelope, outcome } of reads) {
    const text = outcome.kind === "unavailable" ? undefined : await envelope.seal(vaultId, vaultKey);
    if (text === undefined) missing.push(envelope.name);
    else sealed[envelope.name] = text;
  }
  if (Object.keys(sealed).length === 0) return err(failure("vault_protection_missing", problems(reads)));
  const failed = tryWrite(() => {
    if (oldFile) setKeyFileAside(options.folder, options.nowMs());
    writeKeyFile(options.folder, { version: 1, vaultId, canary: makeCanary(vaultKey, vaultId), ...sealed });
  });
  return failed === undefined ? ok({ vaultId, vaultKey, repair: async () => missing.map(oneEnvelopeOnly) }) : err(failed);
}

function tryWrite(write: () => void): Failure | undefined {
  try {
    write();
    return undefined;
  } catch (error) {
    return writeFailed(error);
  }
}

/** One word for each place, for the log and the support bundle. */
function problems(reads: readonly Read[]): FailureParams {
  return Object.fromEntries(
    reads.map(({ envelope, outcome }) => [envelope.name, outcome.kind === "unavailable" ? outcome.problem : outcome.kind]),
  );
}
