/**
 * Electron's `safeStorage` on the Chromium host, for development: its key lies in a plain file beside the
 * profile, so it protects nothing from whoever can read files. It seals for real (AES-256-GCM), so that a
 * lost key or a changed byte fails as it would on Electron.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { SafeStorage } from "electron";
import { standIn } from "./not-implemented.ts";

/** As Chromium marks what a password store's key sealed; `v10` would be its fixed key. */
const prefix = Buffer.from("v11");
const notice = "Development key of the Chromium host. It protects nothing.";
const ivBytes = 12;
const tagBytes = 16;

/** The key file of a profile; beside the folder, so that copying a profile alone does not copy its key. */
export function safeStorageKeyFile(userData: string): string {
  return `${userData}.development-key`;
}

/** Makes `safeStorage`. `userData` is asked at each use; `isReady` says whether the app is. */
export function createStandInSafeStorage(userData: () => string, isReady: () => boolean): SafeStorage {
  const key = (): Buffer => {
    if (!isReady()) throw new Error("safeStorage cannot be used before app is ready");
    return readOrMakeKey(safeStorageKeyFile(userData()));
  };
  return standIn<SafeStorage>("safeStorage", {
    isAsyncEncryptionAvailable: async () => key().length === 32,
    encryptStringAsync: async (plainText) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key(), iv, { authTagLength: tagBytes });
      return Buffer.concat([prefix, iv, cipher.update(plainText, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    decryptStringAsync: async (encrypted) => ({ result: decrypt(encrypted, key()), shouldReEncrypt: false }),
  });
}

function decrypt(encrypted: Buffer, key: Buffer): string {
  try {
    if (!encrypted.subarray(0, prefix.length).equals(prefix)) throw new Error("unknown prefix");
    const body = encrypted.subarray(prefix.length);
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
