import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { active, failureOf, john, Profile, valueOf } from "./testing/profile.ts";

function keyFilePath(profile: Profile): string {
  return join(profile.folder, "vault-keys.json");
}

function readKeyFile(profile: Profile): Record<string, string> {
  // The form is the one under test; a wrong one fails the expectations.
  return JSON.parse(readFileSync(keyFilePath(profile), "utf8")) as Record<string, string>;
}

function changeKeyFile(profile: Profile, change: (file: Record<string, string>) => void): void {
  const file = readKeyFile(profile);
  change(file);
  writeFileSync(keyFilePath(profile), JSON.stringify(file));
}

/** A profile whose vault holds one connection, closed. */
async function filledProfile(): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  valueOf(await opened.vault.commitConnection(active(john, 1)));
  opened.close();
  return profile;
}

/** Opens the vault, reads the connection and gives the places a notice said to be missing. */
async function missingPlaces(profile: Profile): Promise<readonly unknown[]> {
  const opened = await profile.open();
  expect(valueOf(await opened.vault.readConnection(john))).toEqual(active(john, 1));
  opened.close();
  return opened.notices.map((notice) => notice.params["missing"]);
}

describe("a new profile", () => {
  it("seals its key in both places and gives no notice", async () => {
    const profile = new Profile();
    const opened = await profile.open();
    expect(opened.notices).toEqual([]);
    expect(Object.keys(readKeyFile(profile)).sort()).toEqual(["canary", "credentialStore", "safeStorage", "vaultId", "version"]);
    expect([...profile.credentialStore.entries.values()].map((entry) => entry.length)).toEqual([32]);
  });

  it.skipIf(process.platform === "win32")("keeps its key file from other users", async () => {
    const profile = new Profile();
    await profile.open();
    expect(statSync(keyFilePath(profile)).mode & 0o777).toBe(0o600);
  });

  it("is refused when no place is available, and nothing is written", async () => {
    const profile = new Profile();
    profile.safeStorage.available = false;
    profile.credentialStore.problem = "unavailable";
    const refused = failureOf(await profile.tryOpen());
    expect(refused.code).toBe("vault_protection_missing");
    expect(refused.params).toEqual({ safeStorage: "unavailable", credentialStore: "unavailable" });
    expect(existsSync(keyFilePath(profile))).toBe(false);
    expect(existsSync(profile.vaultPath)).toBe(false);
  });

  it("is refused Chromium's fixed key on Linux", async () => {
    const profile = new Profile();
    profile.safeStorage.fixedKey = true;
    profile.credentialStore.problem = "unavailable";
    const refused = failureOf(await profile.tryOpen());
    expect(refused.code).toBe("vault_protection_missing");
    expect(refused.params["safeStorage"]).toBe("fixed_key");
  });

  it("takes prefix v10 for the real thing on Windows", async () => {
    const profile = new Profile();
    profile.safeStorage.fixedKey = true;
    const opened = valueOf(await profile.tryOpen({ platform: "win32" }));
    expect(opened.notices).toEqual([]);
    expect(Buffer.from(readKeyFile(profile)["safeStorage"] ?? "", "base64").toString("latin1", 0, 3)).toBe("v10");
  });

  it("never seals its key with the fixed key when the credential store works", async () => {
    const profile = new Profile();
    profile.safeStorage.fixedKey = true;
    const opened = await profile.open();
    expect(opened.notices.map((notice) => notice.params["missing"])).toEqual(["safeStorage"]);
    expect(readKeyFile(profile)).not.toHaveProperty("safeStorage");
  });

  it("does not count on a credential store that keeps nothing", async () => {
    const profile = new Profile();
    profile.credentialStore.keepsNothing = true;
    const opened = await profile.open();
    expect(opened.notices.map((notice) => notice.params["missing"])).toEqual(["credentialStore"]);
    expect(readKeyFile(profile)).not.toHaveProperty("credentialStore");
  });

  it("goes on without a credential store whose prompt nobody answers", async () => {
    const profile = new Profile();
    profile.credentialStore.hanging = true;
    const opened = await profile.open();
    expect(opened.notices.map((notice) => notice.params["missing"])).toEqual(["credentialStore"]);
  });

  it("keeps an old key file under its date", async () => {
    const profile = new Profile();
    writeFileSync(keyFilePath(profile), "not json");
    await profile.open();
    expect(readdirSync(profile.folder)).toContain("vault-keys.set-aside-20261122-143005.json");
    expect(readFileSync(join(profile.folder, "vault-keys.set-aside-20261122-143005.json"), "utf8")).toBe("not json");
  });
});

