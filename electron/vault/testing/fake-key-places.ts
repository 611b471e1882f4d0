/** Stand-ins for the two places that keep the vault key, with the ways they fail. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { CredentialProblem, CredentialStore } from "../credential-store.ts";
import type { SafeStorageLike } from "../safe-storage-envelope.ts";

/** Like Electron's: ciphertext starts with `v11`, or with `v10` when it fell back to its fixed key. */
export class FakeSafeStorage implements SafeStorageLike {
  available = true;
  fixedKey = false;
  temporarilyUnavailable = false;
  hanging = false;
  /** macOS: the keychain was refused, so Chromium has no key. */
  denied = false;
  shouldReEncrypt = false;
  encryptions = 0;
  #key: Buffer;

  /** `key`: 32 bytes; a golden profile needs the key it was made with. */
  constructor(key: Buffer = randomBytes(32)) {
    this.#key = key;
  }

  /** What Chromium does on Windows when it cannot unwrap its key. */
  replaceKey(): void {
    this.#key = randomBytes(32);
  }

  isAsyncEncryptionAvailable = async (): Promise<boolean> => {
    if (this.hanging) await new Promise<never>(() => {});
    return this.available;
  };

  encryptStringAsync = async (plainText: string): Promise<Buffer> => {
    this.encryptions += 1;
    if (this.denied) throw new Error("Error while encrypting the text provided to safeStorage.encryptStringAsync.");
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const body = Buffer.concat([cipher.update(plainText, "utf8"), cipher.final()]);
    return Buffer.concat([Buffer.from(this.fixedKey ? "v10" : "v11"), nonce, cipher.getAuthTag(), body]);
  };

  decryptStringAsync = async (encrypted: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }> => {
    // The probe is shorter and still opens: Electron says this of single ciphertexts.
    if (this.temporarilyUnavailable && encrypted.length > 60) {
      throw new Error("safeStorage.decryptStringAsync is temporarily unavailable. Please try again.");
    }
    const decipher = createDecipheriv("aes-256-gcm", this.#key, encrypted.subarray(3, 15), { authTagLength: 16 });
    decipher.setAuthTag(encrypted.subarray(15, 31));
    const result = Buffer.concat([decipher.update(encrypted.subarray(31)), decipher.final()]).toString("utf8");
    return { result, shouldReEncrypt: this.shouldReEncrypt };
  };
}

export class FakeCredentialStore implements CredentialStore {
  problem: CredentialProblem | undefined;
  hanging = false;
  keepsNothing = false;
  readonly entries = new Map<string, Uint8Array>();

  read = async (account: string): Promise<Result<Uint8Array | undefined, CredentialProblem>> => {
    if (this.hanging) await new Promise<never>(() => {});
    if (this.problem !== undefined) return err(this.problem);
    const entry = this.entries.get(account);
    return ok(entry === undefined ? undefined : Uint8Array.from(entry));
  };

  remove = async (account: string): Promise<Result<undefined, CredentialProblem>> => {
    if (this.hanging) await new Promise<never>(() => {});
    if (this.problem !== undefined) return err(this.problem);
    this.entries.delete(account);
    return ok();
  };

  write = async (account: string, secret: Uint8Array): Promise<Result<undefined, CredentialProblem>> => {
    if (this.problem !== undefined) return err(this.problem);
    if (!this.keepsNothing) this.entries.set(account, Uint8Array.from(secret));
    return ok();
  };
}
