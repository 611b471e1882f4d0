/**
 * What `core/` needs from the world. Adapters implement these; `compose.ts` connects them; tests put
 * fakes here and nowhere else.
 */
import type { Failure } from "../../shared/failure.ts";
import type { Result } from "../../shared/result.ts";
import type { AccessPolicy, Environment, ProgramOrigin, ProviderEndpoints, RegistrationView } from "../../shared/views.ts";
import type { ConnectionKey, ConnectionRecord, Grant } from "./connection-state.ts";
import type { ProviderDefinition } from "./provider-definition.ts";
import type { TransferContents } from "./transfer-contents.ts";

export interface Clock {
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
  /** Runs `callback` once after `delayMs`; returns a function that cancels it. */
  readonly setTimer: (delayMs: number, callback: () => void) => () => void;
}

/** The times that a computer tells. None of them can be trusted alone (`trusted-time.ts`). */
export interface TimeSources {
  /** Unix time in milliseconds as the computer shows it: a person or a synchronisation may move it any way. */
  readonly wallMs: () => number;
  /** Never goes back; may stand still while the computer sleeps. Cheap. */
  readonly monotonicMs: () => number;
  /** Since the computer was started, sleep included; moves only on. May cost a system call. */
  readonly uptimeMs: () => number;
}

/** The computer's way to the internet. */
export interface Network {
  /** `false` only when the system is sure that there is no network. */
  readonly isOnline: () => boolean;
  /** Whether the way to this URL begins: its name resolves, or a proxy takes it. Settles with `false` when aborted; never rejects. */
  readonly canReach: (url: string, signal: AbortSignal) => Promise<boolean>;
  /** Calls `listener` whenever `isOnline` may have changed. Returns a function that stops it. */
  readonly onChanged: (listener: () => void) => () => void;
}

/** The computer's power and sleep. */
export interface Power {
  /** Whether the computer saves power or pays for its network by volume: work that nobody waits for should be rare. */
  readonly isSaving: () => boolean;
  /** Calls `listener` with what happens. Returns a function that stops it. */
  readonly onEvent: (listener: (event: "suspend" | "resume" | "saving-changed") => void) => () => void;
}

export interface Randomness {
  /** An unguessable id, 128 bits or more, URL-safe. */
  readonly newId: () => string;
  /** Six decimal digits, uniformly chosen. */
  readonly newSixDigits: () => string;
  /** 32 random bytes, base64url. */
  readonly newKey: () => string;
}

/** A client registration with its secret, merged with its provider's definition: all a request needs. */
export interface ResolvedClient {
  readonly provider: ProviderDefinition;
  readonly environment: Environment;
  readonly endpoints: ProviderEndpoints;
  readonly registration: RegistrationView;
  readonly clientSecret: string;
}

// ---- vault ----------------------------------------------------------------------------------

/** A paired program with its key (32 bytes, base64url). */
export interface DmsClientRecord {
  readonly clientId: string;
  readonly name: string;
  readonly publisher?: string;
  /** The file of the process that asked to be paired, where the system told it. */
  readonly programPath?: string;
  /** Absent: `paired`. */
  readonly origin?: ProgramOrigin;
  readonly clientKey: string;
  readonly access: AccessPolicy;
  readonly pairedAtMs: number;
}

/** Who acts in the audit log besides programs: no program may have such a client id. */
export const reservedActors: readonly string[] = ["window", "broker", "command-line", "unknown"];

export interface AuditEntry {
  readonly atMs: number;
  /** e.g. `token.get`, `connect`, `refresh`, `revoke`, `forget`, `pairing`, `registration.save`. */
  readonly action: string;
  /** The program's client id, or `window`, `command-line`, `broker` for what the app does by itself, `unknown` for a stranger. */
  readonly actor: string;
  readonly actorName?: string;
  readonly provider?: string;
  readonly environment?: Environment;
  readonly user?: string;
  /** `ok` or a failure code. */
  readonly outcome: string;
}

