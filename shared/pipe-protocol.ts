/** Types of the pipe protocol, version 1. The contract in words is docs/pipe-protocol.md. */
import type { FailureCode, PipeErrorCode } from "./failure.ts";
import type { ConnectionView, Environment } from "./views.ts";

export const pipeProtocolVersion = 1;
/** Longest message, its newline included, in bytes. */
export const maxMessageBytes = 64 * 1024;

export interface PairingRequestParams {
  readonly name: string;
  readonly publisher?: string;
  readonly reason?: string;
}
/** Answered at once, so that the program can show `code` while the person looks at the window. */
export interface PairingRequestResult {
  readonly pairingId: string;
  readonly code: string;
  readonly expiresInSeconds: number;
}
export interface PairingWaitParams {
  readonly pairingId: string;
}
/** Answered once, when the person approves. `clientKey` is 32 bytes, base64url. */
export interface PairingWaitResult {
  readonly clientId: string;
  readonly clientKey: string;
}

export interface SessionHelloParams {
  readonly protocol: number;
  readonly clientId: string;
  /** 32 random bytes, base64url. */
  readonly nonce: string;
}
export interface SessionHelloResult {
  readonly nonce: string;
  readonly proof: string;
}
export interface SessionAuthenticateParams {
  readonly proof: string;
}
export interface SessionAuthenticateResult {
  readonly name: string;
  readonly version: string;
}

export interface ConnectionSelector {
  readonly provider: string;
  /** May be left out when the provider is registered for one environment only, or means production. */
  readonly environment?: Environment;
  readonly user: string;
}
export interface TokenGetParams extends ConnectionSelector {
  readonly organisation?: string;
  /** The token must last at least this long; default 60. */
  readonly minValiditySeconds?: number;
}
export interface TokenGetResult {
  readonly accessToken: string;
  readonly tokenType: "Bearer";
  /** Names this token in `token.rejected` without sending it again. */
  readonly tokenId: string;
  /** Unix time in seconds. */
  readonly expiresAt: number;
  readonly expiresInSeconds: number;
  /** Ready to send: `Authorization`, and `X-mazda-org` where it applies. */
  readonly headers: Readonly<Record<string, string>>;
}
/** The provider's API answered 401 to this token. Answered like `token.get`, with a token that is not the rejected one. */
export interface TokenRejectedParams extends ConnectionSelector {
  readonly tokenId: string;
  readonly organisation?: string;
}

export interface ConnectStartParams extends ConnectionSelector {
  readonly organisation?: string;
}
export interface ConnectStartResult {
  readonly connection: PipeConnection;
}
export interface ConnectionListResult {
  readonly connections: readonly PipeConnection[];
}

/** A connection as programs see it. Times are Unix seconds. */
export interface PipeConnection {
  readonly id: string;
  readonly provider: string;
  readonly environment: Environment;
  readonly user: string;
  readonly organisation?: string;
  readonly state: ConnectionView["state"];
  readonly accessTokenExpiresAt?: number;
  /** The provider has not said when the access token ends. */
  readonly accessTokenExpiryIsEstimate?: true;
  /** No new access token can be fetched: when this one ends, the user must sign in again. */
  readonly isNotRenewable?: true;
  readonly grantExpiresAt?: number;
  readonly grantExpiryIsEstimate: boolean;
  readonly problem?: PipeErrorData;
}

export interface EventsSubscribeResult {
  /** Sequence number of the last event before this snapshot. */
  readonly sequence: number;
  readonly connections: readonly PipeConnection[];
}
/** Parameters of the notification `event`. */
export type EventParams =
  | { readonly sequence: number; readonly type: "connection.changed"; readonly connection: PipeConnection }
  /** The app ends, or restarts with a new version: connect again after this time. */
  | { readonly sequence: number; readonly type: "shutting_down"; readonly retryAfterSeconds: number };

export interface BrokerStatusResult {
  readonly version: string;
  readonly protocol: number;
  readonly vault: "open" | "locked";
  readonly providers: readonly PipeProvider[];
}

/** A registered provider environment. */
export interface PipeProvider {
  readonly provider: string;
  readonly environment: Environment;
  /** `paused`: it has failed several times in a row, or said itself that it is away; renewals wait until `nextTryAt`. */
  readonly state: "available" | "paused";
  /** Unix time in seconds; may have passed: the next try is under way. */
  readonly nextTryAt?: number;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
}

/** `error.data` of every JSON-RPC error. */
export interface PipeErrorData {
  readonly code: PipeErrorCode;
  /** The finer cause, for logs and support; new ones may appear. */
  readonly detail: FailureCode;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
  /** The connection it is about, for `not_connected` and `reconnect_required`. */
  readonly connectionId?: string;
}

/** Published in `broker.json` in the profile folder while the broker runs. */
export interface BrokerFile {
  readonly name: string;
  readonly protocol: number;
  readonly processId: number;
}
