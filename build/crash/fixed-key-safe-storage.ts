/**
 * A stand-in of Electron's `safeStorage` whose key comes from outside, so that it outlives the process as the operating
 * system's would. It seals for real: a wrong key or a changed byte fails.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { ComposeParts } from "../../electron/compose.ts";

/** As Chromium marks what a password store's key sealed; `v10` would be its fixed key, which the vault refuses. */
const prefix = Buffer.from("v11");
const ivBytes = 12;
const tagBytes = 16;

/** @param key 32 bytes */
export function createFixedKeySafeStorage(key: Uint8Array): ComposeParts["safeStorage"] {
  return {
    isAsyncEncryptionAvailable: async () => true,
    encryptStringAsync: async (plainText) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
      return Buffer.concat([prefix, iv, cipher.update(plainText, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    decryptStringAsync: async (encrypted) => {
      const body = encrypted.subarray(prefix.length);
      const decipher = createDecipheriv("aes-256-gcm", key, body.subarray(0, ivBytes), { authTagLength: tagBytes });
      decipher.setAuthTag(body.subarray(-tagBytes));
      const opened = Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()]);
      return { result: opened.toString("utf8"), shouldReEncrypt: false };
    },
  };
}
