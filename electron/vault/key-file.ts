/**
 * `vault-keys.json`: the two envelopes of the vault key and the canary that proves an opened key right.
 *
 * Invariant: the file is replaced whole and never deleted; one that is no longer wanted is set aside under its date.
 */
import { readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { flushFolder, writeFileAtomically } from "./atomic-file.ts";
import { openBytes, sealBytes } from "./sealing.ts";
import { dateStamp, unusedPath } from "./set-aside.ts";

const keyFileSchema = z.strictObject({
  version: z.literal(1),
  vaultId: z.string().min(1),
  canary: z.base64(),
  safeStorage: z.base64().exactOptional(),
  credentialStore: z.base64().exactOptional(),
});

/** Envelopes and canary are base64. */
export type KeyFile = Readonly<z.infer<typeof keyFileSchema>>;

export type StoredKeyFile =
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable" }
  | { readonly kind: "present"; readonly file: KeyFile };

export function keyFilePath(folder: string): string {
  return join(folder, "vault-keys.json");
}

/** Reads the key file. `unreadable` covers a file that cannot be opened and one that is not of this form. */
export function readKeyFile(folder: string): StoredKeyFile {
  try {
    const parsed = keyFileSchema.safeParse(JSON.parse(readFileSync(keyFilePath(folder), "utf8")));
    return parsed.success ? { kind: "present", file: parsed.data } : { kind: "unreadable" };
  } catch (error) {
    return isMissing(error) ? { kind: "absent" } : { kind: "unreadable" };
  }
}

/** Replaces the key file durably. Throws the system's error. */
export function writeKeyFile(folder: string, file: KeyFile): void {
  writeFileAtomically(keyFilePath(folder), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Renames the key file to a name with its date. Throws the system's error. */
export function setKeyFileAside(folder: string, nowMs: number): void {
  const path = keyFilePath(folder);
  renameSync(path, unusedPath(join(folder, `vault-keys.set-aside-${dateStamp(nowMs)}`), ".json"));
  flushFolder(dirname(path));
}

const canaryText = Buffer.from("the key of this vault");

/** Seals the known constant that only the right key opens. */
export function makeCanary(vaultKey: Uint8Array, vaultId: string): string {
  return sealBytes(vaultKey, canaryContext(vaultId), canaryText).toString("base64");
}

/** Whether `vaultKey` is the key of the vault `file` belongs to. */
export function provesKey(vaultKey: Uint8Array, file: KeyFile): boolean {
  const opened = openBytes(vaultKey, canaryContext(file.vaultId), Buffer.from(file.canary, "base64"));
  return opened?.equals(canaryText) ?? false;
}

function canaryContext(vaultId: string) {
  return { kind: "canary", names: ["key-file", vaultId], recordVersion: 1, generation: 0 } as const;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
