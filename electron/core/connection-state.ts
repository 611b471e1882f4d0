/**
 * The states of a connection and what each of them holds. Wrong states cannot be written: only states
 * that have tokens carry a grant.
 */
import type { Failure } from "../../shared/failure.ts";
import type { Environment } from "../../shared/views.ts";

export interface ConnectionKey {
  readonly provider: string;
  readonly environment: Environment;
  readonly user: string;
}

/** What a token response gave us (RFC 6749 section 5.1), with times made absolute (Unix milliseconds). */
export interface Grant {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly scope?: string;
  readonly obtainedAtMs: number;
  readonly accessTokenExpiresAtMs: number;
  /** The provider did not say when it ends. */
  readonly accessTokenExpiryIsEstimate?: true;
  readonly grantExpiresAtMs?: number;
  readonly grantExpiryIsEstimate: boolean;
}

/** A refresh that was committed before its request left. */
export interface RefreshAttempt {
  readonly attemptId: string;
  readonly startedAtMs: number;
}

/** Stands for the attempt nobody knows of: the grant was found in an older copy of the vault. */
export const restoredAttemptId = "restored";

/** What the vault stores of a connection's state. Connecting and Retrying live in memory only. */
export type StoredState =
  | { readonly kind: "Active"; readonly grant: Grant }
  /** A refresh request may have left; found at start-up it means InDoubt. */
  | { readonly kind: "Refreshing"; readonly grant: Grant; readonly attempt: RefreshAttempt }
  | { readonly kind: "InDoubt"; readonly grant: Grant; readonly attempt: RefreshAttempt }
  | { readonly kind: "ReconnectRequired"; readonly failure: Failure }
  /** No longer served; kept only to tell the provider (RFC 7009). */
  | { readonly kind: "Revoking"; readonly grant: Grant; readonly failure?: Failure };

/** One connection as committed to the vault. */
export interface ConnectionRecord {
  readonly key: ConnectionKey;
  readonly organisation?: string;
  readonly connectedAtMs: number;
  /** Rises by one with every commit; a commit that expects another generation is refused. */
  readonly generation: number;
  readonly state: StoredState;
}

/** States in which the access token may be handed out while it lasts. */
export function servableGrant(state: StoredState): Grant | undefined {
  return state.kind === "Active" || state.kind === "Refreshing" || state.kind === "InDoubt" ? state.grant : undefined;
}
