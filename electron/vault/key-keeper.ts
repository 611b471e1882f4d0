/**
 * Keeps the key file of an open vault: its passphrase, and the change to a new key.
 *
 * Invariants: a change writes the new key beside the old one before the vault is sealed with it, and drops the old one only
 * after the vault is; so at any moment the file holds every key the vault may be under. Which one that is, the vault says at
 * the next opening (key-settling.ts). While a change is under way nothing else is written.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type NextKey, sealNextKey } from "./key-change.ts";
import type { KeyEnvelope, SystemPlace } from "./key-envelope.ts";
import { type KeyFile, keyIdOf, mostNextKeys, provesKey, storedKeys, writeKeyFiles } from "./key-file.ts";
import { forgetKeys } from "./key-sealing.ts";
import { openPassphraseEnvelope, sealPassphraseEnvelope } from "./passphrase-envelope.ts";
import { checkPassphrase, type PassphraseParameters } from "./passphrase-key.ts";
import { oneEnvelopeOnly, problemOf, writeFailed } from "./vault-failures.ts";

export interface KeyKeeper {
  readonly hasPassphrase: () => boolean;
  /** Sets or replaces the passphrase. Fails with `vault_passphrase_weak`, `vault_rekey_failed` during a change, and `vault_write_failed`. */
  readonly setPassphrase: (vaultKey: Uint8Array, passphrase: string) => Promise<Result<undefined>>;
  /** Fails with `vault_protection_missing` while no place of this computer is known to open the vault, and as `setPassphrase` does. */
  readonly removePassphrase: () => Promise<Result<undefined>>;
  /**
   * Makes a new key and stores it beside `oldKey`. Fails with `vault_passphrase_wrong` when the vault has a passphrase and
   * this is not it, and with `vault_rekey_failed`; then the old key is the only one, as before.
   */
  readonly beginChange: (oldKey: Uint8Array, passphrase?: string) => Promise<Result<KeyChange>>;
}

/** A change of the key that is under way: end it by one of the two. */
export interface KeyChange {
  /** 32 bytes. After `finish` it is the vault's key and the caller's to wipe. */
  readonly newKey: Buffer;
  /** Call once the vault is sealed with the new key for good: drops the old one. Gives what a person should know. */
  readonly finish: () => Promise<readonly Failure[]>;
  /**
   * Call when the vault could not be sealed with the new key: wipes its bytes. Its envelopes stay until the next opening,
   * because a commit that failed may have reached the disk (a flush that reports an error, then a power cut).
   */
  readonly abandon: () => Promise<void>;
}

export interface KeeperParts {
  readonly folder: string;
  readonly envelopes: readonly KeyEnvelope[];
  /** What the key file should say: what it says, unless it could not be written. */
  readonly file: KeyFile;
  /** Places that opened or sealed the key in this session. */
  readonly usable: readonly SystemPlace[];
  readonly newParameters: () => PassphraseParameters;
}

export function createKeyKeeper(parts: KeeperParts): KeyKeeper {
  const keeper = new KeyFileKeeper(parts);
  return {
    hasPassphrase: () => keeper.hasPassphrase(),
    setPassphrase: (vaultKey, passphrase) => keeper.setPassphrase(vaultKey, passphrase),
    removePassphrase: async () => keeper.removePassphrase(),
    beginChange: (oldKey, passphrase) => keeper.beginChange(oldKey, passphrase),
  };
}

