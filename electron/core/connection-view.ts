/** From what is known of a connection to what is shown of it. No view ever holds a token. */
import { type Failure, failure } from "../../shared/failure.ts";
import type { PipeConnection } from "../../shared/pipe-protocol.ts";
import { type ConnectionStateKind, type ConnectionView, connectionId } from "../../shared/views.ts";
import { restoredAttemptId, type StoredState } from "./connection-state.ts";
import type { LiveConnection } from "./live-connection.ts";
import { problemOf } from "./pipe-problem.ts";
import type { StoredConnectionSummary } from "./ports.ts";

/** What a view says about the provider of a connection. */
export interface ProviderDescription {
  readonly name: string;
  readonly canRevoke: boolean;
  readonly hasGrantScreens: boolean;
}

/** The view of a connection that is in memory. */
export function viewOf(live: LiveConnection, provider: ProviderDescription): ConnectionView {
  const { key, record } = live;
  const grant = record !== undefined && "grant" in record.state ? record.state.grant : undefined;
  const shown = shownState(live, provider.name);
  return {
    ...commonView(key, provider),
    ...defined("organisation", record?.organisation),
    state: shown.state,
    ...defined("failure", shown.failure),
    ...defined("connectedAtMs", record?.connectedAtMs),
    ...defined("accessTokenExpiresAtMs", grant?.accessTokenExpiresAtMs),
    ...defined("accessTokenExpiryIsEstimate", grant?.accessTokenExpiryIsEstimate),
    ...(grant !== undefined && grant.refreshToken === undefined ? { isNotRenewable: true } : {}),
    ...defined("grantExpiresAtMs", grant?.grantExpiresAtMs),
    grantExpiryIsEstimate: grant?.grantExpiryIsEstimate ?? false,
  };
}

/** The view of a connection that only the vault knows yet. */
export function summaryView(summary: StoredConnectionSummary, provider: ProviderDescription): ConnectionView {
  const state = summary.stateKind === "Refreshing" ? "InDoubt" : summary.stateKind;
  const why = summary.failure ?? (state === "InDoubt" ? failure("refresh_ambiguous", { provider: provider.name }) : undefined);
  return {
    ...commonView(summary.key, provider),
    ...defined("organisation", summary.organisation),
    state,
    ...defined("failure", why),
    connectedAtMs: summary.connectedAtMs,
    ...defined("accessTokenExpiresAtMs", summary.accessTokenExpiresAtMs),
    ...defined("grantExpiresAtMs", summary.grantExpiresAtMs),
    grantExpiryIsEstimate: summary.grantExpiryIsEstimate,
  };
}

/** The same as programs see it on the pipe (times in Unix seconds). */
export function pipeConnection(view: ConnectionView): PipeConnection {
  return {
    id: view.id,
    provider: view.provider,
    environment: view.environment,
    user: view.user,
    ...defined("organisation", view.organisation),
    state: view.state,
    ...defined("accessTokenExpiresAt", seconds(view.accessTokenExpiresAtMs)),
    ...defined("accessTokenExpiryIsEstimate", view.accessTokenExpiryIsEstimate),
    ...defined("isNotRenewable", view.isNotRenewable),
    ...defined("grantExpiresAt", seconds(view.grantExpiresAtMs)),
    grantExpiryIsEstimate: view.grantExpiryIsEstimate,
    ...defined("problem", view.failure === undefined ? undefined : problemOf(view.failure)),
  };
}

function commonView(key: LiveConnection["key"], provider: ProviderDescription) {
  return {
    id: connectionId(key),
    provider: key.provider,
    providerName: provider.name,
    environment: key.environment,
    user: key.user,
    canRevoke: provider.canRevoke,
    hasGrantScreens: provider.hasGrantScreens,
  };
}

function shownState(live: LiveConnection, provider: string): { readonly state: ConnectionStateKind; readonly failure?: Failure } {
  const { overlay, record } = live;
  if (overlay?.kind === "Connecting") return { state: "Connecting" };
  if (record === undefined) {
    // Somebody was connected: a record is there, and nobody can read it.
    const state = overlay?.failure.code === "grant_unreadable" ? "ReconnectRequired" : "NotConnected";
    return { state, ...defined("failure", overlay?.failure) };
  }
  if (live.unsaved !== undefined) return { state: record.state.kind, failure: live.unsaved.failure };
  if (overlay?.kind === "Retrying" && record.state.kind === "Active") return { state: "Retrying", failure: overlay.failure };
  const own = ownFailure(record.state, provider);
  return { state: record.state.kind, ...defined("failure", own ?? overlay?.failure) };
}

function ownFailure(state: StoredState, provider: string): Failure | undefined {
  if (state.kind === "InDoubt") {
    return failure(state.attempt.attemptId === restoredAttemptId ? "grant_restored" : "refresh_ambiguous", { provider });
  }
  return "failure" in state ? state.failure : undefined;
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);
}

/** A property that exists only when it has a value. */
function defined<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  // One computed key: TypeScript widens it to string, the type above is exact.
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: V });
}
