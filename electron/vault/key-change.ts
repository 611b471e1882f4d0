/**
 * Makes the key a vault is changed to.
 *
 * Invariant: the new key is random, has an entry of its own in the credential store, and is sealed at least once when it is
 * returned; otherwise nothing of it is left.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { err, ok, type Result } from "../../shared/result.ts";
import type { KeyEnvelope, SystemPlace } from "./key-envelope.ts";
import { makeCanary, type SealedKey } from "./key-file.ts";
import { forgetKeys, sealIn } from "./key-sealing.ts";
import { sealPassphraseEnvelope } from "./passphrase-envelope.ts";
import type { PassphraseParameters } from "./passphrase-key.ts";
import { keyBytes } from "./sealing.ts";

export interface NextKey {
  /** 32 bytes; the caller wipes them. */
  readonly newKey: Buffer;
  readonly sealed: SealedKey;
  /** Places that did not take it. */
  readonly missing: readonly SystemPlace[];
}

export interface NextKeyOptions {
  readonly vaultId: string;
  readonly envelopes: readonly KeyEnvelope[];
  /** Checked by the caller; absent when the vault has none. */
  readonly passphrase: string | undefined;
  readonly newParameters: () => PassphraseParameters;
}

/** Fails with the problem in a few words. */
export async function sealNextKey({ vaultId, envelopes, passphrase, newParameters }: NextKeyOptions): Promise<Result<NextKey, string>> {
  const newKey = randomBytes(keyBytes);
  const keyId = randomUUID();
  const { sealed, refused } = await sealIn(envelopes, vaultId, { canary: makeCanary(newKey, vaultId), keyId }, newKey);
  const envelope = passphrase === undefined ? undefined : await sealPassphraseEnvelope(vaultId, newKey, passphrase, newParameters());
  const lostPassphrase = passphrase !== undefined && envelope === undefined;
  if (lostPassphrase || (refused.length === envelopes.length && passphrase === undefined)) {
    newKey.fill(0);
    await forgetKeys(envelopes, [keyId]);
    return err(lostPassphrase ? "out of memory" : "no safe place for the new key");
  }
  const missing = refused.map(({ place }) => place);
  return ok({ newKey, sealed: envelope === undefined ? sealed : { ...sealed, passphrase: envelope }, missing });
}
