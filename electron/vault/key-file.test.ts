import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeyFolder } from "./testing/key-folder.ts";

const main = "vault-keys.json";
const copy = "vault-keys.copy.json";
const mainAside = "vault-keys.set-aside-20261122-143005.json";
const copyAside = "vault-keys.copy.set-aside-20261122-143005.json";

async function filled(): Promise<KeyFolder> {
  const keys = new KeyFolder();
  await keys.open();
  return keys;
}

function stored(keys: KeyFolder, name: string): string {
  return readFileSync(join(keys.folder, name), "utf8");
}

/** Ways a file of this form gets damaged. */
const damages: readonly (readonly [string, (content: string) => string])[] = [
  ["empty", () => ""],
  ["cut off", (content) => content.slice(0, 40)],
  ["full of zeros", (content) => "\0".repeat(content.length)],
  ["another program's", () => "[]"],
  ["without its canary", (content) => content.replace('"canary"', '"cannery"')],
  ["with parameters that would exhaust the memory", (content) => content.replace("{", `{"passphrase":${hostile},`)],
];
const hostile = JSON.stringify({
  parameters: { algorithm: "scrypt", salt: Buffer.alloc(16).toString("base64"), N: 2 ** 40, r: 1_024, p: 64 },
  sealed: "AAAA",
});

describe("the key file and its copy", () => {
  it.each(damages)("survive a file that is %s: it is set aside and written again", async (_what, damage) => {
    const keys = await filled();
    const before = stored(keys, main);
    keys.write(main, damage(before));
    const { notices } = await keys.open();
    expect(notices).toEqual(["vault_record_restored"]);
    expect(keys.names()).toEqual([copy, main, mainAside].sort());
    expect(stored(keys, mainAside)).toBe(damage(before));
    expect(JSON.parse(stored(keys, main))).toEqual({ ...JSON.parse(before), revision: 2 });
    expect(stored(keys, copy)).toBe(stored(keys, main));
    expect((await keys.open()).notices).toEqual([]);
  });

  it.each(damages)("survive a copy that is %s: it is set aside and written again", async (_what, damage) => {
    const keys = await filled();
    const before = stored(keys, copy);
    keys.write(copy, damage(before));
    expect((await keys.open()).notices).toEqual(["vault_record_restored"]);
    expect(keys.names()).toEqual([copy, copyAside, main].sort());
    expect(stored(keys, copy)).toBe(stored(keys, main));
  });

  it("survive a lost file", async () => {
    const keys = await filled();
    rmSync(join(keys.folder, main));
    expect((await keys.open()).notices).toEqual(["vault_record_restored"]);
    expect(keys.names()).toEqual([copy, main]);
  });

  it("survive a lost copy without a word", async () => {
    const keys = await filled();
    rmSync(join(keys.folder, copy));
    expect((await keys.open()).notices).toEqual([]);
    expect(stored(keys, copy)).toBe(stored(keys, main));
  });

  it("survive a file of another vault that opens, too", async () => {
    const keys = await filled();
    const other = new KeyFolder(keys.safeStorage);
    await other.open();
    keys.write(main, other.read());
    const { opened, notices } = await keys.open();
    expect(opened.vaultId).toBe(keys.read(copy)["vaultId"]);
    expect(notices).toEqual(["vault_record_restored"]);
    expect(keys.read()["vaultId"]).toBe(opened.vaultId);
    expect(JSON.parse(stored(keys, mainAside))).toEqual(other.read());
  });

  it("survive a file whose envelopes are damaged while it looks sound", async () => {
    const keys = await filled();
    const file = keys.read();
    keys.write(main, { ...file, revision: 9, safeStorage: "djExAAAA", credentialStore: "AAAA" });
    expect((await keys.open()).notices).toEqual([]);
    expect(keys.read()).toEqual({ ...file, revision: 10 });
  });

  it("agree on the higher revision after a kill between the two writes", async () => {
    const keys = await filled();
    const before = keys.read();
    const { keeper } = await keys.open();
    if (keys.vaultKey === undefined) throw new Error("no key");
    expect((await keeper.setPassphrase(keys.vaultKey, "five random words in here")).ok).toBe(true);
    const after = keys.read();
    for (const [name, older] of [
      [copy, main],
      [main, copy],
    ] as const) {
      keys.write(name, after);
      keys.write(older, before);
      expect((await keys.open()).keeper.hasPassphrase()).toBe(true);
      expect(keys.read(older)).toMatchObject({ passphrase: after["passphrase"] });
      expect(stored(keys, copy)).toBe(stored(keys, main));
    }
    expect(keys.names()).toEqual([copy, main]);
  });

  it("are locked, not replaced, when both are damaged", async () => {
    const keys = await filled();
    keys.write(main, "{}");
    keys.write(copy, "");
    expect((await keys.lock()).failure).toMatchObject({ code: "vault_locked", params: { keyFile: "unreadable" } });
  });

  it("are locked when both are gone", async () => {
    const keys = await filled();
    rmSync(join(keys.folder, main));
    rmSync(join(keys.folder, copy));
    expect((await keys.lock()).failure).toMatchObject({ code: "vault_locked", params: { keyFile: "absent" } });
  });

  it("are left to the newer version that wrote them, also when it was killed before the copy", async () => {
    const keys = await filled();
    keys.write(main, { ...keys.read(), version: 2, somethingNew: true });
    expect((await keys.lock()).failure.code).toBe("vault_newer");
  });

  it("are left to the newer version when only its copy is left", async () => {
    const keys = await filled();
    keys.write(copy, { ...keys.read(), version: 2, somethingNew: true });
    rmSync(join(keys.folder, main));
    expect((await keys.lock()).failure.code).toBe("vault_newer");
  });
});