describe("an existing vault", () => {
  it("opens with both envelopes and leaves them as they are", async () => {
    const profile = await filledProfile();
    const before = readKeyFile(profile);
    expect(await missingPlaces(profile)).toEqual([]);
    expect(readKeyFile(profile)).toEqual(before);
  });

  it("opens with safe storage alone and says so", async () => {
    const profile = await filledProfile();
    const before = readKeyFile(profile);
    profile.credentialStore.problem = "locked";
    expect(await missingPlaces(profile)).toEqual(["credentialStore"]);
    expect(readKeyFile(profile)).toEqual(before);
  });

  it("opens with the credential store alone and says so", async () => {
    const profile = await filledProfile();
    const before = readKeyFile(profile);
    profile.safeStorage.available = false;
    expect(await missingPlaces(profile)).toEqual(["safeStorage"]);
    expect(readKeyFile(profile)).toEqual(before);
  });

  it("seals a missing envelope again, after which either alone opens it", async () => {
    const profile = await filledProfile();
    changeKeyFile(profile, (file) => delete file["safeStorage"]);
    expect(await missingPlaces(profile)).toEqual([]);
    profile.credentialStore.problem = "unavailable";
    expect(await missingPlaces(profile)).toEqual(["credentialStore"]);

    profile.credentialStore.problem = undefined;
    changeKeyFile(profile, (file) => delete file["credentialStore"]);
    expect(await missingPlaces(profile)).toEqual([]);
    profile.safeStorage.available = false;
    expect(await missingPlaces(profile)).toEqual(["safeStorage"]);
  });

  it("survives safe storage losing its key", async () => {
    const profile = await filledProfile();
    profile.safeStorage.replaceKey();
    expect(await missingPlaces(profile)).toEqual([]);
    profile.credentialStore.problem = "unavailable";
    expect(await missingPlaces(profile)).toEqual(["credentialStore"]);
  });

  it("survives the credential store losing its entry", async () => {
    const profile = await filledProfile();
    profile.credentialStore.entries.clear();
    expect(await missingPlaces(profile)).toEqual([]);
    profile.safeStorage.available = false;
    expect(await missingPlaces(profile)).toEqual(["safeStorage"]);
  });

  it("seals again what safe storage asks to seal again", async () => {
    const profile = await filledProfile();
    const before = readKeyFile(profile);
    profile.safeStorage.shouldReEncrypt = true;
    expect(await missingPlaces(profile)).toEqual([]);
    expect(readKeyFile(profile)["safeStorage"]).not.toBe(before["safeStorage"]);
    expect(readKeyFile(profile)["credentialStore"]).toBe(before["credentialStore"]);
  });

  it("leaves an envelope alone that safe storage cannot open for now", async () => {
    const profile = await filledProfile();
    const before = readKeyFile(profile);
    profile.safeStorage.temporarilyUnavailable = true;
    expect(await missingPlaces(profile)).toEqual(["safeStorage"]);
    expect(readKeyFile(profile)).toEqual(before);
  });

  it("replaces an envelope sealed with the fixed key", async () => {
    const profile = await filledProfile();
    profile.safeStorage.fixedKey = true;
    const weak = await profile.safeStorage.encryptStringAsync("dms-connect vault key 1:AAAA");
    profile.safeStorage.fixedKey = false;
    changeKeyFile(profile, (file) => {
      file["safeStorage"] = weak.toString("base64");
    });
    expect(await missingPlaces(profile)).toEqual([]);
    expect(Buffer.from(readKeyFile(profile)["safeStorage"] ?? "", "base64").toString("latin1", 0, 3)).toBe("v11");
  });

  it("does not take a key that does not prove the canary, and seals the right one again", async () => {
    const profile = await filledProfile();
    const planted = await profile.safeStorage.encryptStringAsync(`dms-connect vault key 1:${randomBytes(32).toString("base64")}`);
    changeKeyFile(profile, (file) => {
      file["safeStorage"] = planted.toString("base64");
    });
    expect(await missingPlaces(profile)).toEqual([]);
    profile.credentialStore.problem = "unavailable";
    expect(await missingPlaces(profile)).toEqual(["credentialStore"]);
  });
});

