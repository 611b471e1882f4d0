/** Named small secrets of the app itself. Invariant: the name is bound to the value. The functions throw SQLite's errors. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Integrity } from "./integrity.ts";
import { openRow, sealRow } from "./sealed-row.ts";
import type { Sealer } from "./sealing.ts";
import { markedBytes, markedRow, nextRevision, sealedBytes } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { unreadable } from "./vault-failures.ts";

const rowSchema = z.object({ revision: z.int(), sealed_value: sealedBytes });

export interface SecretRows {
  readonly read: (name: string) => Result<string | undefined>;
  readonly save: (name: string, value: string) => void;
}

export function createSecretRows(database: DatabaseSync, sealer: Sealer, integrity: Integrity): SecretRows {
  const statements = {
    one: database.prepare("SELECT revision, sealed_value FROM secret WHERE name = ?"),
    upsert: database.prepare("INSERT OR REPLACE INTO secret (name, revision, sealed_value) VALUES (?, ?, ?)"),
  };
  const context = (name: string, revision: number) => ({ kind: "secret", names: [name], revision, view: "" }) as const;
  return {
    read: (name) => {
      const row = statements.one.get(name);
      if (row === undefined) return ok(undefined);
      const { revision, sealed_value: sealed } = rowSchema.parse(row);
      const value = openRow(sealer, context(name, revision), sealed);
      // There is no provider behind such a secret: its own name stands in.
      return value === undefined ? err(unreadable(name)) : ok(value);
    },
    save: (name, value) =>
      inTransaction(database, () => {
        const before = statements.one.get(name);
        const revision = nextRevision(before);
        const sealed = sealRow(sealer, context(name, revision), value);
        statements.upsert.run(name, revision, sealed);
        integrity.changed("secret", [name], markedRow(before, "sealed_value"), markedBytes(revision, sealed));
      }),
  };
}
