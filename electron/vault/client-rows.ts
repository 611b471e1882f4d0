/**
 * Paired programs: the view as plain JSON, the client key sealed and bound to that view.
 *
 * Invariant: a program whose access policy was changed in the file is not in the list: it has to be paired again. The
 * functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { DmsClientRecord } from "../core/ports.ts";
import type { Integrity } from "./integrity.ts";
import { openRow, sealRow } from "./sealed-row.ts";
import type { Sealer } from "./sealing.ts";
import { parseJson } from "./stored-json.ts";
import { markedBytes, markedRow, nextRevision, sealedBytes } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";

const selectionSchema = z.union([z.literal("all"), z.array(z.string())]);
const viewSchema = z.object({
  name: z.string(),
  publisher: z.string().exactOptional(),
  programPath: z.string().exactOptional(),
  origin: z.enum(["paired", "imported", "policy"]).exactOptional(),
  access: z.object({
    users: selectionSchema,
    providers: selectionSchema,
    untilMs: z.number().exactOptional(),
    requestsPerMinute: z.number().exactOptional(),
  }),
  pairedAtMs: z.number(),
});
const rowSchema = z.object({
  client_id: z.string(),
  revision: z.int(),
  view: z.string(),
  sealed_client_key: sealedBytes,
});

export interface ClientRows {
  /** Those that open. */
  readonly list: () => readonly DmsClientRecord[];
  readonly save: (client: DmsClientRecord) => void;
  readonly delete: (clientId: string) => void;
}

const sealedColumn = "sealed_client_key";

export function createClientRows(database: DatabaseSync, sealer: Sealer, integrity: Integrity): ClientRows {
  const statements = {
    all: database.prepare("SELECT client_id, revision, view, sealed_client_key FROM dms_client ORDER BY client_id"),
    one: database.prepare("SELECT revision, sealed_client_key FROM dms_client WHERE client_id = ?"),
    upsert: database.prepare("INSERT OR REPLACE INTO dms_client (client_id, revision, view, sealed_client_key) VALUES (?, ?, ?, ?)"),
    remove: database.prepare("DELETE FROM dms_client WHERE client_id = ?"),
  };
  return {
    list: () => statements.all.all().flatMap((row) => openClient(sealer, row) ?? []),
    save: (client) =>
      inTransaction(database, () => {
        const { clientId, clientKey, ...shown } = client;
        const before = statements.one.get(clientId);
        const revision = nextRevision(before);
        const view = viewText(shown);
        const sealed = sealRow(sealer, { kind: "client", names: [clientId], revision, view }, clientKey);
        statements.upsert.run(clientId, revision, view, sealed);
        integrity.changed("client", [clientId], markedRow(before, sealedColumn), markedBytes(revision, sealed));
      }),
    delete: (clientId) =>
      inTransaction(database, () => {
        const before = statements.one.get(clientId);
        statements.remove.run(clientId);
        integrity.changed("client", [clientId], markedRow(before, sealedColumn), undefined);
      }),
  };
}

function openClient(sealer: Sealer, row: unknown): DmsClientRecord | undefined {
  const { client_id: clientId, revision, view, sealed_client_key: sealed } = rowSchema.parse(row);
  const clientKey = openRow(sealer, { kind: "client", names: [clientId], revision, view }, sealed);
  const parsed = viewSchema.safeParse(parseJson(view));
  return clientKey !== undefined && parsed.success ? { clientId, clientKey, ...parsed.data } : undefined;
}

/** Known fields only: whatever else the caller's object holds, a secret among it, is not written in the open. */
function viewText(shown: object): string {
  const view = viewSchema.safeParse(parseJson(JSON.stringify(shown)));
  // Not the schema's own error: that one speaks of what is stored.
  if (!view.success) throw new TypeError("a view of another form");
  return JSON.stringify(view.data);
}
