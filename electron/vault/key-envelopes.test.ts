import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goldenKey } from "./golden/golden-content.ts";
import { FakeSafeStorage } from "./testing/fake-key-places.ts";
import { filled } from "./testing/key-changes.ts";
import { KeyFolder } from "./testing/key-folder.ts";

/** Opens the key and gives the places a notice said to be missing. */
async function missing(keys: KeyFolder): Promise<readonly unknown[]> {
  return (await keys.open()).notices;
}

describe("a new profile", () => {
  it("seals its key in both places, twice on disk, and gives no notice", async () => {
    const keys = await filled();
    expect(Object.keys(keys.read()).sort()).toEqual(["canary", "credentialStore", "revision", "safeStorage", "vaultId", "version"]);
    expect(keys.read("vault-keys.copy.json")).toEqual(keys.read());
    expect([...keys.credentialStore.entries.values()].map((entry) => entry.length)).toEqual([32]);
  });

  it.skipIf(process.platform === "win32")("keeps its key files from other users", async () => {
    const keys = await filled();
    for (const name of ["vault-keys.json", "vault-keys.copy.json"]) {
      expect(statSync(join(keys.folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  it("is refused when no place is available, and nothing is written", async () => {
    const keys = new KeyFolder();
    keys.safeStorage.available = false;
    keys.credentialStore.problem = "unavailable";
    const locked = await keys.lock();
    expect(locked.failure).toMatchObject({
      code: "vault_protection_missing",
      params: { safeStorage: "unavailable", credentialStore: "unavailable" },
    });
    expect(locked).toMatchObject({ canUsePassphrase: false, canChoosePassphrase: true });
    expect(keys.names()).toEqual([]);
  });

  it("is refused Chromium's fixed key on Linux", async () => {
    const keys = new KeyFolder();
    keys.safeStorage.fixedKey = true;
    keys.credentialStore.problem = "unavailable";
    const locked = await keys.lock();
    expect(locked.failure.code).toBe("vault_protection_missing");
    expect(locked.places).toEqual([
      { place: "safeStorage", problem: "fixed_key" },
      { place: "credentialStore", problem: "unavailable" },
    ]);
  });

  it("takes prefix v10 for the real thing on Windows", async () => {
    const keys = new KeyFolder();
    keys.platform = "win32";
    keys.safeStorage.fixedKey = true;
    expect(await missing(keys)).toEqual([]);
    expect(Buffer.from(String(keys.read()["safeStorage"]), "base64").toString("latin1", 0, 3)).toBe("v10");
  });

  it("never seals its key with the fixed key when the credential store works", async () => {
    const keys = new KeyFolder();
    keys.safeStorage.fixedKey = true;
    expect(await missing(keys)).toEqual(["safeStorage"]);
    expect(keys.read()).not.toHaveProperty("safeStorage");
  });

  it("does not count on a credential store that keeps nothing", async () => {
    const keys = new KeyFolder();
    keys.credentialStore.keepsNothing = true;
    expect(await missing(keys)).toEqual(["credentialStore"]);
    expect(keys.read()).not.toHaveProperty("credentialStore");
  });

  it.each([
    ["half of the key", (text: string) => text.slice(0, 40)],
    ["another key", (text: string) => text.slice(0, text.indexOf(":") + 1) + randomBytes(32).toString("base64")],
  ])("does not count on safe storage that gives back %s", async (_what, spoil) => {
    const keys = new KeyFolder();
    const { decryptStringAsync } = keys.safeStorage;
    keys.safeStorage.decryptStringAsync = async (encrypted) => {
      const opened = await decryptStringAsync(encrypted);
      return opened.result.includes("key") ? { ...opened, result: spoil(opened.result) } : opened;
    };
    expect(await missing(keys)).toEqual(["safeStorage"]);
    expect(keys.read()).not.toHaveProperty("safeStorage");
  });

  it("goes on without a credential store whose prompt nobody answers", async () => {
    const keys = new KeyFolder();
    keys.credentialStore.hanging = true;
    expect(await missing(keys)).toEqual(["credentialStore"]);
  });

  it("keeps an old key file under its date", async () => {
    const keys = new KeyFolder();
    keys.write("vault-keys.json", "not json");
    await keys.open();
    expect(readFileSync(join(keys.folder, "vault-keys.set-aside-20261122-143005.json"), "utf8")).toBe("not json");
  });

  it("says that it was refused when macOS refused the keychain", async () => {
    const keys = new KeyFolder();
    keys.platform = "darwin";
    keys.safeStorage.denied = true;
    keys.credentialStore.problem = "denied";
    expect((await keys.lock()).failure.code).toBe("vault_access_denied");
  });

  it("leaves nothing behind when its file cannot be written", async () => {
    const keys = new KeyFolder();
    const locked = await keys.lock({ folder: join(keys.folder, "not there") });
    expect(locked).toMatchObject({ failure: { code: "vault_write_failed" }, canChoosePassphrase: false });
    expect(keys.credentialStore.entries.size).toBe(0);
  });
});

describe("an existing vault", () => {
  it("opens with both envelopes and leaves them as they are", async () => {
    const keys = await filled();
    const before = keys.remains();
    expect(await missing(keys)).toEqual([]);
    expect(keys.remains()).toEqual(before);
  });

  it("opens with safe storage alone and says so", async () => {
    const keys = await filled();
    const before = keys.remains();
    keys.credentialStore.problem = "locked";
    expect(await missing(keys)).toEqual(["credentialStore"]);
    expect(keys.remains()).toEqual(before);
  });

  it("opens with the credential store alone and says so", async () => {
    const keys = await filled();
    const before = keys.remains();
    keys.safeStorage.available = false;
    expect(await missing(keys)).toEqual(["safeStorage"]);
    expect(keys.remains()).toEqual(before);
  });

  it.each(["safeStorage", "credentialStore"])("seals a missing %s envelope again, after which it opens by itself", async (place) => {
    const keys = await filled();
    keys.change((file) => delete file[place]);
    expect(await missing(keys)).toEqual([]);
    expect(keys.read()).toHaveProperty(place);
    if (place === "safeStorage") keys.credentialStore.problem = "unavailable";
    else keys.safeStorage.available = false;
    expect(await missing(keys)).toEqual([place === "safeStorage" ? "credentialStore" : "safeStorage"]);
  });

  it("survives safe storage losing its key", async () => {
    const keys = await filled();
    keys.safeStorage.replaceKey();
    expect(await missing(keys)).toEqual([]);
    keys.credentialStore.problem = "unavailable";
    expect(await missing(keys)).toEqual(["credentialStore"]);
  });

  it("survives the credential store losing its entry", async () => {
    const keys = await filled();
    keys.credentialStore.entries.clear();
    expect(await missing(keys)).toEqual([]);
    keys.safeStorage.available = false;
    expect(await missing(keys)).toEqual(["safeStorage"]);
  });

  it("survives the credential store holding another key", async () => {
    const keys = await filled();
    for (const account of keys.credentialStore.entries.keys()) keys.credentialStore.entries.set(account, randomBytes(32));
    expect(await missing(keys)).toEqual([]);
    keys.safeStorage.available = false;
    expect(await missing(keys)).toEqual(["safeStorage"]);
  });

  it("seals again what safe storage asks to seal again", async () => {
    const keys = await filled();
    const before = keys.read();
    keys.safeStorage.shouldReEncrypt = true;
    expect(await missing(keys)).toEqual([]);
    expect(keys.read()["safeStorage"]).not.toBe(before["safeStorage"]);
    expect(keys.read()["credentialStore"]).toBe(before["credentialStore"]);
  });

  it("leaves an envelope alone that safe storage cannot open for now", async () => {
    const keys = await filled();
    const before = keys.remains();
    keys.safeStorage.temporarilyUnavailable = true;
    expect(await missing(keys)).toEqual(["safeStorage"]);
    expect(keys.remains()).toEqual(before);
  });

  it("replaces an envelope sealed with the fixed key", async () => {
    const keys = await filled();
    keys.safeStorage.fixedKey = true;
    const weak = await keys.safeStorage.encryptStringAsync("dms-connect vault key 1:AAAA");
    keys.safeStorage.fixedKey = false;
    keys.change((file) => {
      file["safeStorage"] = weak.toString("base64");
    });
    expect(await missing(keys)).toEqual([]);
    expect(Buffer.from(String(keys.read()["safeStorage"]), "base64").toString("latin1", 0, 3)).toBe("v11");
  });

  it("does not take a key that does not prove the canary, and seals the right one again", async () => {
    const keys = await filled();
    const planted = await keys.safeStorage.encryptStringAsync(`dms-connect vault key 1:${randomBytes(32).toString("base64")}`);
    keys.change((file) => {
      file["safeStorage"] = planted.toString("base64");
    });
    expect(await missing(keys)).toEqual([]);
    keys.credentialStore.problem = "unavailable";
    expect(await missing(keys)).toEqual(["credentialStore"]);
  });

  it("wipes its candidates when told to", async () => {
    const keys = await filled();
    const opened = await keys.tryOpen();
    if (!opened.ok) throw new Error("unexpected lock");
    opened.value.wipe();
    expect(opened.value.candidates).toEqual([Buffer.alloc(32)]);
  });
});

describe("a profile of the first version", () => {
  it("opens, and gets a copy of its key file without a word", async () => {
    const keys = new KeyFolder(new FakeSafeStorage(goldenKey));
    keys.write("vault-keys.json", readFileSync(join(import.meta.dirname, "golden", "v1", "vault-keys.json"), "utf8"));
    const vaultId = String(keys.read()["vaultId"]);
    const { opened, notices } = await keys.open();
    expect(opened.vaultId).toBe(vaultId);
    expect(opened.candidates).toHaveLength(1);
    expect(notices).toEqual([]);
    expect(keys.names()).toEqual(["vault-keys.copy.json", "vault-keys.json"]);
    expect(keys.read("vault-keys.copy.json")).toEqual(keys.read());
    expect([...keys.credentialStore.entries.keys()]).toEqual([`vault key ${vaultId}`]);
  });
});
