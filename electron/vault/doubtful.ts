/** What becomes of a connection's record when the vault it was found in may not be the newest one. */
import { failure } from "../../shared/failure.ts";
import type { Environment } from "../../shared/views.ts";
import { type ConnectionRecord, restoredAttemptId, type StoredState } from "../core/connection-state.ts";
import type { StoredRow } from "./stored-row.ts";

/**
 * The record as it may be used: a newer refresh token may have been lost with the newer record, so that this one may be
 * spent. InDoubt serves the access token while it lasts and then tries the refresh token once.
 */
export function doubtful(record: ConnectionRecord, nowMs: number): ConnectionRecord {
  return { ...record, generation: record.generation + 1, state: doubtfulState(record.state, nowMs) };
}

function doubtfulState(state: StoredState, nowMs: number): StoredState {
  if (state.kind === "Refreshing") return { ...state, kind: "InDoubt" };
  if (state.kind !== "Active" || state.grant.refreshToken === undefined) return state;
  return { kind: "InDoubt", grant: state.grant, attempt: { attemptId: restoredAttemptId, startedAtMs: nowMs } };
}

/** A connection of which only the plain columns are left: nothing in them is trusted but that somebody has to sign in again. */
export function lostConnection(row: StoredRow): ConnectionRecord | undefined {
  const { provider, environment, user, connected_at_ms: connectedAtMs, organisation } = row;
  if (typeof provider !== "string" || typeof user !== "string" || !isEnvironment(environment)) return undefined;
  return {
    key: { provider, environment, user },
    ...(typeof organisation === "string" ? { organisation } : {}),
    connectedAtMs: typeof connectedAtMs === "number" ? connectedAtMs : 0,
    generation: 1,
    state: { kind: "ReconnectRequired", failure: failure("grant_unreadable", { provider }) },
  };
}

function isEnvironment(value: unknown): value is Environment {
  return value === "acceptance" || value === "production";
}
