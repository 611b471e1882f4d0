/**
 * Seals a key in every place that takes it.
 *
 * Invariant: an envelope counts only if its place opens it again at once; a place that accepts a key and cannot give it
 * back is no second copy.
 */
import type { KeyEnvelope, PlaceProblem, SystemPlace } from "./key-envelope.ts";
import { keyIdOf, type SealedKey } from "./key-file.ts";

export interface Resealed {
  readonly sealed: SealedKey;
  readonly refused: readonly { readonly place: SystemPlace; readonly problem: PlaceProblem }[];
}

/** `sealed` with a new envelope of each of `envelopes` that takes the key; the others stay as they are. */
export async function sealIn(
  envelopes: readonly KeyEnvelope[],
  vaultId: string,
  sealed: SealedKey,
  vaultKey: Uint8Array,
): Promise<Resealed> {
  const outcomes = await Promise.all(envelopes.map((envelope) => sealProven(envelope, vaultId, sealed, vaultKey)));
  return {
    sealed: { ...sealed, ...Object.fromEntries(outcomes.flatMap((outcome) => ("text" in outcome ? [[outcome.place, outcome.text]] : []))) },
    refused: outcomes.flatMap((outcome) => ("problem" in outcome ? [outcome] : [])),
  };
}

/** Removes what the places keep for keys that are no longer used; gives those that are still there. */
export async function forgetKeys(envelopes: readonly KeyEnvelope[], keyIds: readonly string[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const keyId of keyIds) {
    const forgotten = await Promise.all(envelopes.map((envelope) => envelope.forget(keyId)));
    if (forgotten.includes(false)) left.push(keyId);
  }
  return left;
}

type Outcome = { readonly place: SystemPlace } & ({ readonly text: string } | { readonly problem: PlaceProblem });

async function sealProven(envelope: KeyEnvelope, vaultId: string, sealed: SealedKey, vaultKey: Uint8Array): Promise<Outcome> {
  const place = envelope.name;
  const sealing = await envelope.seal(vaultId, keyIdOf(vaultId, sealed), vaultKey);
  if (sealing.kind === "refused") return { place, problem: sealing.problem };
  const opened = await envelope.open({ vaultId, sealed: { ...sealed, [place]: sealing.text } });
  if (opened.kind !== "opened") return { place, problem: opened.kind === "lost" ? "failed" : opened.problem };
  const isRight = opened.vaultKey.equals(vaultKey);
  opened.vaultKey.fill(0);
  return isRight ? { place, text: sealing.text } : { place, problem: "failed" };
}
