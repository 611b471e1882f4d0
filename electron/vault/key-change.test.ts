import { beforeEach, describe, expect, it, vi } from "vitest";
import { begin, changeKey, commit, expectBothPlaces, filled, vaultKeyOf } from "./testing/key-changes.ts";
import { KeyFolder, passphrase } from "./testing/key-folder.ts";
import { writeHook } from "./testing/write-hook.ts";

vi.mock(import("./atomic-file.ts"), async (original) => (await import("./testing/write-hook.ts")).hooked(await original()));

beforeEach(() => {
  writeHook.onWrite = undefined;
});

describe("a change of the key", () => {
  it("leaves only the new key, in both places", async () => {
    const keys = await filled();
    const old = keys.remains();
    const oldFile = keys.read();
    expect(await changeKey(keys)).toEqual([]);
    expect(keys.vaultKey).not.toEqual(old.vaultKey);
    expect(keys.credentialStore.entries.size).toBe(1);
    expect([...keys.credentialStore.entries.keys()]).not.toEqual([...old.entries.keys()]);
    for (const name of ["canary", "safeStorage", "credentialStore"]) {
      expect(keys.read()[name]).not.toBe(oldFile[name]);
    }
    await expectBothPlaces(keys);
  });

  it("can be made again and again in one session", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    for (let round = 0; round < 3; round += 1) {
      const begun = await keeper.beginChange(vaultKeyOf(keys));
      if (!begun.ok) throw new Error("the change did not begin");
      commit(keys, begun.value);
      expect(await begun.value.finish()).toEqual([]);
    }
    expect(keys.credentialStore.entries.size).toBe(1);
    await expectBothPlaces(keys);
  });

  it("can be abandoned: the old key stays, the new one is wiped and gone after the next start", async () => {
    const keys = await filled();
    const entries = new Map(keys.credentialStore.entries);
    const change = await begin(keys);
    await change.abandon();
    expect(change.newKey).toEqual(Buffer.alloc(32));
    expect((await keys.open()).notices).toEqual([]);
    expect(keys.credentialStore.entries).toEqual(entries);
    await expectBothPlaces(keys);
  });

  it("can begin again after it was abandoned, and any key the vault may be under opens", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    const mayBe = [vaultKeyOf(keys)];
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const begun = await keeper.beginChange(vaultKeyOf(keys));
      if (!begun.ok) throw new Error("the change did not begin");
      mayBe.push(Buffer.from(begun.value.newKey));
      await begun.value.abandon();
    }
    for (const vaultKey of mayBe) {
      const revived = keys.after({ ...keys.remains(), vaultKey });
      expect((await revived.open()).opened.candidates).toHaveLength(3);
      await expectBothPlaces(revived);
      expect(revived.credentialStore.entries.size).toBe(1);
    }
    const last = await keeper.beginChange(vaultKeyOf(keys));
    if (!last.ok) throw new Error("the change did not begin");
    commit(keys, last.value);
    expect(await last.value.finish()).toEqual([]);
    expect(keys.credentialStore.entries.size).toBe(1);
    await expectBothPlaces(keys);
  });

  it("is not tried without end in one session", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const begun = await keeper.beginChange(vaultKeyOf(keys));
      if (begun.ok) await begun.value.abandon();
    }
    const entries = new Map(keys.credentialStore.entries);
    expect(await keeper.beginChange(vaultKeyOf(keys))).toMatchObject({ ok: false, error: { code: "vault_rekey_failed" } });
    expect(keys.credentialStore.entries).toEqual(entries);
    expect((await keys.open()).notices).toEqual([]);
    await expectBothPlaces(keys);
  });

  it("ends once: a second ending does nothing", async () => {
    const keys = await filled();
    const change = await begin(keys);
    commit(keys, change);
    await change.finish();
    await change.abandon();
    expect(change.newKey).toEqual(keys.vaultKey);
    expect(await change.finish()).toEqual([]);
    await expectBothPlaces(keys);
  });

  it("is refused while another one is under way, like everything else that writes the file", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    const [one, two] = await Promise.all([keeper.beginChange(vaultKeyOf(keys)), keeper.beginChange(vaultKeyOf(keys))]);
    if (!one.ok) throw new Error("the change did not begin");
    expect(two).toMatchObject({ ok: false, error: { code: "vault_rekey_failed" } });
    expect(await keeper.setPassphrase(vaultKeyOf(keys), passphrase)).toMatchObject({ ok: false, error: { code: "vault_rekey_failed" } });
    await one.value.abandon();
    expect(await keeper.setPassphrase(vaultKeyOf(keys), passphrase)).toMatchObject({ ok: true });
  });

  it("is not spoilt by a passphrase that was being set when it began", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    const setting = keeper.setPassphrase(vaultKeyOf(keys), passphrase);
    const begun = await keeper.beginChange(vaultKeyOf(keys));
    if (!begun.ok) throw new Error("the change did not begin");
    commit(keys, begun.value);
    expect(await begun.value.finish()).toEqual([]);
    expect(await setting).toMatchObject({ ok: false, error: { code: "vault_rekey_failed" } });
    expect(keeper.hasPassphrase()).toBe(false);
    await expectBothPlaces(keys);
  });

  it("needs the right passphrase where there is one, and seals the new key with it", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    await keeper.setPassphrase(vaultKeyOf(keys), passphrase);
    const before = keys.remains();
    for (const wrong of [undefined, "another five random words"]) {
      expect(await keeper.beginChange(vaultKeyOf(keys), wrong)).toMatchObject({ ok: false, error: { code: "vault_passphrase_wrong" } });
    }
    expect(keys.remains()).toEqual(before);
    expect(await changeKey(keys, passphrase)).toEqual([]);
    keys.safeStorage.replaceKey();
    keys.credentialStore.entries.clear();
    expect((await keys.lock()).failure.code).toBe("vault_passphrase_needed");
    await keys.open(passphrase);
  });

  it("works with a passphrase alone", async () => {
    const keys = new KeyFolder();
    keys.safeStorage.fixedKey = true;
    keys.credentialStore.problem = "unavailable";
    await keys.open(passphrase);
    expect(await changeKey(keys, passphrase)).toEqual([]);
    await keys.open(passphrase);
  });

  it("fails when no place takes the new key, and leaves everything as it was", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    const before = keys.remains();
    keys.safeStorage.available = false;
    keys.credentialStore.problem = "locked";
    expect(await keeper.beginChange(vaultKeyOf(keys))).toMatchObject({ ok: false, error: { code: "vault_rekey_failed" } });
    keys.safeStorage.available = true;
    keys.credentialStore.problem = undefined;
    expect(keys.remains()).toEqual(before);
    expect(await changeKey(keys)).toEqual([]);
  });

  it("fails when the file cannot be written, and leaves everything as it was", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    const before = keys.remains();
    writeHook.onWrite = diskFull;
    expect(await keeper.beginChange(vaultKeyOf(keys))).toMatchObject({
      ok: false,
      error: { code: "vault_rekey_failed", params: { problem: "disk full" } },
    });
    expect(keys.remains()).toEqual(before);
  });

  it.each([
    ["safeStorage", "safeStorage"],
    ["credentialStore", "credentialStore"],
  ])("goes on without %s, which gets the new key at a later start", async (place, notice) => {
    const keys = await filled();
    setAway(keys, place, true);
    expect((await changeKey(keys)).map(({ params }) => params["missing"])).toEqual([notice]);
    expect((await keys.open()).notices).toEqual([notice]);
    setAway(keys, place, false);
    expect((await keys.open()).notices).toEqual([]);
    await expectBothPlaces(keys);
    // The old entry could not be removed while the store was away.
    expect(keys.credentialStore.entries.size).toBe(1);
  });

  it("survives that its last write fails: the next start ends it", async () => {
    const keys = await filled();
    const change = await begin(keys);
    commit(keys, change);
    writeHook.onWrite = diskFull;
    expect((await change.finish()).map(({ code }) => code)).toEqual(["vault_write_failed"]);
    writeHook.onWrite = undefined;
    expect((await keys.open()).notices).toEqual([]);
    await expectBothPlaces(keys);
  });
});

function setAway(keys: KeyFolder, place: string, away: boolean): void {
  if (place === "safeStorage") keys.safeStorage.available = !away;
  else keys.credentialStore.problem = away ? "locked" : undefined;
}

function diskFull(): void {
  throw Object.assign(new Error("no space left on device"), { code: "ENOSPC", syscall: "write" });
}
