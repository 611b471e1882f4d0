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

export class OidcMemoryStore {
  readonly #models = new Map<string, Map<string, StoredRecord>>();

  /** For oidc-provider's `adapter` setting. */
  readonly adapterFor: AdapterFactory = (model) => this.#adapter(this.#records(model));

  /** Forgets every record of the named models, such as `RefreshToken`. */
  forget(...models: readonly string[]): void {
    for (const model of models) this.#records(model).clear();
  }

  #records(model: string): Map<string, StoredRecord> {
    const existing = this.#models.get(model);
    if (existing !== undefined) return existing;
    const created = new Map<string, StoredRecord>();
    this.#models.set(model, created);
    return created;
  }

  #adapter(records: Map<string, StoredRecord>): Adapter {
    const findBy = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
      [...records.values()].find((record) => record.expiresAtMs > Date.now() && matches(record.payload))?.payload;
    return {
      upsert: async (id, payload, expiresInSeconds) => {
        const expiresAtMs = expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
        records.set(id, { payload, expiresAtMs });
      },
      find: async (id) => {
        const record = records.get(id);
        return record !== undefined && record.expiresAtMs > Date.now() ? record.payload : undefined;
      },
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      consume: async (id) => {
        const record = records.get(id);
        if (record !== undefined) record.payload.consumed = Math.floor(Date.now() / 1000);
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
