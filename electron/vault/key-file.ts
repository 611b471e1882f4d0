/**
 * `vault-keys.json` and its copy `vault-keys.copy.json`: the envelopes of the vault key, the canary that proves an opened
 * key right, and during a change of the key the next one beside it.
 *
 * Invariants: a file is replaced whole and never deleted; one that is no longer wanted is set aside under its date. The
 * file is written before its copy, each with the same revision, so after a kill in between the higher one is the newer.
 */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { flushFolder, writeFileAtomically } from "./atomic-file.ts";
import { passphraseParametersSchema } from "./passphrase-key.ts";
import { openBytes, sealBytes } from "./sealing.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";

const sealedKeySchema = z.strictObject({
  canary: z.base64(),
  /** What the credential store keeps for this key is filed under it; absent in files of the first version: the vault's id then. */
  keyId: z.string().min(1).exactOptional(),
  safeStorage: z.base64().exactOptional(),
  credentialStore: z.base64().exactOptional(),
  passphrase: z.strictObject({ parameters: passphraseParametersSchema, sealed: z.base64() }).exactOptional(),
});

/** More changes than this that came to nothing wait for the next opening, which drops their keys. */
export const mostNextKeys = 4;

const keyFileSchema = sealedKeySchema.extend({
  version: z.literal(1),
  vaultId: z.string().min(1),
  /** Counts the writes; 0 in files of the first version. */
  revision: z.int().nonnegative().default(0),
  /** Keys that a change began to. Whether the vault is sealed with one of them already, only the vault knows. */
  next: z.array(sealedKeySchema).max(mostNextKeys).readonly().exactOptional(),
  /** Keys that are no longer used, and that a place may still keep something for. */
  retired: z.array(z.string().min(1)).readonly().exactOptional(),
});

const versionSchema = z.looseObject({ version: z.int().min(2) });

/** One key: envelopes and canary are base64. */
export type SealedKey = Readonly<z.infer<typeof sealedKeySchema>>;
export type KeyFile = Readonly<z.infer<typeof keyFileSchema>>;

export type StoredKeyFile =
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable" }
  /** The disk did not give it now: nothing is known of its content. */
  | { readonly kind: "unavailable"; readonly error: unknown }
  /** Written by a newer version of the app. */
  | { readonly kind: "newer" }
  | { readonly kind: "present"; readonly file: KeyFile };

export type KeyFileName = "file" | "copy";

const stems: Readonly<Record<KeyFileName, string>> = { file: "vault-keys", copy: "vault-keys.copy" };

/** Reads the key file or its copy. `unreadable` covers one that cannot be opened and one that is not of this form. */
export function readKeyFile(folder: string, name: KeyFileName): StoredKeyFile {
  try {
    const content: unknown = JSON.parse(readFileSync(pathOf(folder, name), "utf8"));
    const parsed = keyFileSchema.safeParse(content);
    if (parsed.success) return { kind: "present", file: parsed.data };
    return { kind: versionSchema.safeParse(content).success ? "newer" : "unreadable" };
  } catch (error) {
    if (isMissing(error)) return { kind: "absent" };
    return error instanceof Error && "syscall" in error ? { kind: "unavailable", error } : { kind: "unreadable" };
  }
}

/**
 * Replaces the key file durably, then its copy. Throws the system's error of the first write; returns that of the second,
 * which costs the copy only: the next opening writes it again.
 */
export function writeKeyFiles(folder: string, file: KeyFile): unknown {
  const content = `${JSON.stringify(file, undefined, 2)}\n`;
  writeFileAtomically(pathOf(folder, "file"), content);
  try {
    writeFileAtomically(pathOf(folder, "copy"), content);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Renames the key file or its copy, if it is there, to a name with its date. Throws the system's error. */
export function setKeyFileAside(folder: string, name: KeyFileName, nowMs: number): void {
  const path = pathOf(folder, name);
  if (!existsSync(path)) return;
  renameSync(path, unusedPath(join(folder, `${stems[name]}.set-aside-${dateStamp(nowMs)}`), ".json"));
  flushFolder(folder);
}

/** The current key of a key file, without what belongs to the file. */
function currentKey(file: KeyFile): SealedKey {
  const { version: _version, vaultId: _vaultId, revision: _revision, next: _next, retired: _retired, ...sealed } = file;
  return sealed;
}

/** Every key the vault may be under. */
export function storedKeys(file: KeyFile): readonly SealedKey[] {
  return [currentKey(file), ...(file.next ?? [])];
}

/** What the credential store's entry for this key is filed under. */
export function keyIdOf(vaultId: string, sealed: SealedKey): string {
  return sealed.keyId ?? vaultId;
}

const canaryText = Buffer.from("the key of this vault");

/** Seals the known constant that only the right key opens. */
export function makeCanary(vaultKey: Uint8Array, vaultId: string): string {
  return sealBytes(vaultKey, canaryContext(vaultId), canaryText).toString("base64");
}

/** Whether `vaultKey` is the key that `sealed` holds the envelopes of. */
export function provesKey(vaultKey: Uint8Array, vaultId: string, sealed: SealedKey): boolean {
  const opened = openBytes(vaultKey, canaryContext(vaultId), Buffer.from(sealed.canary, "base64"));
  return opened?.equals(canaryText) ?? false;
}

function canaryContext(vaultId: string) {
  return { kind: "canary", names: ["key-file", vaultId], recordVersion: 1, generation: 0 } as const;
}

function pathOf(folder: string, name: KeyFileName): string {
  return join(folder, `${stems[name]}.json`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