describe("a vault that no envelope opens", () => {
  /** Everything that could be lost. */
  function bytesOf(profile: Profile): readonly unknown[] {
    return [readFileSync(keyFilePath(profile)), readFileSync(profile.vaultPath), new Map(profile.credentialStore.entries)];
  }

  /** Why the vault stays locked; checks that nothing was touched. */
  async function lockedBecause(profile: Profile): Promise<unknown> {
    const before = bytesOf(profile);
    const refused = failureOf(await profile.tryOpen());
    expect(bytesOf(profile)).toEqual(before);
    expect(refused.code).toBe("vault_locked");
    return refused.params;
  }

  it("stays as it is when both places lost their key", async () => {
    const profile = await filledProfile();
    profile.safeStorage.replaceKey();
    profile.credentialStore.entries.clear();
    expect(await lockedBecause(profile)).toEqual({ keyFile: "present", safeStorage: "lost", credentialStore: "lost" });
  });

  it("opens again once a place that was away is back", async () => {
    const profile = await filledProfile();
    profile.safeStorage.temporarilyUnavailable = true;
    profile.credentialStore.problem = "locked";
    expect(await lockedBecause(profile)).toEqual({ keyFile: "present", safeStorage: "temporarily_unavailable", credentialStore: "locked" });
    profile.credentialStore.problem = undefined;
    expect(await missingPlaces(profile)).toEqual(["safeStorage"]);
  });

  it("is locked, not empty, when both prompts stay unanswered", async () => {
    const profile = await filledProfile();
    profile.safeStorage.hanging = true;
    profile.credentialStore.hanging = true;
    expect(await lockedBecause(profile)).toEqual({ keyFile: "present", safeStorage: "timed_out", credentialStore: "timed_out" });
  });

  it("stays as it is when the key file is damaged", async () => {
    const profile = await filledProfile();
    writeFileSync(keyFilePath(profile), readFileSync(keyFilePath(profile)).subarray(0, 40));
    expect(await lockedBecause(profile)).toEqual({ keyFile: "unreadable", safeStorage: "lost", credentialStore: "lost" });
  });

  it("stays as it is when its key file belongs to another vault", async () => {
    const profile = await filledProfile();
    const other = await filledProfile();
    profile.safeStorage.decryptStringAsync = other.safeStorage.decryptStringAsync;
    profile.safeStorage.encryptStringAsync = other.safeStorage.encryptStringAsync;
    writeFileSync(keyFilePath(profile), readFileSync(keyFilePath(other)));
    expect(await lockedBecause(profile)).toEqual({ problem: "key of another vault" });
  });

  it("stays as it is when the key file is gone", async () => {
    const profile = await filledProfile();
    rmSync(keyFilePath(profile));
    const before = readFileSync(profile.vaultPath);
    const refused = failureOf(await profile.tryOpen());
    expect(refused.params).toEqual({ keyFile: "absent", safeStorage: "lost", credentialStore: "lost" });
    expect(readFileSync(profile.vaultPath)).toEqual(before);
    expect(existsSync(keyFilePath(profile))).toBe(false);
  });
});
