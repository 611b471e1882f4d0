import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { err, ok, type Result } from "../shared/result.ts";
import type { VaultView } from "../shared/views.ts";
import {
  endStartingAnew,
  readLockedConnections,
  resumeStartingAnew,
  setWholeVaultAside,
  waitingForReconnect,
} from "./vault/locked-vault.ts";
import { active, jane, john, nowMs, Profile, valueOf } from "./vault/testing/profile.ts";
import { type OpenedVault, openVault } from "./vault/vault.ts";
import { startVaultLifecycle, type VaultLifecycleParts } from "./vault-lifecycle.ts";

interface TestBroker {
  readonly opened: OpenedVault;
  readonly close: () => Promise<void>;
}

const passphrase = "five quite random words";

function partsFor(profile: Profile, changes: Partial<VaultLifecycleParts<TestBroker>> = {}): VaultLifecycleParts<TestBroker> {
  const { folder, safeStorage, credentialStore } = profile;
  return {
    open: (typed) =>
      openVault({
        folder,
        safeStorage,
        credentialStore,
        nowMs: () => nowMs,
        platform: "linux",
        timeouts: { credentialStoreMs: 50, safeStorageMs: 50 },
        ...(typed === undefined ? {} : { passphrase: typed }),
      }),
    start: async (opened) => ok({ opened, close: async () => opened.close() }),
    lockedConnections: () => readLockedConnections(folder),
    waiting: (connections) => waitingForReconnect(connections, () => "Mazda"),
    providerName: () => "Mazda",
    anew: {
      setAside: () => setWholeVaultAside(folder, nowMs),
      resume: () => resumeStartingAnew(folder),
      end: () => endStartingAnew(folder),
    },
    onChanged: () => undefined,
    ...changes,
  };
}

async function lifecycleOf(profile: Profile, changes: Partial<VaultLifecycleParts<TestBroker>> = {}) {
  const lifecycle = await startVaultLifecycle(partsFor(profile, changes));
  onTestFinished(() => lifecycle.close());
  return lifecycle;
}

/** A closed profile with two connections. */
async function filled(): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  for (const key of [john, jane]) valueOf(await opened.vault.commitConnection(active(key, 1)));
  opened.close();
  return profile;
}

/** Takes both keys away for good. */
function loseKeys(profile: Profile): void {
  profile.safeStorage.replaceKey();
  profile.credentialStore.entries.clear();
}

function codeOf(result: Result<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}

function lockedView(view: VaultView) {
  if (view.state !== "locked") throw new Error("the vault is open");
  return view;
}

describe("a vault whose keys are lost", () => {
  it("says why, which connections are concerned, and that a new one may be started", async () => {
    const profile = await filled();
    loseKeys(profile);
    const { view, running } = await lifecycleOf(profile);
    expect(codeOf(running())).toBe("vault_locked");
    expect(lockedView(view())).toMatchObject({
      failure: { code: "vault_locked" },
      recovery: {
        places: [
          { place: "safeStorage", problem: "lost" },
          { place: "credentialStore", problem: "lost" },
        ],
        canStartAnew: true,
        canUsePassphrase: false,
        connections: [
          { providerName: "Mazda", user: jane.user },
          { providerName: "Mazda", user: john.user },
        ],
      },
    });
  });

  it("is set aside when a person wants it, and its connections wait for Reconnect in the new one", async () => {
    const profile = await filled();
    loseKeys(profile);
    const { control, view, running, notices } = await lifecycleOf(profile);
    expect(codeOf(await control.startAnew())).toBe("ok");
    expect(view().state).toBe("open");
    expect(notices()).toMatchObject([{ code: "vault_started_anew", params: { file: "vault.set-aside-20261122-143005.sqlite" } }]);
    const { vault } = valueOf(running()).opened;
    expect(valueOf(await vault.readConnection(john))?.state).toMatchObject({ kind: "ReconnectRequired" });
    expect(valueOf(await vault.listConnections())).toHaveLength(2);
    expect(readdirSync(profile.folder)).toContain("vault.set-aside-20261122-143005.sqlite");
  });

  it("keeps its connections although the app is killed while a new one is started", async () => {
    const profile = await filled();
    loseKeys(profile);
    const before = await lifecycleOf(profile);
    await before.close();
    // As far as a kill lets it come: the note and the vault itself, but not its keys.
    valueOf(setWholeVaultAside(profile.folder, nowMs));
    renameSync(join(profile.folder, "vault.set-aside-20261122-143005.vault-keys.json"), join(profile.folder, "vault-keys.json"));
    const { view, running, close } = await lifecycleOf(profile);
    expect(view().state).toBe("open");
    expect(valueOf(await valueOf(running()).opened.vault.listConnections())).toHaveLength(2);
    await close();
    expect((await lifecycleOf(profile)).view().state).toBe("open");
  });

  it("may be set aside after it was damaged once", async () => {
    const profile = await filled();
    profile.edit((database) => database.exec("DELETE FROM connection WHERE user = 'mmd10030.janedoe'"));
    (await profile.open()).close();
    loseKeys(profile);
    const { control, view } = await lifecycleOf(profile);
    expect(codeOf(await control.startAnew())).toBe("ok");
    expect(view().state).toBe("open");
  });

  it("opens with its passphrase; a wrong one changes nothing", async () => {
    const profile = await filled();
    const first = await lifecycleOf(profile);
    expect(codeOf(await first.control.setPassphrase(passphrase))).toBe("ok");
    expect(first.view()).toMatchObject({ state: "open", hasPassphrase: true });
    await first.close();
    loseKeys(profile);
    const { control, view, running } = await lifecycleOf(profile);
    expect(lockedView(view())).toMatchObject({ failure: { code: "vault_passphrase_needed" }, recovery: { canUsePassphrase: true } });
    expect(codeOf(await control.unlock("not the right passphrase"))).toBe("vault_passphrase_wrong");
    expect(lockedView(view()).failure.code).toBe("vault_passphrase_needed");
    expect(codeOf(await control.unlock(passphrase))).toBe("ok");
    expect(valueOf(await valueOf(running()).opened.vault.readConnection(john))).toEqual(active(john, 1));
  });
});