class KeyFileKeeper {
  readonly #parts: KeeperParts;
  #file: KeyFile;
  #usable: readonly SystemPlace[];
  #changing = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#file = parts.file;
    this.#usable = parts.usable;
  }

  hasPassphrase(): boolean {
    return this.#file.passphrase !== undefined;
  }

  async setPassphrase(vaultKey: Uint8Array, passphrase: string): Promise<Result<undefined>> {
    const weak = checkPassphrase(passphrase);
    if (weak !== undefined) return err(weak);
    if (this.#changing) return err(alreadyChanging());
    const { vaultId, canary } = this.#file;
    if (!provesKey(vaultKey, vaultId, this.#file)) throw new Error("a passphrase seals the vault's own key only");
    const sealed = await sealPassphraseEnvelope(vaultId, vaultKey, passphrase, this.#parts.newParameters());
    if (sealed === undefined) return err(failure("vault_write_failed", { problem: "out of memory" }));
    // A change that began in between would lose what is written now, and one that ended has made the sealed key useless.
    return this.#changing || this.#file.canary !== canary ? err(alreadyChanging()) : this.#write({ ...this.#file, passphrase: sealed });
  }

  removePassphrase(): Result<undefined> {
    const { passphrase, ...others } = this.#file;
    if (passphrase === undefined) return ok();
    if (this.#changing) return err(alreadyChanging());
    // An envelope that nobody has seen open may be lost.
    if (this.#usable.length === 0) return err(failure("vault_protection_missing"));
    return this.#write(others);
  }

  async beginChange(oldKey: Uint8Array, passphrase: string | undefined): Promise<Result<KeyChange>> {
    if (this.#changing) return err(alreadyChanging());
    this.#changing = true;
    const begun = await this.#begin(oldKey, passphrase);
    if (!begun.ok) this.#changing = false;
    return begun;
  }

  async #begin(oldKey: Uint8Array, given: string | undefined): Promise<Result<KeyChange>> {
    const { vaultId } = this.#file;
    if (!provesKey(oldKey, vaultId, this.#file)) throw new Error("a change starts from the vault's own key only");
    const passphrase = this.hasPassphrase() ? given : undefined;
    if (this.hasPassphrase() && !(await this.#isPassphrase(oldKey, given))) return err(failure("vault_passphrase_wrong"));
    const { envelopes, newParameters } = this.#parts;
    const { next: others = [] } = this.#file;
    if (others.length === mostNextKeys) return err(failure("vault_rekey_failed", { problem: "it failed too often since the start" }));
    const next = await sealNextKey({ vaultId, envelopes, passphrase, newParameters });
    if (!next.ok) return err(failure("vault_rekey_failed", { problem: next.error }));
    const written = this.#write({ ...this.#file, next: [...others, next.value.sealed] });
    if (written.ok) return ok(this.#present(next.value));
    next.value.newKey.fill(0);
    await forgetKeys(envelopes, [keyIdOf(vaultId, next.value.sealed)]);
    return err(failure("vault_rekey_failed", { problem: written.error.params["problem"] ?? "system error" }));
  }

  async #isPassphrase(vaultKey: Uint8Array, passphrase: string | undefined): Promise<boolean> {
    if (passphrase === undefined) return false;
    const opened = await openPassphraseEnvelope({ vaultId: this.#file.vaultId, sealed: this.#file }, passphrase);
    if (opened.kind !== "opened") return false;
    const isRight = opened.vaultKey.equals(vaultKey);
    opened.vaultKey.fill(0);
    return isRight;
  }

  #present(next: NextKey): KeyChange {
    let ended = false;
    const end = (): boolean => {
      const isFirst = !ended;
      ended = true;
      return isFirst;
    };
    return {
      newKey: next.newKey,
      finish: async () => {
        if (!end()) return [];
        const notices = await this.#finish(next);
        this.#changing = false;
        return notices;
      },
      abandon: async () => {
        if (!end()) return;
        next.newKey.fill(0);
        this.#changing = false;
      },
    };
  }

  /** The vault is under the new key for good. When the file cannot be written, it still opens the vault; the next write mends it. */
  async #finish({ sealed, missing }: NextKey): Promise<readonly Failure[]> {
    const { version, vaultId, revision, retired = [] } = this.#file;
    const { envelopes } = this.#parts;
    this.#usable = envelopes.map(({ name }) => name).filter((name) => !missing.includes(name));
    const dropped = storedKeys(this.#file).filter((key) => key.credentialStore !== undefined && key.keyId !== sealed.keyId);
    const left = await forgetKeys(envelopes, [...retired, ...dropped.map((key) => keyIdOf(vaultId, key))]);
    const file: KeyFile = { version, vaultId, revision, ...sealed, ...(left.length === 0 ? {} : { retired: left }) };
    const written = this.#write(file);
    if (!written.ok) this.#file = { ...file, revision: revision + 1 };
    const alone = sealed.passphrase === undefined ? missing.map(oneEnvelopeOnly) : [];
    return written.ok ? alone : [...alone, written.error];
  }

  #write(file: KeyFile): Result<undefined> {
    const raised: KeyFile = { ...file, revision: this.#file.revision + 1 };
    try {
      // A copy that could not be written is behind; the next opening writes it again.
      const copyError = writeKeyFiles(this.#parts.folder, raised);
      if (copyError !== undefined && problemOf(copyError) === undefined) throw copyError;
    } catch (error) {
      return err(writeFailed(error));
    }
    this.#file = raised;
    return ok();
  }
}

function alreadyChanging(): Failure {
  return failure("vault_rekey_failed", { problem: "it is being changed already" });
}
