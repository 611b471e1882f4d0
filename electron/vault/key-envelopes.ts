/**
 * Opens the vault key from its envelopes, or makes one for a new profile.
 *
 * Invariants: a key is used only if it proves the canary; nothing stored is overwritten unless a proven key is at hand
 * and the place that lost its envelope works; while a vault file exists, no new key is made.
 */
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { createVaultKey } from "./key-creation.ts";
import type { KeyEnvelope } from "./key-envelope.ts";
import { type LockedKey, lockedKey, plainLock } from "./key-failures.ts";
import { readKeyFile } from "./key-file.ts";
import { type KeySlot, openStoredKeys, readPlaces, type StoredKeyFiles, type StoredVaultKeys } from "./key-opening.ts";
import { type SettledKey, settleKeys } from "./key-settling.ts";
import { newPassphraseParameters, type PassphraseParameters } from "./passphrase-key.ts";
import { lockedOut, writeFailed } from "./vault-failures.ts";

export interface OpenKeyOptions {
  readonly folder: string;
  /** Whether a vault that needs the existing key is there, or anything it could be made again from. */
  readonly vaultExists: boolean;
  readonly envelopes: readonly KeyEnvelope[];
  readonly nowMs: () => number;
  /** What a person typed; it seals a new vault, or opens one whose places do not. */
  readonly passphrase?: string | undefined;
  /** Cost of a new passphrase envelope, `newPassphraseParameters` unless told. */
  readonly newParameters?: () => PassphraseParameters;
}

export interface OpenedKey {
  readonly vaultId: string;
  /**
   * Keys of 32 bytes, the likeliest first: two after a change that was killed in the middle, more if the key file and its
   * copy differ. The vault proves which one is its own.
   */
  readonly candidates: readonly Buffer[];
  /**
   * Call once the vault has proved `vaultKey`, one of the candidates: ends or undoes an interrupted change, wipes the other
   * candidates and seals again what is missing or stale. The proven key is the caller's to wipe.
   */
  readonly settle: (vaultKey: Buffer) => Promise<SettledKey>;
  /** What to say when the vault proves none of the candidates. */
  readonly unproven: () => LockedKey;
  /** Wipes every key that was opened, those of `other` included. */
  readonly wipe: () => void;
  /** The key of another vault, when the key file and its copy belong to two: to be tried when no candidate proves itself. */
  readonly other?: OpenedKey;
}

/**
 * Fails with `vault_access_denied`, `vault_keys_unavailable`, `vault_passphrase_needed`, `vault_passphrase_wrong` or
 * `vault_locked` when a vault exists that no envelope opens; as `createVaultKey` does for a new profile; and with
 * `vault_newer`. Nothing is written before the key is proved.
 */
export async function openVaultKey(options: OpenKeyOptions): Promise<Result<OpenedKey, LockedKey>> {
  const stored: StoredKeyFiles = { file: readKeyFile(options.folder, "file"), copy: readKeyFile(options.folder, "copy") };
  // The file is written before its copy: a copy alone that says "newer" is damaged.
  if (stored.file.kind === "newer" || (stored.copy.kind === "newer" && stored.file.kind !== "present"))
    return err(plainLock(failure("vault_newer")));
  const unavailable = [stored.file, stored.copy].find((one) => one.kind === "unavailable");
  if (unavailable !== undefined && stored.file.kind !== "present" && stored.copy.kind !== "present") {
    return err(plainLock(writeFailed(unavailable.error)));
  }
  const groups = await openStoredKeys(stored, { envelopes: options.envelopes, passphrase: options.passphrase });
  const presented = groups
    .filter((group) => keysOf([group]).length > 0)
    .map((group) => presentKeys(options, stored, group, keysOf(groups)));
  const [first, other] = presented;
  if (first !== undefined) return ok(other === undefined ? first : { ...first, other });
  const slots = groups.flatMap((group) => group.slots);
  const readings = slots.length === 0 ? await readPlaces(options.envelopes) : slots.flatMap((slot) => slot.readings);
  if (options.vaultExists) return err(lockedKey({ readings, keyFile: keyFileState(stored), ...passphraseState(slots) }));
  const made = await createVaultKey({ ...options, readings, passphrase: options.passphrase, newParameters: parametersOf(options) });
  if (!made.ok) return made;
  const { vaultId, vaultKey, notices, keeper } = made.value;
  return ok({
    vaultId,
    candidates: [vaultKey],
    settle: async () => ({ notices, keeper }),
    unproven: foreignKey,
    wipe: () => vaultKey.fill(0),
  });
}

function presentKeys(options: OpenKeyOptions, stored: StoredKeyFiles, keys: StoredVaultKeys, opened: readonly Buffer[]): OpenedKey {
  const { folder, nowMs, envelopes } = options;
  return {
    vaultId: keys.vaultId,
    candidates: keysOf([keys]),
    settle: (vaultKey) => settleKeys({ folder, nowMs, envelopes, newParameters: parametersOf(options), stored, keys, opened }, vaultKey),
    unproven: () => {
      const unopened = keys.slots.filter(({ vaultKey }) => vaultKey === undefined);
      if (unopened.length === 0) return foreignKey();
      return lockedKey({ readings: unopened.flatMap((slot) => slot.readings), keyFile: "present", ...passphraseState(unopened) });
    },
    wipe: () => {
      for (const vaultKey of opened) vaultKey.fill(0);
    },
  };
}

/** Each key once. */
function keysOf(groups: readonly StoredVaultKeys[]): readonly Buffer[] {
  const slots = groups.flatMap((group) => group.slots);
  return [...new Set(slots.flatMap(({ vaultKey }) => (vaultKey === undefined ? [] : [vaultKey])))];
}

function parametersOf(options: OpenKeyOptions): () => PassphraseParameters {
  return options.newParameters ?? newPassphraseParameters;
}

/** Every key that is stored was opened, and the vault has another one. */
function foreignKey(): LockedKey {
  return plainLock(lockedOut({ problem: "key of another vault" }));
}

function keyFileState({ file: main, copy }: StoredKeyFiles): string {
  return copy.kind === "present" || main.kind === "absent" ? copy.kind : main.kind;
}

function passphraseState(slots: readonly KeySlot[]) {
  const tried = slots.map(({ passphrase }) => passphrase);
  return {
    hasPassphrase: slots.some(({ sealed }) => sealed.passphrase !== undefined),
    passphrase: tried.includes("wrong") ? "wrong" : tried.includes("failed") ? "failed" : "none",
  } as const;
}