/** The columns of a connection that can be shown without opening its tokens. */
export interface StoredConnectionSummary {
  readonly key: ConnectionKey;
  readonly organisation?: string;
  readonly connectedAtMs: number;
  readonly stateKind: ConnectionRecord["state"]["kind"];
  readonly failure?: Failure;
  readonly accessTokenExpiresAtMs?: number;
  readonly grantExpiresAtMs?: number;
  readonly grantExpiryIsEstimate: boolean;
}

export interface ConnectionPage {
  readonly limit: number;
  /** The last key of the page before. */
  readonly after?: ConnectionKey;
}

/**
 * The sealed store. Each write is one durable transaction: once its promise has settled with `ok`,
 * a power cut loses nothing. Every failure is one of the `vault_*` codes, or `grant_unreadable` for a
 * record that cannot be trusted.
 */
export interface Vault {
  /** All of them, or one page, ordered by key. */
  readonly listConnections: (page?: ConnectionPage) => Promise<Result<readonly StoredConnectionSummary[]>>;
  readonly readConnection: (key: ConnectionKey) => Promise<Result<ConnectionRecord | undefined>>;
  /** Writes `record`; `vault_conflict` unless the stored generation is `record.generation - 1` (absent counts as 0). */
  readonly commitConnection: (record: ConnectionRecord) => Promise<Result<undefined>>;
  /** Deletes the record and its tokens; `vault_conflict` if its generation is not `generation`. */
  readonly deleteConnection: (key: ConnectionKey, generation: number) => Promise<Result<undefined>>;

  readonly listRegistrations: () => Promise<Result<readonly RegistrationView[]>>;
  readonly readRegistration: (
    provider: string,
    environment: Environment,
  ) => Promise<Result<{ readonly registration: RegistrationView; readonly clientSecret: string } | undefined>>;
  /** Stores all of them or none. */
  readonly saveRegistrations: (
    registrations: readonly { readonly registration: RegistrationView; readonly clientSecret: string }[],
  ) => Promise<Result<undefined>>;
  readonly deleteRegistration: (provider: string, environment: Environment) => Promise<Result<undefined>>;

  readonly listClients: () => Promise<Result<readonly DmsClientRecord[]>>;
  readonly saveClient: (client: DmsClientRecord) => Promise<Result<undefined>>;
  readonly deleteClient: (clientId: string) => Promise<Result<undefined>>;

  /** Named small secrets of the app itself, e.g. the callback certificate's key. */
  readonly readSecret: (name: string) => Promise<Result<string | undefined>>;
  readonly saveSecret: (name: string, value: string) => Promise<Result<undefined>>;

  readonly appendAudit: (entry: AuditEntry) => Promise<Result<undefined>>;
}

/** Seals an export under a passphrase. */
export interface TransferSeal {
  /** `vault_passphrase_weak`, or nothing. */
  readonly checkPassphrase: (passphrase: string) => Failure | undefined;
  /** The text of the file. Fails with `vault_passphrase_weak`. */
  readonly seal: (contents: TransferContents, passphrase: string) => Promise<Result<string>>;
  /** What is in a file. Fails with `vault_passphrase_wrong`, `vault_transfer_unreadable` or `vault_transfer_newer`. */
  readonly open: (text: string, passphrase: string) => Promise<Result<TransferContents>>;
}

// ---- OAuth ----------------------------------------------------------------------------------

export interface AuthorizationRequest {
  /** For the browser. Holds state and code challenge. Never log it. */
  readonly authorizationUrl: string;
  readonly state: string;
  readonly codeVerifier?: string;
  readonly redirectUri: string;
}

/** Outcomes named by what must happen next. */
export type RefreshOutcome =
  | { readonly kind: "rotated"; readonly grant: Grant }
  /** The grant is dead: reconnect. */
  | { readonly kind: "rejected"; readonly failure: Failure }
  /** Refused for now (429, 5xx, client credentials wrong): keep the tokens, try later. */
  | { readonly kind: "refused-for-now"; readonly failure: Failure }
  /** No byte left this computer: safe to try again. */
  | { readonly kind: "not-sent"; readonly failure: Failure }
  /** Sent, no usable answer: the old refresh token may be spent. */
  | { readonly kind: "ambiguous"; readonly failure: Failure };

