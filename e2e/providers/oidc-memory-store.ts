/**
 * Memory behind one oidc-provider instance. Its own store, because the built-in one keeps 1,000 records and warns on the console.
 * Invariant: a record is never found after its end or after its grant was revoked.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

interface StoredRecord {
  readonly payload: AdapterPayload;
  /** Unix time in milliseconds; Infinity when the record has no end. */
  readonly expiresAtMs: number;
}

export interface OidcMemoryStoreOptions {
  /** Unix time in milliseconds. oidc-provider looks at the real time, too, so this may be ahead of it but not behind. */
  readonly now: () => number;
  /** Whether a record of this model is marked when it is used up. */
  readonly consumes: (model: string) => boolean;
}

export class OidcMemoryStore {
  readonly #models = new Map<string, Map<string, StoredRecord>>();
  readonly #options: OidcMemoryStoreOptions;

  constructor(options: OidcMemoryStoreOptions) {
    this.#options = options;
  }

  /** For oidc-provider's `adapter` setting. */
  readonly adapterFor: AdapterFactory = (model) => this.#adapter(model, this.#records(model));

  /** Forgets every record of the named models, such as `RefreshToken`. */
  forget(...models: readonly string[]): void {
    for (const model of models) this.#records(model).clear();
  }

  /** Lets a record live `seconds` from now. */
  renew(model: string, id: string, seconds: number): void {
    const record = this.#records(model).get(id);
    if (record === undefined) return;
    record.payload.exp = Math.floor(Date.now() / 1000) + seconds;
    this.#records(model).set(id, { ...record, expiresAtMs: this.#options.now() + seconds * 1000 });
  }

  #records(model: string): Map<string, StoredRecord> {
    const existing = this.#models.get(model);
    if (existing !== undefined) return existing;
    const created = new Map<string, StoredRecord>();
    this.#models.set(model, created);
    return created;
  }

  #adapter(model: string, records: Map<string, StoredRecord>): Adapter {
    const { now, consumes } = this.#options;
    const findBy = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
      [...records.values()].find((record) => record.expiresAtMs > now() && matches(record.payload))?.payload;
    return {
      upsert: async (id, payload, expiresInSeconds) => {
        const expiresAtMs = expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : now() + expiresInSeconds * 1000;
        records.set(id, { payload, expiresAtMs });
      },
      find: async (id) => {
        const record = records.get(id);
        return record !== undefined && record.expiresAtMs > now() ? record.payload : undefined;
      },
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      consume: async (id) => {
        const record = records.get(id);
        if (record !== undefined && consumes(model)) record.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => {
        records.delete(id);
      },
      revokeByGrantId: async (grantId) => {
        for (const [id, { payload }] of records) if (payload.grantId === grantId) records.delete(id);
      },
    };
  }
}
