/** What the window and programs may see of the broker's state. No view ever holds a token, code or secret. */
import type { Failure } from "./failure.ts";

export type Environment = "acceptance" | "production";
export const environments: readonly Environment[] = ["acceptance", "production"];

export type ConnectionStateKind =
  | "NotConnected"
  | "Connecting"
  | "Active"
  | "Refreshing"
  | "Retrying"
  | "InDoubt"
  | "ReconnectRequired"
  | "Revoking"
  | "Forgotten";

export interface ConnectionView {
  /** Stable id: provider, environment and user, each percent-encoded, joined by `/`. */
  readonly id: string;
  readonly provider: string;
  readonly providerName: string;
  readonly environment: Environment;
  readonly user: string;
  readonly organisation?: string;
  readonly state: ConnectionStateKind;
  /** Why the connection is not simply Active, or how the last Connect ended; absent when there is nothing to say. */
  readonly failure?: Failure;
  readonly connectedAtMs?: number;
  readonly accessTokenExpiresAtMs?: number;
  /** The provider did not say when the access token ends: the time shown is an estimate. */
  readonly accessTokenExpiryIsEstimate?: true;
  /** The provider gave nothing to renew with: a person must sign in again before the grant ends. */
  readonly isNotRenewable?: true;
  /** When the grant ends unless it is renewed; absent when unknown. */
  readonly grantExpiresAtMs?: number;
  /** The provider does not send the grant's expiry: the time shown is an estimate. */
  readonly grantExpiryIsEstimate: boolean;
  readonly canRevoke: boolean;
  /** Whether the provider has security screens where a person ends grants (shown on Forget). */
  readonly hasGrantScreens: boolean;
}

export interface ProviderView {
  readonly id: string;
  readonly name: string;
  readonly canRevoke: boolean;
  readonly hasOrganisations: boolean;
  readonly hasGrantScreens: boolean;
  readonly environments: readonly {
    readonly environment: Environment;
    readonly registered: boolean;
    readonly organisations: readonly string[];
    /** Absent while all is well: renewals wait because the provider has failed several times in a row. */
    readonly paused?: ProviderPause;
  }[];
}

/** A circuit breaker that is open. */
export interface ProviderPause {
  readonly sinceMs: number;
  readonly nextTryAtMs: number;
  /** The last of the failures. */
  readonly failure: Failure;
}

export type ClientAuthentication = "basic" | "body";
export type BasicEncoding = "form" | "raw";

/** The endpoints of one provider environment. https only, except on loopback. */
export interface ProviderEndpoints {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly jwksUri?: string;
  /** Expected `iss` of callbacks (RFC 9207), where the provider sends one. */
  readonly issuer?: string;
  /** The provider's own screens where a person ends grants. */
  readonly grantScreensUrl?: string;
}

/** A client registration without its secret. Absent fields mean the provider definition's own value. */
export interface RegistrationView {
  readonly provider: string;
  readonly environment: Environment;
  readonly clientId: string;
  readonly hasClientSecret: boolean;
  /** Exactly as registered at the provider; the first that can be listened on is used. */
  readonly redirectUris: readonly string[];
  readonly scope?: string;
  readonly organisations: readonly string[];
  readonly clientAuthentication?: ClientAuthentication;
  readonly basicEncoding?: BasicEncoding;
  readonly pkce?: boolean;
  readonly endpoints?: Partial<ProviderEndpoints>;
}

/** A registration as typed in or imported. An absent secret keeps the stored one. */
export interface RegistrationInput extends Omit<RegistrationView, "hasClientSecret"> {
  readonly clientSecret?: string;
}

export interface AccessPolicy {
  readonly users: "all" | readonly string[];
  readonly providers: "all" | readonly string[];
  /** The program's access ends then, Unix time in milliseconds; absent: for good. */
  readonly untilMs?: number;
  /** How many requests of the program are answered in a minute; absent: `usualRequestsPerMinute`. */
  readonly requestsPerMinute?: number;
}

/** More than any DMS asks on one workstation; a program that has gone wild is stopped by it. */
export const usualRequestsPerMinute = 6_000;

/** Where a program's registration comes from: a person approved it, a file was imported, or the computer's policy names it. */
export type ProgramOrigin = "paired" | "imported" | "policy";

export interface DmsClientView {
  readonly clientId: string;
  readonly name: string;
  readonly publisher?: string;
  /** The file of the process that asked, where the system told it. */
  readonly programPath?: string;
  readonly access: AccessPolicy;
  /** `policy`: it can neither be changed nor removed here. */
  readonly origin: ProgramOrigin;
  /** When it was approved or imported; for `policy`, when this run began. */
  readonly pairedAtMs: number;
  readonly lastSeenAtMs?: number;
}

/** A program whose requests to be paired are refused without asking anybody. */
export interface BlockedProgramView {
  readonly blockedId: string;
  readonly name: string;
  readonly publisher?: string;
  readonly programPath?: string;
  readonly blockedAtMs: number;
}

export interface PairingView {
  readonly pairingId: string;
  readonly name: string;
  readonly publisher?: string;
  readonly reason?: string;
  /**
   * The file of the process that asks, where the system tells it. The system's word, not the program's; still no proof, since a
   * program can have another one ask for it.
   */
  readonly programPath?: string;
  /** Six digits, shown on both sides. */
  readonly code: string;
  /** The program has gone away: it can no longer be approved, but still be denied, which takes the prompt away, or blocked. */
  readonly isGone?: true;
  readonly expiresAtMs: number;
}

/** Where a key of the vault is kept. */
export type KeyPlace = "safeStorage" | "credentialStore" | "passphrase";

