/**
 * Brings the key file in order once the vault has proved which key is its own.
 *
 * Invariants: an interrupted change is ended or undone as the vault says; what a place lost is sealed again, what a place
 * does not show now stays as it is; a file that holds no key of this vault is set aside, never written over.
 */
import { isDeepStrictEqual } from "node:util";
import { type Failure, failure } from "../../shared/failure.ts";
import type { KeyEnvelope, SystemPlace } from "./key-envelope.ts";
import { type KeyFile, type KeyFileName, keyIdOf, provesKey, setKeyFileAside, storedKeys, writeKeyFiles } from "./key-file.ts";
import { createKeyKeeper, type KeyKeeper } from "./key-keeper.ts";
import type { KeySlot, StoredKeyFiles, StoredVaultKeys } from "./key-opening.ts";
import { forgetKeys, sealIn } from "./key-sealing.ts";
import type { PassphraseParameters } from "./passphrase-key.ts";
import { oneEnvelopeOnly, writeFailed } from "./vault-failures.ts";

export interface SettledKey {
  /** What a person should know although the vault is open. */
  readonly notices: readonly Failure[];
  readonly keeper: KeyKeeper;
}

export interface SettlingParts {
  readonly folder: string;
  readonly nowMs: () => number;
  readonly envelopes: readonly KeyEnvelope[];
  readonly newParameters: () => PassphraseParameters;
  readonly stored: StoredKeyFiles;
  readonly keys: StoredVaultKeys;
  /** Every key that was opened, those of another vault included. */
  readonly opened: readonly Buffer[];
}

/** `vaultKey` is the one of `keys` that the vault proved; the others are wiped. Throws when it is none of them: that is a bug. */
export async function settleKeys(parts: SettlingParts, vaultKey: Uint8Array): Promise<SettledKey> {
  const { folder, envelopes, newParameters, keys } = parts;
  const slot = keys.slots.find((candidate) => candidate.vaultKey?.equals(vaultKey));
  if (slot === undefined) throw new Error("the vault proved a key that was not among its candidates");
  for (const other of parts.opened) {
    if (other !== slot.vaultKey) other.fill(0);
  }
  const { sealed, usable, missing } = await sealAgain(envelopes, keys.vaultId, slot, vaultKey);
  const retired = await forgetKeys(envelopes, unusedKeys(keys, slot));
  const file: KeyFile = {
    version: 1,
    vaultId: keys.vaultId,
    revision: Math.max(...keys.files.map((stored) => stored.file.revision)),
    ...sealed,
    ...(retired.length === 0 ? {} : { retired }),
  };
  // What the disk does not give now is not written over: the next start settles it.
  const isUnavailable = parts.stored.file.kind === "unavailable" || parts.stored.copy.kind === "unavailable";
  const written = isUnavailable || isStored(parts.stored, file) ? { file, notices: [] } : writeInOrder(parts, file, vaultKey);
  const alone = sealed.passphrase === undefined ? missing.map(oneEnvelopeOnly) : [];
  return {
    notices: [...alone, ...written.notices],
    keeper: createKeyKeeper({ folder, envelopes, newParameters, usable, file: written.file }),
  };
}

/** Seals again what is lost or stale. */
async function sealAgain(envelopes: readonly KeyEnvelope[], vaultId: string, slot: KeySlot, vaultKey: Uint8Array) {
  const placesThat = (fits: (reading: KeySlot["readings"][number]) => boolean) => slot.readings.filter(fits).map(({ place }) => place);
  const lost = placesThat(({ outcome }) => outcome.kind === "lost");
  const stale = placesThat(({ outcome }) => outcome.kind === "opened" && outcome.stale);
  const opened = placesThat(({ outcome }) => outcome.kind === "opened");
  const silent = placesThat(({ outcome }) => outcome.kind === "unavailable");
  const again = envelopes.filter(({ name }) => lost.includes(name) || stale.includes(name));
  const { sealed, refused } = await sealIn(again, vaultId, slot.sealed, vaultKey);
  const isRefused = (place: SystemPlace) => refused.some((refusal) => refusal.place === place);
  return {
    sealed,
    usable: [...opened, ...lost.filter((place) => !isRefused(place))],
    missing: [...silent, ...lost.filter(isRefused)],
  };
}

/** The other keys of a change, and keys that could not be removed earlier: of the file that holds the proven key only. */
function unusedKeys({ vaultId, files, slots }: StoredVaultKeys, proven: KeySlot): readonly string[] {
  const file = files.find(({ name }) => name === proven.source)?.file;
  const others = slots.filter((slot) => slot.source === proven.source && slot.vaultKey !== proven.vaultKey);
  const dropped = others.flatMap(({ sealed }) => (sealed.credentialStore === undefined ? [] : [keyIdOf(vaultId, sealed)]));
  return [...(file?.retired ?? []), ...dropped].filter((keyId) => keyId !== keyIdOf(vaultId, proven.sealed));
}

function isStored({ file: main, copy }: StoredKeyFiles, wanted: KeyFile): boolean {
  return [main, copy].every((stored) => stored.kind === "present" && isDeepStrictEqual(stored.file, wanted));
}

function writeInOrder(
  parts: SettlingParts,
  file: KeyFile,
  vaultKey: Uint8Array,
): { readonly file: KeyFile; readonly notices: readonly Failure[] } {
  const raised = { ...file, revision: file.revision + 1 };
  const foreign = (["file", "copy"] as const).filter((name) => isForeign(parts.stored, name, vaultKey));
  const notices = foreign.length > 0 || parts.stored.file.kind === "absent" ? [failure("vault_record_restored")] : [];
  try {
    for (const name of foreign) setKeyFileAside(parts.folder, name, parts.nowMs());
    const copyError = writeKeyFiles(parts.folder, raised);
    return { file: raised, notices: copyError === undefined ? notices : [...notices, writeFailed(copyError)] };
  } catch (error) {
    return { file: raised, notices: [writeFailed(error)] };
  }
}

/** Whether this file is there and holds no key of this vault. */
function isForeign(stored: StoredKeyFiles, name: KeyFileName, vaultKey: Uint8Array): boolean {
  const found = stored[name];
  if (found.kind !== "present") return found.kind !== "absent";
  const { file } = found;
  return !storedKeys(file).some((sealed) => provesKey(vaultKey, file.vaultId, sealed));
}
