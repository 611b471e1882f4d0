import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStandInSafeStorage, safeStorageKeyFile } from "./stand-in-safe-storage.ts";

describe("safeStorage of the Chromium host", () => {
  let folder = "";
  let profile = "";
  beforeEach(async () => {
    vi.spyOn(console, "log").mockReturnValue(undefined);
    folder = await mkdtemp(join(tmpdir(), "dms-connect-safe-storage-"));
    profile = join(folder, "profile");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const options = { userData: () => profile, isReady: () => true, hasPasswordStore: true };
  const storage = () => createStandInSafeStorage(options);

  it("opens what it sealed, also after a restart, and marks it as sealed by a real key", async () => {
    const sealed = await storage().encryptStringAsync("key");
    expect(sealed.subarray(0, 3).toString()).toBe("v11");
    expect(await storage().decryptStringAsync(sealed)).toEqual({ result: "key", shouldReEncrypt: false });
  });

  it("refuses changed bytes, and everything once its key is gone", async () => {
    const sealed = await storage().encryptStringAsync("key");
    const changed = Buffer.from(sealed);
    changed.writeUInt8((changed.at(-20) ?? 0) ^ 1, changed.length - 20);
    await expect(storage().decryptStringAsync(changed)).rejects.toThrow("Error while decrypting");
    await expect(storage().decryptStringAsync(Buffer.from("v11"))).rejects.toThrow("Error while decrypting");
    await rm(safeStorageKeyFile(profile));
    await expect(storage().decryptStringAsync(sealed)).rejects.toThrow("Error while decrypting");
  });

  it("keeps its key beside the profile, readable by the user alone, and says what it is worth", async () => {
    await storage().encryptStringAsync("key");
    const file = safeStorageKeyFile(profile);
    expect(file.startsWith(`${profile}/`)).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain("protects nothing");
  });

  it("throws on the synchronous functions and before the app is ready", async () => {
    expect(() => storage().encryptString("key")).toThrow("not implemented on the Chromium host: safeStorage.encryptString");
    const early = createStandInSafeStorage({ ...options, isReady: () => false });
    await expect(early.encryptStringAsync("key")).rejects.toThrow("before app is ready");
  });

  it("calls itself available without a password store too, marks what its fixed key seals, and opens nothing else", async () => {
    const fixed = createStandInSafeStorage({ ...options, hasPasswordStore: false });
    expect(await fixed.isAsyncEncryptionAvailable()).toBe(true);
    const sealed = await fixed.encryptStringAsync("key");
    expect(sealed.subarray(0, 3).toString()).toBe("v10");
    expect((await fixed.decryptStringAsync(sealed)).result).toBe("key");
    await expect(fixed.decryptStringAsync(await storage().encryptStringAsync("key"))).rejects.toThrow("Error while decrypting");
    await expect(storage().decryptStringAsync(sealed)).rejects.toThrow("Error while decrypting");
  });
});
