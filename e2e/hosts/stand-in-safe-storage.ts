/**
 * Electron's `safeStorage` on the Chromium host, for development: its key lies in a plain file beside the
 * profile, so it protects nothing from whoever can read files. It seals for real (AES-256-GCM), so that a
 * lost key or a changed byte fails as it would on Electron.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { SafeStorage } from "electron";
import { standIn } from "./not-implemented.ts";

/** As Chromium marks what a password store's key sealed, and what its fixed key did (os_crypt_linux.cc). */
const prefixes = { passwordStore: Buffer.from("v11"), fixed: Buffer.from("v10") } as const;
const prefixBytes = 3;
/** Everybody's. */
const fixedKey = Buffer.alloc(32, "peanuts");
const notice = "Development key of the Chromium host. It protects nothing.";
const ivBytes = 12;
const tagBytes = 16;

/** The key file of a profile; beside the folder, so that copying a profile alone does not copy its key. */
export function safeStorageKeyFile(userData: string): string {
  return `${userData}.development-key`;
}

export interface StandInSafeStorageOptions {
  /** Asked at each use. */
  readonly userData: () => string;
  readonly isReady: () => boolean;
  /** Without one it calls itself available all the same, as Chromium's fallback does. */
  readonly hasPasswordStore: boolean;
}

/** Makes `safeStorage`. */
export function createStandInSafeStorage({ userData, isReady, hasPasswordStore }: StandInSafeStorageOptions): SafeStorage {
  const prefix = hasPasswordStore ? prefixes.passwordStore : prefixes.fixed;
  const key = (): Buffer => {
    if (!isReady()) throw new Error("safeStorage cannot be used before app is ready");
    return hasPasswordStore ? readOrMakeKey(safeStorageKeyFile(userData())) : fixedKey;
  };
  return standIn<SafeStorage>("safeStorage", {
    isAsyncEncryptionAvailable: async () => key().length === 32,
    encryptStringAsync: async (plainText) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key(), iv, { authTagLength: tagBytes });
      return Buffer.concat([prefix, iv, cipher.update(plainText, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    decryptStringAsync: async (encrypted) => ({ result: decrypt(encrypted, prefix, key()), shouldReEncrypt: false }),
  });
}

function decrypt(encrypted: Buffer, prefix: Buffer, key: Buffer): string {
  try {
    if (!encrypted.subarray(0, prefixBytes).equals(prefix)) throw new Error("unknown prefix");
    const body = encrypted.subarray(prefixBytes);
    const decipher = createDecipheriv("aes-256-gcm", key, body.subarray(0, ivBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(body.subarray(-tagBytes));
    return Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    // Electron's own wording, whatever the reason was.
    throw new Error("Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.");
  }
}

function readOrMakeKey(file: string): Buffer {
  if (!existsSync(file)) {
    writeFileSync(file, `${notice}\n${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
    console.log(`Chromium host: safeStorage is for development only; its key lies in ${file}`);
  }
  return Buffer.from(readFileSync(file, "utf8").split("\n")[1] ?? "", "base64");
}