export type RevokeOutcome = { readonly kind: "done" } | { readonly kind: "try-later"; readonly failure: Failure };

export interface OAuthClient {
  /** Makes state, code verifier and URL (RFC 6749 section 4.1.1, RFC 7636). `redirectUri` has its real port. */
  readonly authorizationRequest: (client: ResolvedClient, redirectUri: string) => Promise<AuthorizationRequest>;
  /**
   * Checks the callback's parameters (error, `iss`, `code`) against the request and exchanges the code (RFC 6749 section 4.1.3).
   * The caller has already matched `state`.
   */
  readonly exchangeCode: (
    client: ResolvedClient,
    request: AuthorizationRequest,
    callback: URLSearchParams,
    signal: AbortSignal,
  ) => Promise<Result<Grant>>;
  /** RFC 6749 section 6. Keeps the old refresh token when the answer brings none. */
  readonly refresh: (client: ResolvedClient, grant: Grant, signal: AbortSignal) => Promise<RefreshOutcome>;
  /** RFC 7009. */
  readonly revoke: (client: ResolvedClient, refreshToken: string, signal: AbortSignal) => Promise<RevokeOutcome>;
  /**
   * Asks the token endpoint for nothing (GET, no credentials) so that it tells its time. The time itself goes the way of every
   * answer's `Date` header, to the adapter's `onServerTime`. Settles with whether there was one; never rejects.
   */
  readonly askServerTime: (client: ResolvedClient, signal: AbortSignal) => Promise<boolean>;
}

/** One awaited redirect to the callback endpoint. */
export interface PendingCallback {
  /** The redirect URI with its real port. */
  readonly redirectUri: string;
  /** Registers the `state` to wait for and settles with the query of the first valid callback; never settles after `close`. */
  readonly receive: (state: string, providerName: string) => Promise<URLSearchParams>;
  /** Shows the outcome on the browser page that is waiting for it (if one is), then stops listening if nobody else waits on that port. */
  readonly finish: (outcome: CallbackPageOutcome) => void;
  /** Stops listening at once; a browser page still waiting is told `connect_cancelled`. */
  readonly close: () => void;
}
export type CallbackPageOutcome =
  | { readonly kind: "connected"; readonly providerName: string; readonly user: string }
  | { readonly kind: "failed"; readonly failure: Failure };

export interface CallbackEndpoint {
  /**
   * Listens on the first of `redirectUris` that can be had (exact path; a URI without port takes any free one,
   * RFC 8252 section 7.3). Two flows may share one port. Fails with `port_in_use` or `callback_certificate_failed`.
   */
  readonly listen: (redirectUris: readonly string[]) => Promise<Result<PendingCallback>>;
}

export interface SystemBrowser {
  /** Opens an http(s) URL in the user's own browser. Never logs it. Fails with `browser_not_opened`. */
  readonly open: (url: string) => Promise<Result<undefined>>;
}

// ---- out to the window, programs and log ------------------------------------------------------

/** Tells the person at the desktop that a connection needs them. Once a connection and cause. */
export interface AttentionNotice {
  readonly connectionId: string;
  readonly providerName: string;
  readonly user: string;
  /** `reconnect`: it has ended; `ends_soon`: it will, and cannot be renewed; `not_saved`: its newest tokens are in memory only. */
  readonly cause: "reconnect" | "ends_soon" | "not_saved";
  /** How many other connections need a person as well, for whatever cause: told together, because they are too many to be told one by one. */
  readonly others?: number;
}

export interface Log {
  readonly info: (event: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
  readonly warn: (event: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
  /** `error` is for bugs; its message and stack are scrubbed before they are written. */
  readonly error: (event: string, error: unknown) => void;
}