describe("a vault whose keys cannot be reached now", () => {
  it("opens when somebody tries again", async () => {
    const profile = await filled();
    profile.safeStorage.available = false;
    profile.credentialStore.problem = "locked";
    const { control, view } = await lifecycleOf(profile);
    expect(codeOf(await control.tryAgain())).toBe("vault_keys_unavailable");
    profile.credentialStore.problem = undefined;
    expect(codeOf(await control.tryAgain())).toBe("ok");
    expect(view().state).toBe("open");
  });

  it("says that access was denied", async () => {
    const profile = await filled();
    profile.safeStorage.available = false;
    profile.credentialStore.problem = "denied";
    const { view } = await lifecycleOf(profile);
    expect(lockedView(view()).failure.code).toBe("vault_access_denied");
  });
});

describe("a computer without a safe place", () => {
  it("gets no vault before a person has chosen a passphrase, and asks for it at the next start", async () => {
    const profile = new Profile();
    profile.safeStorage.fixedKey = true;
    profile.credentialStore.problem = "unavailable";
    const first = await lifecycleOf(profile);
    expect(lockedView(first.view())).toMatchObject({
      failure: { code: "vault_protection_missing" },
      recovery: { canChoosePassphrase: true, canStartAnew: false },
    });
    expect(codeOf(await first.control.setPassphrase("short"))).toBe("vault_passphrase_weak");
    expect(codeOf(await first.control.setPassphrase(passphrase))).toBe("ok");
    expect(codeOf(await first.control.removePassphrase())).toBe("vault_protection_missing");
    await first.close();
    const second = await lifecycleOf(profile);
    expect(lockedView(second.view()).failure.code).toBe("vault_passphrase_needed");
    expect(codeOf(await second.control.unlock(passphrase))).toBe("ok");
  });
});

describe("what must not be set aside", () => {
  it("is a vault that another process has open", async () => {
    const profile = await filled();
    const held = await profile.open();
    const { control, view } = await lifecycleOf(profile);
    expect(lockedView(view())).toMatchObject({ failure: { code: "vault_in_use" }, recovery: { canStartAnew: false, connections: [] } });
    expect(codeOf(await control.startAnew())).toBe("vault_in_use");
    held.close();
    expect(codeOf(await control.tryAgain())).toBe("ok");
  });

  it("is a vault of a newer version", async () => {
    const profile = await filled();
    await profile.makeNewer(1000);
    const { control, view } = await lifecycleOf(profile);
    expect(lockedView(view())).toMatchObject({ failure: { code: "vault_newer" }, recovery: { canStartAnew: false } });
    expect(codeOf(await control.startAnew())).not.toBe("ok");
  });
});

describe("an open vault", () => {
  it("is closed again when its broker does not start, and can be tried again", async () => {
    const profile = await filled();
    let broken = true;
    const start: VaultLifecycleParts<TestBroker>["start"] = async (opened) =>
      broken ? err(codeFailure) : ok({ opened, close: async () => opened.close() });
    const { control, view } = await lifecycleOf(profile, { start });
    expect(view().state).toBe("locked");
    broken = false;
    expect(codeOf(await control.tryAgain())).toBe("ok");
  });

  it("changes its key once for two clicks at a time, and opens with either envelope afterwards", async () => {
    const profile = await filled();
    const { control, close } = await lifecycleOf(profile);
    expect((await Promise.all([control.rekey(), control.rekey()])).map(codeOf)).toEqual(["ok", "ok"]);
    await close();
    for (const lose of [() => profile.safeStorage.replaceKey(), () => profile.credentialStore.entries.clear()]) {
      lose();
      const opened = await profile.open();
      expect(valueOf(await opened.vault.readConnection(john))).toEqual(active(john, 1));
      expect(valueOf(await opened.verifyAudit()).kind).toBe("intact");
      opened.close();
    }
  });

  it("keeps no backup under the old key", async () => {
    const profile = await filled();
    const { control, running } = await lifecycleOf(profile);
    valueOf(await valueOf(running()).opened.backUp());
    valueOf(await valueOf(running()).opened.backUp());
    await control.rekey();
    const backups = readdirSync(profile.folder).filter((name) => name.startsWith("vault.backup-"));
    expect(backups).toHaveLength(1);
    valueOf(running()).opened.close();
    // The one that is left opens with the new key.
    rmSync(join(profile.folder, "vault.sqlite"));
    const opened = await profile.open();
    expect(valueOf(await opened.vault.readConnection(john))?.state.kind).toBe("InDoubt");
  });
});

const codeFailure = { code: "vault_write_failed", params: {}, message: "", remedy: "", retryable: true } as const;
