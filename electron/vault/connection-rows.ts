/**
 * Connections in the vault: plain columns for what a list shows, one sealed record with the tokens.
 *
 * Invariants: the sealed record belongs to provider, environment, user and generation of its row and opens for no other;
 * a commit replaces exactly the generation before it. What is read for use comes from the sealed record alone: the plain
 * columns are for show. A record that does not open counts as absent when the connection is made anew or forgotten.
 *
 * The functions here throw SQLite's errors; `vault.ts` turns them into failures.
 */
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectionKey, ConnectionRecord } from "../core/connection-state.ts";
import type { ConnectionPage, StoredConnectionSummary } from "../core/ports.ts";
import { type ConnectionBody, connectionRecordVersion, parseConnectionBody, writeConnectionBody } from "./connection-schema.ts";
import type { Integrity } from "./integrity.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { compactFailure, storedFailureSchema } from "./stored-failure.ts";
import { parseJson } from "./stored-json.ts";
import { type MarkedRow, markedBytes, type StoredRow, tagColumn } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { unreadable } from "./vault-failures.ts";

const summaryRowSchema = z.object({
  provider: z.string(),
  environment: z.enum(["acceptance", "production"]),
  user: z.string(),
  organisation: z.string().nullable(),
  connected_at_ms: z.number(),
  state_kind: z.enum(["Active", "Refreshing", "InDoubt", "ReconnectRequired", "Revoking"]),
  failure: z.string().nullable(),
  access_token_expires_at_ms: z.number().nullable(),
  grant_expires_at_ms: z.number().nullable(),
  grant_expiry_is_estimate: z.number(),
});
const keySchema = z.object({ provider: z.string(), environment: z.enum(["acceptance", "production"]), user: z.string() });
const sealedRowSchema = z.object({ generation: z.number(), sealed_record: z.instanceof(Uint8Array) });
const wholeRowSchema = keySchema.extend(sealedRowSchema.shape);
type SealedRow = z.infer<typeof sealedRowSchema>;

export interface ConnectionRows {
  readonly list: (page?: ConnectionPage) => readonly StoredConnectionSummary[];
  readonly read: (key: ConnectionKey) => Result<ConnectionRecord | undefined>;
  readonly commit: (record: ConnectionRecord) => Result<undefined>;
  /** Puts a record in place of whatever generation is there: for recovery only, inside a transaction. */
  readonly replace: (record: ConnectionRecord) => void;
  /** The record in a row of this table or of a copy of it; `undefined` when it does not open. */
  readonly readRow: (row: StoredRow) => ConnectionRecord | undefined;
  /** Opens a record and sees that the plain columns show it; mends them if not. Returns whether the record opens. */
  readonly showAsStored: (key: ConnectionKey) => boolean;
  /** Every connection there is, whether its record opens or not. */
  readonly keys: () => readonly ConnectionKey[];
  readonly delete: (key: ConnectionKey, generation: number) => Result<undefined>;
}

const selectSummaries = `SELECT provider, environment, user, organisation, connected_at_ms, state_kind, failure,
    access_token_expires_at_ms, grant_expires_at_ms, grant_expiry_is_estimate
  FROM connection WHERE (provider, environment, user) > (?, ?, ?) ORDER BY provider, environment, user LIMIT ?`;
const selectSealed = "SELECT generation, sealed_record FROM connection WHERE provider = ? AND environment = ? AND user = ?";
const selectMark = `SELECT generation AS revision, ${tagColumn("sealed_record")} AS tag FROM connection
  WHERE provider = ? AND environment = ? AND user = ?`;
const columns = [
  "generation",
  "organisation",
  "connected_at_ms",
  "state_kind",
  "failure",
  "access_token_expires_at_ms",
  "grant_expires_at_ms",
  "grant_expiry_is_estimate",
  "sealed_record",
] as const;
const insert = `INSERT INTO connection (${columns.join(", ")}, provider, environment, user) VALUES (${columns.map(() => "?").join(", ")}, ?, ?, ?)`;
// The row stays where it is: replacing it would move it to another page.
const update = `UPDATE connection SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE provider = ? AND environment = ? AND user = ?`;
const shownColumns = columns.filter((column) => column !== "sealed_record");
const selectShown = `SELECT ${shownColumns.join(", ")} FROM connection WHERE provider = ? AND environment = ? AND user = ?`;
const updateShown = `UPDATE connection SET ${shownColumns.map((column) => `${column} = ?`).join(", ")} WHERE provider = ? AND environment = ? AND user = ?`;
const remove = "DELETE FROM connection WHERE provider = ? AND environment = ? AND user = ?";

