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
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type ConnectionKey, type ConnectionRecord, servableGrant } from "../core/connection-state.ts";
import type { StoredConnectionSummary } from "../core/ports.ts";
import { type ConnectionBody, connectionRecordVersion, parseConnectionBody, writeConnectionBody } from "./connection-schema.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { compactFailure, storedFailureSchema } from "./stored-failure.ts";
import { parseJson } from "./stored-json.ts";
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
const sealedRowSchema = z.object({ generation: z.number(), sealed_record: z.instanceof(Uint8Array) });
type SealedRow = z.infer<typeof sealedRowSchema>;

export interface ConnectionRows {
  readonly list: () => readonly StoredConnectionSummary[];
  readonly read: (key: ConnectionKey) => Result<ConnectionRecord | undefined>;
  readonly commit: (record: ConnectionRecord) => Result<undefined>;
  readonly delete: (key: ConnectionKey, generation: number) => Result<undefined>;
}

const selectSummaries = `SELECT provider, environment, user, organisation, connected_at_ms, state_kind, failure,
    access_token_expires_at_ms, grant_expires_at_ms, grant_expiry_is_estimate
  FROM connection ORDER BY provider, environment, user`;
const selectSealed = "SELECT generation, sealed_record FROM connection WHERE provider = ? AND environment = ? AND user = ?";
const upsert = `INSERT OR REPLACE INTO connection (provider, environment, user, generation, organisation, connected_at_ms, state_kind,
    failure, access_token_expires_at_ms, grant_expires_at_ms, grant_expiry_is_estimate, sealed_record)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const remove = "DELETE FROM connection WHERE provider = ? AND environment = ? AND user = ?";

export function createConnectionRows(database: DatabaseSync, sealer: Sealer): ConnectionRows {
  const statements = {
    summaries: database.prepare(selectSummaries),
    sealed: database.prepare(selectSealed),
    upsert: database.prepare(upsert),
    remove: database.prepare(remove),
  };
  const find = (key: ConnectionKey): SealedRow | undefined => {
    const row = statements.sealed.get(key.provider, key.environment, key.user);
    return row === undefined ? undefined : sealedRowSchema.parse(row);
  };
  const opensNot = (key: ConnectionKey, row: SealedRow | undefined) => row !== undefined && openRow(sealer, key, row) === undefined;

  return {
    list: () => statements.summaries.all().flatMap(summaryOf),
    read: (key) => {
      const row = find(key);
      if (row === undefined) return ok(undefined);
      const body = openRow(sealer, key, row);
      return body === undefined ? err(unreadable(key.provider)) : ok({ key, generation: row.generation, ...body });
    },
    commit: (record) =>
      inTransaction(database, () => {
        const row = find(record.key);
        const follows = (row?.generation ?? 0) === record.generation - 1 || (record.generation === 1 && opensNot(record.key, row));
        if (!follows) return err(failure("vault_conflict"));
        statements.upsert.run(...columnsOf(record), sealer.seal(contextOf(record.key, record.generation), writeConnectionBody(record)));
        return ok();
      }),
    delete: (key, generation) =>
      inTransaction(database, () => {
        const row = find(key);
        if ((row?.generation ?? 0) !== generation && !opensNot(key, row)) return err(failure("vault_conflict"));
        statements.remove.run(key.provider, key.environment, key.user);
        return ok();
      }),
  };
}

function contextOf(key: ConnectionKey, generation: number): RecordContext {
  return {
    kind: "connection",
    names: [key.provider, key.environment, key.user],
    recordVersion: connectionRecordVersion,
    generation,
  };
}

function openRow(sealer: Sealer, key: ConnectionKey, row: SealedRow): ConnectionBody | undefined {
  const text = sealer.open(contextOf(key, row.generation), row.sealed_record);
  return text === undefined ? undefined : parseConnectionBody(text);
}

function columnsOf(record: ConnectionRecord) {
  const { key, state } = record;
  const shownFailure = "failure" in state ? state.failure : undefined;
  const grant = "grant" in state ? state.grant : undefined;
  return [
    key.provider,
    key.environment,
    key.user,
    record.generation,
    record.organisation ?? null,
    record.connectedAtMs,
    state.kind,
    shownFailure === undefined ? null : JSON.stringify(compactFailure(shownFailure)),
    servableGrant(state)?.accessTokenExpiresAtMs ?? null,
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
