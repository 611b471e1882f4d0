/**
 * The envelope sealed under a passphrase that only a person knows.
 *
 * Invariant: the parameters are sealed in with the key as bound text, and the derived key is wiped after each use.
 */
import type { EnvelopeOutcome, StoredKey } from "./key-envelope.ts";
import type { SealedKey } from "./key-file.ts";
import { derivePassphraseKey, type PassphraseParameters } from "./passphrase-key.ts";
import { keyBytes, openBytes, type RecordContext, sealBytes } from "./sealing.ts";

export type PassphraseEnvelope = NonNullable<SealedKey["passphrase"]>;

/** `lost` when there is no such envelope, or the passphrase is not the right one; `unavailable` when there is not enough memory. */
export async function openPassphraseEnvelope({ vaultId, sealed }: StoredKey, passphrase: string): Promise<EnvelopeOutcome> {
  const envelope = sealed.passphrase;
  if (envelope === undefined) return { kind: "lost" };
  const derived = await tryDerive(passphrase, envelope.parameters);
  if (derived === undefined) return { kind: "unavailable", problem: "failed" };
  const vaultKey = openBytes(derived, contextOf(vaultId, envelope.parameters), Buffer.from(envelope.sealed, "base64"));
  derived.fill(0);
  if (vaultKey?.length === keyBytes) return { kind: "opened", vaultKey, stale: false };
  vaultKey?.fill(0);
  return { kind: "lost" };
}

/** `undefined` when there is not enough memory. */
export async function sealPassphraseEnvelope(
  vaultId: string,
  vaultKey: Uint8Array,
  passphrase: string,
  parameters: PassphraseParameters,
): Promise<PassphraseEnvelope | undefined> {
  const derived = await tryDerive(passphrase, parameters);
  if (derived === undefined) return undefined;
  const sealed = sealBytes(derived, contextOf(vaultId, parameters), vaultKey).toString("base64");
  derived.fill(0);
  return { parameters, sealed };
}

async function tryDerive(passphrase: string, parameters: PassphraseParameters): Promise<Buffer | undefined> {
  try {
    return await derivePassphraseKey(passphrase, parameters);
  } catch {
    return undefined;
  }
}

function contextOf(vaultId: string, { salt, N, r, p }: PassphraseParameters): RecordContext {
  return { kind: "envelope", names: ["passphrase", vaultId], recordVersion: 1, generation: 0, boundText: [salt, N, r, p].join(" ") };
}