export function createConnectionRows(database: DatabaseSync, sealer: Sealer, integrity: Integrity): ConnectionRows {
  const statements = {
    summaries: database.prepare(selectSummaries),
    sealed: database.prepare(selectSealed),
    mark: database.prepare(selectMark),
    keys: database.prepare("SELECT provider, environment, user FROM connection ORDER BY provider, environment, user"),
    insert: database.prepare(insert),
    update: database.prepare(update),
    shown: database.prepare(selectShown),
    show: database.prepare(updateShown),
    remove: database.prepare(remove),
  };
  const find = (key: ConnectionKey): SealedRow | undefined => {
    const row = statements.sealed.get(...namesOf(key));
    return row === undefined ? undefined : sealedRowSchema.parse(row);
  };
  const findMark = (key: ConnectionKey): MarkedRow | undefined => {
    const row = statements.mark.get(...namesOf(key));
    if (row === undefined) return undefined;
    const { revision, tag } = row;
    // Not by a schema: this is on the way of every rotation.
    if (typeof revision !== "number" || !(tag instanceof Uint8Array)) throw new Error("the connection table has other columns");
    return { revision, tag };
  };
  const store = (record: ConnectionRecord, before: MarkedRow | undefined) => {
    const sealed = sealer.seal(contextOf(record.key, record.generation), writeConnectionBody(record));
    (before === undefined ? statements.insert : statements.update).run(...columnsOf(record), sealed, ...namesOf(record.key));
    integrity.changed("connection", namesOf(record.key), before, markedBytes(record.generation, sealed));
  };
  const opensNot = (key: ConnectionKey) => {
    const row = find(key);
    return row !== undefined && openRow(sealer, key, row) === undefined;
  };

  return {
    list: (page) => {
      const { provider = "", environment = "", user = "" } = page?.after ?? {};
      // -1 means no limit (sqlite.org/lang_select.html#limitoffset).
      return statements.summaries.all(provider, environment, user, page?.limit ?? -1).flatMap(summaryOf);
    },
    read: (key) => {
      const row = find(key);
      if (row === undefined) return ok(undefined);
      const body = openRow(sealer, key, row);
      return body === undefined ? err(unreadable(key.provider)) : ok({ key, generation: row.generation, ...body });
    },
    commit: (record) =>
      inTransaction(database, () => {
        const before = findMark(record.key);
        const follows = (before?.revision ?? 0) === record.generation - 1 || (record.generation === 1 && opensNot(record.key));
        if (!follows) return err(failure("vault_conflict"));
        store(record, before);
        return ok();
      }),
    replace: (record) => store(record, findMark(record.key)),
    readRow: (row) => {
      const parsed = wholeRowSchema.safeParse(row);
      if (!parsed.success) return undefined;
      const { provider, environment, user, ...sealed } = parsed.data;
      const key: ConnectionKey = { provider, environment, user };
      const body = openRow(sealer, key, sealed);
      return body === undefined ? undefined : { key, generation: sealed.generation, ...body };
    },
    showAsStored: (key) => {
      const row = find(key);
      const body = row === undefined ? undefined : openRow(sealer, key, row);
      if (row === undefined || body === undefined) return row === undefined;
      const shown = Object.values(statements.shown.get(...namesOf(key)) ?? {});
      const stored = columnsOf({ key, generation: row.generation, ...body });
      // In no seal: a list shows them without a key. A damaged state would make the row vanish from it.
      if (!isDeepStrictEqual(shown, [...stored])) statements.show.run(...stored, ...namesOf(key));
      return true;
    },
    keys: () => statements.keys.all().flatMap((row) => keySchema.safeParse(row).data ?? []),
    delete: (key, generation) =>
      inTransaction(database, () => {
        const before = findMark(key);
        if ((before?.revision ?? 0) !== generation && !opensNot(key)) return err(failure("vault_conflict"));
        statements.remove.run(...namesOf(key));
        integrity.changed("connection", namesOf(key), before, undefined);
        return ok();
      }),
  };
}

function namesOf({ provider, environment, user }: ConnectionKey) {
  return [provider, environment, user] as const;
}

function contextOf(key: ConnectionKey, generation: number): RecordContext {
  return {
    kind: "connection",
    names: namesOf(key),
    recordVersion: connectionRecordVersion,
    generation,
  };
}

function openRow(sealer: Sealer, key: ConnectionKey, row: SealedRow): ConnectionBody | undefined {
  const text = sealer.open(contextOf(key, row.generation), row.sealed_record);
  return text === undefined ? undefined : parseConnectionBody(text);
}

function columnsOf(record: ConnectionRecord) {
  const { state } = record;
  const shownFailure = "failure" in state ? state.failure : undefined;
  const grant = "grant" in state ? state.grant : undefined;
  return [
    record.generation,
    record.organisation ?? null,
    record.connectedAtMs,
    state.kind,
    shownFailure === undefined ? null : JSON.stringify(compactFailure(shownFailure)),
    grant?.accessTokenExpiresAtMs ?? null,
    grant?.grantExpiresAtMs ?? null,
    grant?.grantExpiryIsEstimate === true ? 1 : 0,
  ] as const;
}

/** A row whose columns make no sense is not shown; reading it by its key still answers. */
function summaryOf(row: unknown): readonly StoredConnectionSummary[] {
  const parsed = summaryRowSchema.safeParse(row);
  if (!parsed.success) return [];
  const columns = parsed.data;
  const shown = columns.failure === null ? undefined : storedFailureSchema.safeParse(parseJson(columns.failure)).data;
  return [
    {
      key: { provider: columns.provider, environment: columns.environment, user: columns.user },
      connectedAtMs: columns.connected_at_ms,
      stateKind: columns.state_kind,
      grantExpiryIsEstimate: columns.grant_expiry_is_estimate === 1,
      ...(columns.organisation === null ? {} : { organisation: columns.organisation }),
      ...(shown === undefined ? {} : { failure: shown }),
      ...(columns.access_token_expires_at_ms === null ? {} : { accessTokenExpiresAtMs: columns.access_token_expires_at_ms }),
      ...(columns.grant_expires_at_ms === null ? {} : { grantExpiresAtMs: columns.grant_expires_at_ms }),
    },
  ];
}