export type VaultView =
  | {
      readonly state: "open";
      /** Whether a recovery passphrase opens it besides the keys of this computer. */
      readonly hasPassphrase: boolean;
      /** When the newest backup was taken; absent before the first. */
      readonly newestBackupAtMs?: number;
    }
  | { readonly state: "locked"; readonly failure: Failure; readonly recovery: VaultRecoveryView };

/** What a person can do about a vault that did not open. */
export interface VaultRecoveryView {
  /** Why each place did not open it, as one word: `lost`, `denied`, `locked`, `unavailable`, `timed_out`, `fixed_key`, `failed`. */
  readonly places: readonly { readonly place: KeyPlace; readonly problem: string }[];
  /** The vault has a passphrase. */
  readonly canUsePassphrase: boolean;
  /** There is no vault yet and no safe place for its key: one may be made that a passphrase protects. */
  readonly canChoosePassphrase: boolean;
  /** Windows: an earlier copy of the system's own key file is there (`vault.useEarlierSystemKeys`). */
  readonly canUseEarlierSystemKeys: boolean;
  /** The vault may be set aside and a new one started. */
  readonly canStartAnew: boolean;
  /** The connections in the locked vault: those that need Reconnect if it is started anew. */
  readonly connections: readonly {
    readonly providerName: string;
    readonly environment: Environment;
    readonly user: string;
  }[];
}

/** What an import brought. */
export interface VaultImportView {
  /** The person chose no file; all counts are 0. */
  readonly cancelled: boolean;
  readonly registrations: number;
  readonly connections: number;
  /** How many of `connections` came with their sign-in and need no Reconnect. */
  readonly withSignIn: number;
  /** Registrations and connections that this computer has already; they were left as they are. */
  readonly skipped: number;
}

export interface StatusView {
  readonly version: string;
  /** `electron` or `chromium-host`. */
  readonly host: string;
  readonly vault: VaultView;
  readonly pipe: { readonly state: "listening"; readonly name: string } | { readonly state: "closed"; readonly failure: Failure };
  /** Whether programs may ask to be paired; `forbidden` by the computer's policy. */
  readonly pairing: "allowed" | "forbidden";
  /** Things a person should know that stop nothing: one key envelope missing, settings reset, … */
  readonly notices: readonly Failure[];
  /** What to add to the computer's clock for the time that all times of the views are in; absent: nothing. */
  readonly clockCorrectionMs?: number;
  /** Settings that the computer's policy has fixed. */
  readonly ruledSettings?: readonly RuledSetting[];
  /** SHA-256 of the callback endpoint's own certificate, once one was made. */
  readonly callbackCertificateSha256?: string;
}

/** One row of the audit log. */
export interface AuditRowView {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly atMs: number;
  /** e.g. `token.get`, `connect`, `refresh`, `pairing`. */
  readonly action: string;
  /** A program's client id, or `window`, `command-line`, `broker` for what the app does by itself, `unknown` for a stranger. */
  readonly actor: string;
  readonly actorName?: string;
  readonly provider?: string;
  readonly environment?: Environment;
  readonly user?: string;
  /** `ok` or a failure code. */
  readonly outcome: string;
}

/** Newest first. */
export interface AuditPageView {
  readonly rows: readonly AuditRowView[];
  /** Whether there are older rows than these that match. */
  readonly hasMore: boolean;
}

/** What walking the whole chain of the audit log showed. */
export type AuditVerificationView =
  | { readonly kind: "intact"; readonly rows: number }
  | { readonly kind: "broken"; readonly sequence: number; readonly problem: "changed" | "missing" | "head" };

export type AuditExportFormat = "csv" | "jsonl";
export const auditExportFormats: readonly AuditExportFormat[] = ["csv", "jsonl"];

export type Theme = "system" | "light" | "dark";

export interface SettingsView {
  readonly theme: Theme;
  /** User id offered first in the Connect form. */
  readonly usualUser: string;
  /** The app starts, without its window, when the person signs in to the computer. */
  readonly startAtLogin: boolean;
  /** No notifications between these times of day, each `HH:MM`; both empty: none are held back. */
  readonly quietFrom: string;
  readonly quietTo: string;
  /** Users about whose connections no notification is shown. */
  readonly mutedUsers: readonly string[];
  /** The network costs by volume: renewals that no program waits for are made as seldom as the sign-ins allow. */
  readonly saveData: boolean;
}

export const standardSettings: SettingsView = {
  theme: "system",
  usualUser: "",
  startAtLogin: false,
  quietFrom: "",
  quietTo: "",
  mutedUsers: [],
  saveData: false,
};

/** What a policy may fix. */
export type RuledSetting = "startAtLogin";

/** Where a link, a notification or a program may have the window opened. */
export interface WindowTarget {
  readonly page: "connections" | "programs" | "settings";
  /** The row to show. */
  readonly connectionId?: string;
}

/** How one connection of a leaving user ended. */
export interface EndedConnectionView {
  readonly connectionId: string;
  readonly providerName: string;
  readonly environment: Environment;
  /** `pending`: not served any more, and the provider is told as soon as it can be reached. */
  readonly outcome: "revoked" | "pending" | "forgotten" | "failed";
  readonly failure?: Failure;
  /** Copies of the access token that programs have go on working until then. */
  readonly copiesWorkUntilMs?: number;
  /** The provider did not say when the access token ends: that time is an estimate. */
  readonly copiesEndIsEstimate?: true;
  /** The provider cannot be told; its own screens end the access. */
  readonly hasGrantScreens: boolean;
}

/** The stable id of a connection. */
export function connectionId(key: { readonly provider: string; readonly environment: string; readonly user: string }): string {
  return [key.provider, key.environment, key.user].map(encodeURIComponent).join("/");
}
