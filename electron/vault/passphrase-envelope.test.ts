import { describe, expect, it } from "vitest";
import type { Result } from "../../shared/result.ts";
import { KeyFolder, passphrase } from "./testing/key-folder.ts";

const another = "another five random words";

/** A computer that offers no safe place. */
function unprotected(): KeyFolder {
  const keys = new KeyFolder();
  keys.safeStorage.fixedKey = true;
  keys.credentialStore.problem = "unavailable";
  return keys;
}

/** A vault that both places and a passphrase open. */
async function filled(): Promise<KeyFolder> {
  const keys = new KeyFolder();
  const { keeper } = await keys.open();
  expect(await keeper.setPassphrase(vaultKeyOf(keys), passphrase)).toEqual({ ok: true });
  return keys;
}

function vaultKeyOf(keys: KeyFolder): Buffer {
  if (keys.vaultKey === undefined) throw new Error("no key yet");
  return keys.vaultKey;
}

function loseEverything(keys: KeyFolder): void {
  keys.safeStorage.replaceKey();
  keys.credentialStore.entries.clear();
}

function codeOf(result: Result<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}

describe("a computer without a safe place", () => {
  it("may have a vault that a passphrase protects, and only it opens", async () => {
    const keys = unprotected();
    expect((await keys.lock()).canChoosePassphrase).toBe(true);
    const made = await keys.open(passphrase);
    expect(made.notices).toEqual([]);
    expect(made.keeper.hasPassphrase()).toBe(true);
    expect(Object.keys(keys.read()).sort()).toEqual(["canary", "passphrase", "revision", "vaultId", "version"]);

    const locked = await keys.lock();
    expect(locked.failure.code).toBe("vault_passphrase_needed");
    expect(locked).toMatchObject({
      places: [
        { place: "safeStorage", problem: "fixed_key" },
        { place: "credentialStore", problem: "unavailable" },
        { place: "passphrase", problem: "locked" },
      ],
      canUsePassphrase: true,
      canChoosePassphrase: false,
    });
    const opened = await keys.open(passphrase);
    expect(opened.notices).toEqual([]);
  });

  it("refuses a wrong passphrase and leaves everything as it is", async () => {
    const keys = unprotected();
    await keys.open(passphrase);
    const locked = await keys.lock({ passphrase: another });
    expect(locked).toMatchObject({ failure: { code: "vault_passphrase_wrong" }, canUsePassphrase: true });
  });

  it.each(["", "short", "aaaaaaaaaaaaaaaaaaaaaa"])("refuses the weak passphrase %j and writes nothing", async (weak) => {
    const keys = unprotected();
    const locked = await keys.lock({ passphrase: weak });
    expect(locked).toMatchObject({ failure: { code: "vault_passphrase_weak" }, canUsePassphrase: false, canChoosePassphrase: true });
    expect(keys.names()).toEqual([]);
  });

  it("opens the key again that was made before the vault's first write", async () => {
    const keys = unprotected();
    const made = await keys.open(passphrase);
    const again = await keys.tryOpen({ vaultExists: false, passphrase });
    expect(again.ok && again.value.vaultId).toBe(made.opened.vaultId);
  });

  it("keeps no passphrase and no plain key in its files", async () => {
    const keys = unprotected();
    await keys.open(passphrase);
    const text = [...keys.remains().files.values()].join();
    expect(text).not.toContain(passphrase);
    expect(text).not.toContain(vaultKeyOf(keys).toString("base64"));
  });

  it("gets the other envelopes once it offers safe places", async () => {
    const keys = unprotected();
    await keys.open(passphrase);
    keys.safeStorage.fixedKey = false;
    keys.credentialStore.problem = undefined;
    await keys.open(passphrase);
    expect(await keys.open()).toMatchObject({ notices: [] });
    keys.safeStorage.available = false;
    await keys.open();
    keys.safeStorage.available = true;
    keys.credentialStore.problem = "unavailable";
    await keys.open();
  });
});

