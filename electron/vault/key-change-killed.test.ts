import { beforeEach, describe, expect, it, vi } from "vitest";
import { begin, changeKey, commit, expectBothPlaces, filled, vaultKeyOf } from "./testing/key-changes.ts";
import { type KeyFolder, passphrase, type Remains } from "./testing/key-folder.ts";
import { writeHook } from "./testing/write-hook.ts";

vi.mock(import("./atomic-file.ts"), async (original) => (await import("./testing/write-hook.ts")).hooked(await original()));

beforeEach(() => {
  writeHook.onWrite = undefined;
});

/** Takes down what a kill would leave at each write of a file and around each call of a key store, while `writeHook.onWrite` stays. */
function recordKills(keys: KeyFolder): readonly Remains[] {
  const kills: Remains[] = [];
  const take = () => {
    if (writeHook.onWrite === take) kills.push(keys.remains());
  };
  writeHook.onWrite = take;
  const { credentialStore: store, safeStorage } = keys;
  store.read = around(store.read, take);
  store.write = around(store.write, take);
  store.remove = around(store.remove, take);
  safeStorage.encryptStringAsync = around(safeStorage.encryptStringAsync, take);
  return kills;
}

function around<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>, take: () => void): (...given: A) => Promise<R> {
  return async (...given) => {
    take();
    const result = await call(...given);
    take();
    return result;
  };
}

describe("a change of the key that is killed", () => {
  /** Opens what each kill left, by each place; gives the numbers of candidates there were. */
  async function openAll(keys: KeyFolder, kills: readonly Remains[]): Promise<ReadonlySet<number>> {
    writeHook.onWrite = undefined;
    // Begin and end each write two files, and the key stores are asked in between.
    expect(kills.length).toBeGreaterThan(15);
    const counts = new Set<number>();
    for (const kill of kills) {
      const revived = keys.after(kill);
      const { opened, notices } = await revived.open();
      counts.add(opened.candidates.length);
      expect(notices).toEqual([]);
      expect(revived.vaultKey).toEqual(kill.vaultKey);
      await expectBothPlaces(revived);
    }
    return counts;
  }

  it("opens at whatever point of a finished change that was", async () => {
    const keys = await filled();
    const kills = recordKills(keys);
    await changeKey(keys);
    expect(await openAll(keys, kills)).toEqual(new Set([1, 2]));
  });

  it("opens at whatever point of an abandoned change that was", async () => {
    const keys = await filled();
    const kills = recordKills(keys);
    await (await begin(keys)).abandon();
    expect(await openAll(keys, kills)).toEqual(new Set([1, 2]));
  });

  it("opens at whatever point of the start that ends or undoes it", async () => {
    for (const isCommitted of [true, false]) {
      const killed = await filled();
      const change = await begin(killed);
      if (isCommitted) commit(killed, change);
      const keys = killed.after(killed.remains());
      const kills = recordKills(keys);
      await keys.open();
      writeHook.onWrite = undefined;
      expect(kills.length).toBeGreaterThan(5);
      for (const kill of kills) {
        const revived = keys.after(kill);
        expect((await revived.open()).notices).toEqual([]);
        await expectBothPlaces(revived);
      }
    }
  });

  it("removes the entry of the key that is not used, whichever that is", async () => {
    for (const isCommitted of [true, false]) {
      const keys = await filled();
      const change = await begin(keys);
      if (isCommitted) commit(keys, change);
      expect(keys.credentialStore.entries.size).toBe(2);
      const revived = keys.after(keys.remains());
      await revived.open();
      expect(revived.credentialStore.entries.size).toBe(1);
      await expectBothPlaces(revived);
    }
  });

  it("wipes the key that the vault did not prove", async () => {
    const keys = await filled();
    await begin(keys);
    const { opened } = await keys.after(keys.remains()).open();
    expect(opened.candidates).toEqual([keys.vaultKey, Buffer.alloc(32)]);
  });

  it("opens with the passphrase alone, before and after the vault was sealed anew", async () => {
    for (const isCommitted of [true, false]) {
      const keys = await filled();
      await (await keys.open()).keeper.setPassphrase(vaultKeyOf(keys), passphrase);
      const change = await begin(keys, passphrase);
      if (isCommitted) commit(keys, change);
      const revived = keys.after(keys.remains());
      revived.credentialStore.entries.clear();
      revived.safeStorage.available = false;
      expect((await revived.lock()).failure.code).toBe("vault_passphrase_needed");
      await revived.open(passphrase);
      revived.safeStorage.available = true;
    }
  });

  it("stays locked, not lost, while only the key that is not its own opens", async () => {
    const keys = await filled();
    keys.safeStorage.available = false;
    const change = await begin(keys);
    keys.safeStorage.available = true;
    commit(keys, change);
    const revived = keys.after(keys.remains());
    revived.credentialStore.problem = "locked";
    const opened = await revived.tryOpen();
    if (!opened.ok) throw new Error("safe storage holds the old key");
    expect(opened.value.candidates).toHaveLength(1);
    expect(opened.value.unproven()).toMatchObject({
      failure: { code: "vault_keys_unavailable", params: { place: "the credential store of this computer" } },
    });
    revived.credentialStore.problem = undefined;
    expect((await revived.open()).notices).toEqual([]);
    await expectBothPlaces(revived);
  });
});
