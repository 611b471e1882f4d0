/** A profile folder with the vault's keys and nothing else: the vault itself is only the key that it is sealed with. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Result } from "../../../shared/result.ts";
import { createCredentialEnvelope } from "../credential-envelope.ts";
import { type OpenedKey, type OpenKeyOptions, openVaultKey } from "../key-envelopes.ts";
import type { LockedKey } from "../key-failures.ts";
import type { KeyKeeper } from "../key-keeper.ts";
import { newPassphraseParameters } from "../passphrase-key.ts";
import { createSafeStorageEnvelope } from "../safe-storage-envelope.ts";
import { FakeCredentialStore, FakeSafeStorage } from "./fake-key-places.ts";
import { nowMs, temporaryFolder } from "./profile.ts";

export const passphrase = "five random words in here";

export interface InOrder {
  readonly opened: OpenedKey;
  readonly keeper: KeyKeeper;
  /** Places that a notice said to be missing, and the codes of other notices. */
  readonly notices: readonly unknown[];
}

/** What a kill leaves behind. */
export interface Remains {
  readonly files: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, Uint8Array>;
  readonly vaultKey: Buffer | undefined;
}

export class KeyFolder {
  readonly folder = temporaryFolder();
  readonly credentialStore = new FakeCredentialStore();
  readonly safeStorage: FakeSafeStorage;
  platform: NodeJS.Platform = "linux";
  /** The key the vault is under; absent before there is one. */
  vaultKey: Buffer | undefined;

  constructor(safeStorage = new FakeSafeStorage()) {
    this.safeStorage = safeStorage;
  }

  tryOpen(changes: Partial<OpenKeyOptions> = {}): Promise<Result<OpenedKey, LockedKey>> {
    return openVaultKey({
      folder: this.folder,
      vaultExists: this.vaultKey !== undefined,
      envelopes: [
        createSafeStorageEnvelope(this.safeStorage, { platform: this.platform, timeoutMs: 50 }),
        createCredentialEnvelope(this.credentialStore, 50),
      ],
      nowMs: () => nowMs,
      newParameters: () => ({ ...newPassphraseParameters(), N: 2 ** 15 }),
      ...changes,
    });
  }

  /** Opens the key as a vault does: proves a candidate, then settles. A new vault takes the first one as its own. */
  async open(given?: string): Promise<InOrder> {
    const result = await this.tryOpen({ passphrase: given });
    if (!result.ok) throw new Error(`unexpected lock ${result.error.failure.code}: ${JSON.stringify(result.error.places)}`);
    const proving = [result.value, ...(result.value.other === undefined ? [] : [result.value.other])].find(({ candidates }) =>
      candidates.some((candidate) => this.vaultKey === undefined || candidate.equals(this.vaultKey)),
    );
    const proven = proving?.candidates.find((candidate) => this.vaultKey === undefined || candidate.equals(this.vaultKey));
    if (proving === undefined || proven === undefined) throw new Error("no candidate is the vault's key");
    this.vaultKey ??= Buffer.from(proven);
    const { notices, keeper } = await proving.settle(proven);
    return { opened: proving, keeper, notices: notices.map(({ code, params }) => params["missing"] ?? code) };
  }

  /** Why the vault stays locked; checks that nothing was touched. */
  async lock(changes: Partial<OpenKeyOptions> = {}): Promise<LockedKey> {
    const before = this.remains();
    const result = await this.tryOpen(changes);
    if (result.ok) throw new Error("unexpected key");
    if (!isDeepStrictEqual(this.remains(), before)) throw new Error("something was written before a key was proved");
    return result.error;
  }

  names(): readonly string[] {
    return readdirSync(this.folder).sort();
  }

  /** The key file (or its copy) as it is stored. */
  read(name: "vault-keys.json" | "vault-keys.copy.json" = "vault-keys.json"): Record<string, unknown> {
    // The form is the one under test; a wrong one fails the expectations.
    return JSON.parse(readFileSync(join(this.folder, name), "utf8")) as Record<string, unknown>;
  }

  write(name: string, content: unknown): void {
    writeFileSync(join(this.folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }

  /** Changes the key file and its copy alike. */
  change(change: (file: Record<string, unknown>) => void): void {
    const file = this.read();
    change(file);
    this.write("vault-keys.json", file);
    this.write("vault-keys.copy.json", file);
  }

  remains(): Remains {
    return {
      files: new Map(this.names().map((name) => [name, readFileSync(join(this.folder, name), "utf8")])),
      entries: new Map(this.credentialStore.entries),
      vaultKey: this.vaultKey,
    };
  }

  /** The same computer after the kill that left `remains`. */
  after(remains: Remains): KeyFolder {
    const revived = new KeyFolder(this.safeStorage);
    for (const [name, content] of remains.files) revived.write(name, content);
    for (const [account, secret] of remains.entries) revived.credentialStore.entries.set(account, secret);
    revived.vaultKey = remains.vaultKey;
    return revived;
  }
}
