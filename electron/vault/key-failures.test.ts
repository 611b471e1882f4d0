import { describe, expect, it } from "vitest";
import { filled } from "./testing/key-changes.ts";
import { KeyFolder } from "./testing/key-folder.ts";

/** Opens the key and gives the places a notice said to be missing. */
async function missing(keys: KeyFolder): Promise<readonly unknown[]> {
  return (await keys.open()).notices;
}

describe("a vault that no envelope opens", () => {
  it("stays as it is when both places lost their key", async () => {
    const keys = await filled();
    keys.safeStorage.replaceKey();
    keys.credentialStore.entries.clear();
    const locked = await keys.lock();
    expect(locked.failure).toMatchObject({
      code: "vault_locked",
      params: { keyFile: "present", safeStorage: "lost", credentialStore: "lost" },
    });
    expect(locked).toMatchObject({
      places: [
        { place: "safeStorage", problem: "lost" },
        { place: "credentialStore", problem: "lost" },
      ],
      canUsePassphrase: false,
      canChoosePassphrase: false,
    });
  });

  it("waits for a place that is away, and opens once it is back", async () => {
    const keys = await filled();
    keys.safeStorage.temporarilyUnavailable = true;
    keys.credentialStore.problem = "locked";
    const locked = await keys.lock();
    expect(locked.failure).toMatchObject({
      code: "vault_keys_unavailable",
      retryable: true,
      params: { place: "the safe storage of this computer" },
    });
    expect(locked.places.map(({ problem }) => problem)).toEqual(["unavailable", "locked"]);
    keys.credentialStore.problem = undefined;
    expect(await missing(keys)).toEqual(["safeStorage"]);
  });

  it("waits when both prompts stay unanswered", async () => {
    const keys = await filled();
    keys.safeStorage.hanging = true;
    keys.credentialStore.hanging = true;
    const locked = await keys.lock();
    expect(locked.failure.code).toBe("vault_keys_unavailable");
    expect(locked.places.map(({ problem }) => problem)).toEqual(["timed_out", "timed_out"]);
  });

  it("waits when one place lost its key and the other does not answer", async () => {
    const keys = await filled();
    keys.safeStorage.replaceKey();
    keys.credentialStore.problem = "unavailable";
    expect((await keys.lock()).failure).toMatchObject({
      code: "vault_keys_unavailable",
      params: { place: "the credential store of this computer" },
    });
  });

  it("does not wait for a place that never held an envelope", async () => {
    const keys = new KeyFolder();
    keys.credentialStore.problem = "unavailable";
    expect(await missing(keys)).toEqual(["credentialStore"]);
    keys.safeStorage.replaceKey();
    expect((await keys.lock()).failure.code).toBe("vault_locked");
  });

  it("tells a refused keychain from one without the key", async () => {
    const keys = await filled();
    keys.platform = "darwin";
    keys.safeStorage.denied = true;
    keys.credentialStore.problem = "denied";
    const locked = await keys.lock();
    expect(locked.failure).toMatchObject({ code: "vault_access_denied", retryable: true });
    expect(locked.places.map(({ problem }) => problem)).toEqual(["denied", "denied"]);

    keys.credentialStore.problem = undefined;
    keys.credentialStore.entries.clear();
    expect((await keys.lock()).failure).toMatchObject({
      code: "vault_access_denied",
      params: { place: "the safe storage of this computer" },
    });

    keys.safeStorage.denied = false;
    keys.safeStorage.replaceKey();
    expect((await keys.lock()).failure.code).toBe("vault_locked");
  });

  it("says what is missing when the only candidate is not its key and another key did not open", async () => {
    const keys = await filled();
    const file = keys.read();
    keys.change((changed) => {
      changed["next"] = [{ canary: file["canary"], credentialStore: file["credentialStore"], keyId: "unknown" }];
    });
    const opened = await keys.tryOpen();
    expect(opened.ok && opened.value.unproven()).toMatchObject({ failure: { code: "vault_locked", params: { credentialStore: "lost" } } });
  });

  it("says that the key is another vault's when everything opened", async () => {
    const opened = await (await filled()).tryOpen();
    expect(opened.ok && opened.value.unproven().failure).toMatchObject({
      code: "vault_locked",
      params: { problem: "key of another vault" },
    });
  });
});
