/** Changes of the key as a vault makes them, for the tests of their files. */
import { expect } from "vitest";
import type { Failure } from "../../../shared/failure.ts";
import type { KeyChange } from "../key-keeper.ts";
import { KeyFolder } from "./key-folder.ts";

export function vaultKeyOf(keys: KeyFolder): Buffer {
  if (keys.vaultKey === undefined) throw new Error("no key yet");
  return keys.vaultKey;
}

export async function begin(keys: KeyFolder, given?: string): Promise<KeyChange> {
  const { keeper } = await keys.open(given);
  const begun = await keeper.beginChange(vaultKeyOf(keys), given);
  if (!begun.ok) throw new Error(`unexpected failure ${begun.error.code}`);
  return begun.value;
}

/** The vault seals everything with the new key: one transaction. */
export function commit(keys: KeyFolder, change: KeyChange): void {
  keys.vaultKey = Buffer.from(change.newKey);
}

export async function changeKey(keys: KeyFolder, given?: string): Promise<readonly Failure[]> {
  const change = await begin(keys, given);
  commit(keys, change);
  return change.finish();
}

/** Each place alone opens the vault's key, which is the only one left. */
export async function expectBothPlaces(keys: KeyFolder): Promise<void> {
  expect((await keys.open()).opened.candidates).toHaveLength(1);
  keys.safeStorage.available = false;
  expect((await keys.open()).notices).toEqual(["safeStorage"]);
  keys.safeStorage.available = true;
  keys.credentialStore.problem = "unavailable";
  expect((await keys.open()).notices).toEqual(["credentialStore"]);
  keys.credentialStore.problem = undefined;
  expect(keys.names()).toEqual(["vault-keys.copy.json", "vault-keys.json"]);
  expect(keys.read()).not.toHaveProperty("next");
  expect(keys.read()).not.toHaveProperty("retired");
  expect(keys.read("vault-keys.copy.json")).toEqual(keys.read());
}

export async function filled(): Promise<KeyFolder> {
  const keys = new KeyFolder();
  await keys.open();
  return keys;
}
