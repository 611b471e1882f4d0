/**
 * Opens the keys of the key file and of its copy.
 *
 * Invariant: a key counts only if it proves the canary beside which it was stored. A key that is opened twice is kept once;
 * the other bytes are wiped.
 */
import type { KeyEnvelope } from "./key-envelope.ts";
import type { PlaceReading } from "./key-failures.ts";
import { type KeyFile, type KeyFileName, provesKey, type SealedKey, type StoredKeyFile, storedKeys } from "./key-file.ts";
import { openPassphraseEnvelope } from "./passphrase-envelope.ts";

export type StoredKeyFiles = Readonly<Record<KeyFileName, StoredKeyFile>>;

/** One key that was stored for a vault, and what the places made of it. */
export interface KeySlot {
  readonly source: KeyFileName;
  readonly sealed: SealedKey;
  readonly readings: readonly PlaceReading[];
  /** Absent without a passphrase or an envelope for one. */
  readonly passphrase: "opened" | "wrong" | "failed" | undefined;
  readonly vaultKey: Buffer | undefined;
}

/** Everything stored for one vault, the likeliest first. */
export interface StoredVaultKeys {
  readonly vaultId: string;
  readonly files: readonly { readonly name: KeyFileName; readonly file: KeyFile }[];
  readonly slots: readonly KeySlot[];
}

export interface KeyTools {
  readonly envelopes: readonly KeyEnvelope[];
  readonly passphrase: string | undefined;
}

/**
 * What is stored, grouped by vault: the file's before the copy's, and within one vault the higher revision first. Both are
 * opened where they differ, because either may be the one that fits a vault that was put back from a backup.
 */
export async function openStoredKeys(stored: StoredKeyFiles, tools: KeyTools): Promise<readonly StoredVaultKeys[]> {
  const groups: StoredVaultKeys[] = [];
  for (const files of groupByVault(stored)) {
    const slots: KeySlot[] = [];
    for (const { name, file } of files) {
      for (const sealed of storedKeys(file)) {
        if (slots.some((slot) => isSame(slot.sealed, sealed))) continue;
        slots.push(keepOnce(await openSlot(name, file.vaultId, sealed, tools), slots));
      }
    }
    groups.push({ vaultId: files[0].file.vaultId, files, slots });
  }
  return groups;
}

type NamedFile = StoredVaultKeys["files"][number];

function groupByVault({ file: main, copy }: StoredKeyFiles): readonly (readonly [NamedFile, ...NamedFile[]])[] {
  const first = main.kind === "present" ? ({ name: "file", file: main.file } as const) : undefined;
  const second = copy.kind === "present" ? ({ name: "copy", file: copy.file } as const) : undefined;
  if (first === undefined) return second === undefined ? [] : [[second]];
  if (second === undefined) return [[first]];
  if (first.file.vaultId !== second.file.vaultId) return [[first], [second]];
  return second.file.revision > first.file.revision ? [[second, first]] : [[first, second]];
}

/** Asks every place, also when one has opened the key already: what the others lost is written again later. */
async function openSlot(source: KeyFileName, vaultId: string, sealed: SealedKey, tools: KeyTools): Promise<KeySlot> {
  const readings = await Promise.all(tools.envelopes.map((envelope) => readPlace(envelope, vaultId, sealed)));
  const vaultKey = firstKey(readings);
  const untried = { source, sealed, readings, passphrase: undefined, vaultKey };
  if (vaultKey !== undefined || tools.passphrase === undefined || sealed.passphrase === undefined) return untried;
  const outcome = await openPassphraseEnvelope({ vaultId, sealed }, tools.passphrase);
  if (outcome.kind === "unavailable") return { ...untried, passphrase: "failed" };
  if (outcome.kind === "opened" && provesKey(outcome.vaultKey, vaultId, sealed)) {
    return { ...untried, passphrase: "opened", vaultKey: outcome.vaultKey };
  }
  return { ...untried, passphrase: "wrong" };
}

async function readPlace(envelope: KeyEnvelope, vaultId: string, sealed: SealedKey): Promise<PlaceReading> {
  const outcome = await envelope.open({ vaultId, sealed });
  const reading = { place: envelope.name, stored: sealed[envelope.name] !== undefined };
  if (outcome.kind !== "opened" || provesKey(outcome.vaultKey, vaultId, sealed)) return { ...reading, outcome };
  outcome.vaultKey.fill(0);
  return { ...reading, outcome: { kind: "lost" } };
}

/** What the places say when there is no key file: only whether they work. */
export function readPlaces(envelopes: readonly KeyEnvelope[]): Promise<readonly PlaceReading[]> {
  return Promise.all(envelopes.map(async (envelope) => ({ place: envelope.name, stored: false, outcome: await envelope.open(undefined) })));
}

function firstKey(readings: readonly PlaceReading[]): Buffer | undefined {
  const [first, ...others] = readings.flatMap(({ outcome }) => (outcome.kind === "opened" ? [outcome.vaultKey] : []));
  for (const other of others) other.fill(0);
  return first;
}

function keepOnce(slot: KeySlot, before: readonly KeySlot[]): KeySlot {
  const kept = before.find(({ vaultKey }) => slot.vaultKey !== undefined && vaultKey?.equals(slot.vaultKey));
  if (kept === undefined) return slot;
  slot.vaultKey?.fill(0);
  return { ...slot, vaultKey: kept.vaultKey };
}

function isSame(one: SealedKey, other: SealedKey): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(sealed: SealedKey): readonly unknown[] {
  return [sealed.canary, sealed.keyId, sealed.safeStorage, sealed.credentialStore, sealed.passphrase?.sealed];
}
