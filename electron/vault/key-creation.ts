/**
 * Makes the key of a new profile.
 *
 * Invariants: it is written only when at least one place, or a passphrase, has sealed it; a key file that is already there
 * is set aside under its date.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { KeyEnvelope, SystemPlace } from "./key-envelope.ts";
import { type LockedKey, type PlaceReading, plainLock, unprotectedKey } from "./key-failures.ts";
import { type KeyFile, makeCanary, setKeyFileAside, writeKeyFiles } from "./key-file.ts";
import { createKeyKeeper } from "./key-keeper.ts";
import { forgetKeys, type Resealed, sealIn } from "./key-sealing.ts";
import type { SettledKey } from "./key-settling.ts";
import { sealPassphraseEnvelope } from "./passphrase-envelope.ts";
import { checkPassphrase, type PassphraseParameters } from "./passphrase-key.ts";
import { keyBytes } from "./sealing.ts";
import { oneEnvelopeOnly, writeFailed } from "./vault-failures.ts";

export interface NewKeyOptions {
  readonly folder: string;
  readonly nowMs: () => number;
  readonly envelopes: readonly KeyEnvelope[];
  /** What the places said; those that do not answer are not asked to seal. */
  readonly readings: readonly PlaceReading[];
  readonly passphrase: string | undefined;
  readonly newParameters: () => PassphraseParameters;
}

export interface NewKey extends SettledKey {
  readonly vaultId: string;
  readonly vaultKey: Buffer;
}

/** Fails with `vault_protection_missing` or `vault_access_denied`, `vault_passphrase_weak` and `vault_write_failed`. */
export async function createVaultKey(options: NewKeyOptions): Promise<Result<NewKey, LockedKey>> {
  const { envelopes, readings, passphrase, newParameters } = options;
  const weak = passphrase === undefined ? undefined : checkPassphrase(passphrase);
  if (weak !== undefined)
    return err({ ...unprotectedKey(readings), failure: weak, canChoosePassphrase: silent(readings).length === readings.length });
  const vaultId = randomUUID();
  const vaultKey = randomBytes(keyBytes);
  const refuse = async (locked: LockedKey) => {
    vaultKey.fill(0);
    await forgetKeys(envelopes, [vaultId]);
    return err(locked);
  };
  const made = await sealIn(answering(envelopes, readings), vaultId, { canary: makeCanary(vaultKey, vaultId) }, vaultKey);
  const answers = readings.map((reading) => afterSealing(reading, made));
  const missing = silent(answers);
  const envelope = passphrase === undefined ? undefined : await sealPassphraseEnvelope(vaultId, vaultKey, passphrase, newParameters());
  if (missing.length === answers.length && envelope === undefined) return refuse(unprotectedKey(answers));
  const file: KeyFile = { version: 1, vaultId, revision: 1, ...made.sealed, ...(envelope === undefined ? {} : { passphrase: envelope }) };
  const failed = write(options, file);
  if (failed !== undefined) return refuse(plainLock(failed));
  return ok({ vaultId, vaultKey, ...present(options, file, missing) });
}

function answering(envelopes: readonly KeyEnvelope[], readings: readonly PlaceReading[]): readonly KeyEnvelope[] {
  return envelopes.filter(({ name }) => !silent(readings).includes(name));
}

/** Places that gave no answer to one of the readings. */
function silent(readings: readonly PlaceReading[]): readonly SystemPlace[] {
  return readings.flatMap(({ place, outcome }) => (outcome.kind === "unavailable" ? [place] : []));
}

function afterSealing(reading: PlaceReading, { refused }: Resealed): PlaceReading {
  const refusal = refused.find(({ place }) => place === reading.place);
  return refusal === undefined ? reading : { ...reading, outcome: { kind: "unavailable", problem: refusal.problem } };
}

function write({ folder, nowMs }: NewKeyOptions, file: KeyFile): Failure | undefined {
  try {
    for (const name of ["file", "copy"] as const) setKeyFileAside(folder, name, nowMs());
    const copyError = writeKeyFiles(folder, file);
    return copyError === undefined ? undefined : writeFailed(copyError);
  } catch (error) {
    return writeFailed(error);
  }
}

function present({ folder, envelopes, newParameters }: NewKeyOptions, file: KeyFile, missing: readonly SystemPlace[]): SettledKey {
  const usable = envelopes.map(({ name }) => name).filter((name) => !missing.includes(name));
  return {
    notices: file.passphrase === undefined ? missing.map(oneEnvelopeOnly) : [],
    keeper: createKeyKeeper({ folder, envelopes, newParameters, usable, file }),
  };
}
