/**
 * What a person was told about which connection. Invariant: it is kept in the vault, so that nothing is told anew because the
 * app was started again; a write that fails is made up for by the next one.
 */
import type { AttentionNotice, Vault } from "./ports.ts";

type Cause = AttentionNotice["cause"];

/** The vault's name for it. */
const secretName = "attention-told";

export class ToldNotices {
  readonly #vault: Pick<Vault, "readSecret" | "saveSecret">;
  readonly #told = new Map<string, Set<Cause>>();
  /** One write at a time, with all that has changed by then. */
  #writing: Promise<void> | undefined;
  #isChanged = false;

  constructor(vault: Pick<Vault, "readSecret" | "saveSecret">) {
    this.#vault = vault;
  }

  /** Reads it; what cannot be read counts as never told. */
  async open(): Promise<void> {
    const stored = await this.#vault.readSecret(secretName);
    if (!stored.ok || stored.value === undefined) return;
    // Written by this file only, and sealed against everybody else.
    const told = JSON.parse(stored.value) as Readonly<Record<string, readonly Cause[]>>;
    for (const [id, causes] of Object.entries(told)) this.#told.set(id, new Set(causes));
  }

  has(connectionId: string, cause: Cause): boolean {
    return this.#told.get(connectionId)?.has(cause) ?? false;
  }

  add(connectionId: string, cause: Cause): void {
    if (this.has(connectionId, cause)) return;
    this.#told.set(connectionId, (this.#told.get(connectionId) ?? new Set()).add(cause));
    this.#write();
  }

  /** The connection is fine: whatever comes next is new. */
  forget(connectionId: string): void {
    if (this.#told.delete(connectionId)) this.#write();
  }

  /** Forgets connections that are not there any more. */
  keepOnly(ids: { readonly has: (connectionId: string) => boolean }): void {
    for (const id of this.#told.keys()) if (!ids.has(id)) this.forget(id);
  }

  /** Settles when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #write(): void {
    this.#isChanged = true;
    this.#writing ??= this.#writeChanges().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeChanges(): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      const told = Object.fromEntries([...this.#told].map(([id, causes]) => [id, [...causes]]));
      await this.#vault.saveSecret(secretName, JSON.stringify(told));
    }
  }
}