describe("a passphrase besides the computer's own places", () => {
  it("is not asked for while a place opens the vault", async () => {
    const keys = await filled();
    expect((await keys.open()).notices).toEqual([]);
    keys.credentialStore.problem = "unavailable";
    expect((await keys.open("wrong, but nobody needs it")).notices).toEqual([]);
  });

  it("opens a vault whose places lost everything, and they are sealed again", async () => {
    const keys = await filled();
    loseEverything(keys);
    expect(await keys.lock()).toMatchObject({ failure: { code: "vault_passphrase_needed" }, canUsePassphrase: true });
    expect(await keys.lock({ passphrase: another })).toMatchObject({ failure: { code: "vault_passphrase_wrong" } });
    await keys.open(passphrase);
    expect((await keys.open()).notices).toEqual([]);
    keys.safeStorage.available = false;
    expect((await keys.open()).notices).toEqual([]);
  });

  it("is offered, but not demanded, when a keychain was refused", async () => {
    const keys = await filled();
    keys.platform = "darwin";
    keys.safeStorage.denied = true;
    keys.credentialStore.problem = "denied";
    expect(await keys.lock()).toMatchObject({ failure: { code: "vault_access_denied" }, canUsePassphrase: true });
    await keys.open(passphrase);
  });

  it("can be given while creating a vault that has safe places, too", async () => {
    const keys = new KeyFolder();
    await keys.open(passphrase);
    loseEverything(keys);
    expect((await keys.open(passphrase)).keeper.hasPassphrase()).toBe(true);
  });

  it("can be replaced: the old one opens nothing any more", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    expect(codeOf(await keeper.setPassphrase(vaultKeyOf(keys), another))).toBe("ok");
    loseEverything(keys);
    expect((await keys.lock({ passphrase })).failure.code).toBe("vault_passphrase_wrong");
    await keys.open(another);
  });

  it("can be removed while a place opens the vault", async () => {
    const keys = await filled();
    const { keeper } = await keys.open();
    expect(codeOf(await keeper.removePassphrase())).toBe("ok");
    expect(keeper.hasPassphrase()).toBe(false);
    expect(keys.read()).not.toHaveProperty("passphrase");
    expect(codeOf(await keeper.removePassphrase())).toBe("ok");
    loseEverything(keys);
    expect(await keys.lock({ passphrase })).toMatchObject({ failure: { code: "vault_locked" }, canUsePassphrase: false });
  });

  it("cannot be removed while it alone opens the vault", async () => {
    const keys = unprotected();
    const { keeper } = await keys.open(passphrase);
    expect(codeOf(await keeper.removePassphrase())).toBe("vault_protection_missing");
    expect(keeper.hasPassphrase()).toBe(true);
  });

  it("cannot be removed while the places that hold an envelope do not answer", async () => {
    const keys = await filled();
    keys.safeStorage.available = false;
    keys.credentialStore.problem = "locked";
    const { keeper } = await keys.open(passphrase);
    expect(codeOf(await keeper.removePassphrase())).toBe("vault_protection_missing");
  });

  it("cannot be a weak one", async () => {
    const keys = await filled();
    const before = keys.remains();
    const { keeper } = await keys.open();
    expect(codeOf(await keeper.setPassphrase(vaultKeyOf(keys), "eleven char"))).toBe("vault_passphrase_weak");
    expect(keys.remains()).toEqual(before);
  });

  it("does not open an envelope whose parameters were exchanged", async () => {
    const keys = await filled();
    loseEverything(keys);
    const text = JSON.stringify(keys.read());
    expect(text).toContain('"N":32768');
    keys.write("vault-keys.json", text.replace('"N":32768', '"N":65536'));
    keys.write("vault-keys.copy.json", text.replace('"N":32768', '"N":65536'));
    expect((await keys.lock({ passphrase })).failure.code).toBe("vault_passphrase_wrong");
  });
});
