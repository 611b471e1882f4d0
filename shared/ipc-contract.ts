/**
 * The whole conversation between window and main process, as one value. Main's handlers, the
 * preload's client, the window's api and the tests' stand-in are all derived from it, so a call
 * cannot exist on one side only.
 */

import type { Result } from "./result.ts";
import type {
  AccessPolicy,
  AuditExportFormat,
  AuditPageView,
  AuditVerificationView,
  BlockedProgramView,
  ConnectionView,
  DmsClientView,
  EndedConnectionView,
  Environment,
  PairingView,
  ProviderView,
  RegistrationInput,
  RegistrationView,
  SettingsView,
  StatusView,
  VaultImportView,
  WindowTarget,
} from "./views.ts";

/** Carries the types of a call; exists at run time only as a marker. */
interface Call<Params, Value> {
  readonly kind: "call";
  readonly params?: Params;
  readonly value?: Value;
}
interface Event<Payload> {
  readonly kind: "event";
  readonly payload?: Payload;
}
function call<Params, Value>(): Call<Params, Value> {
  return { kind: "call" };
}
function event<Payload>(): Event<Payload> {
  return { kind: "event" };
}

export interface ConnectParams {
  readonly provider: string;
  readonly environment: Environment;
  readonly user: string;
  readonly organisation?: string;
}
export interface ConnectionParams {
  readonly connectionId: string;
}
export interface ApproveParams {
  readonly pairingId: string;
  readonly access: AccessPolicy;
}

/** Which rows of the audit log to show, newest first. All given conditions must hold. */
export interface AuditQuery {
  /** At most 200. */
  readonly limit: number;
  /** Only rows older than this one. */
  readonly before?: number;
  readonly outcome?: "ok" | "refused";
  /** Found in action, actor, program name, provider, user or outcome, whatever the case of letters. */
  readonly text?: string;
}

export interface ProxySignInParams {
  /** Host and port, as `proxy_sign_in_needed` names it. */
  readonly proxy: string;
  readonly userName: string;
  readonly password: string;
}
export interface PassphraseParams {
  readonly passphrase: string;
}
export interface RekeyParams {
  readonly passphrase?: string;
}
export interface VaultExportParams extends PassphraseParams {
  /** Whether tokens go with the connections; the computer they leave must then no longer use them. */
  readonly includeSignIns: boolean;
}

export const ipcCalls = {
  "status.get": call<void, StatusView>(),
  "providers.list": call<void, readonly ProviderView[]>(),
  "connections.list": call<void, readonly ConnectionView[]>(),
  /** Opens the user's browser; a second call for the same connection opens the same sign-in page again. */
  "connect.start": call<ConnectParams, ConnectionParams>(),
  "connect.cancel": call<ConnectionParams, void>(),
  /** `copiesWorkUntilMs`: copies of the access token that programs have go on working until then; absent when there can be none. */
  "connection.revoke": call<ConnectionParams, { readonly copiesWorkUntilMs?: number }>(),
  "connection.forget": call<ConnectionParams, void>(),
  /** An employee leaves: ends every connection of the user at every provider, by Revoke where there is one, else by Forget. */
  "user.endAll": call<{ readonly user: string }, readonly EndedConnectionView[]>(),
  /** Opens the provider's own security screens in the browser. */
  "connection.openGrantScreens": call<ConnectionParams, void>(),
  "registrations.list": call<void, readonly RegistrationView[]>(),
  "registrations.save": call<RegistrationInput, void>(),
  "registrations.remove": call<{ readonly provider: string; readonly environment: Environment }, void>(),
  /** Asks for a file in the main process, so that its secrets never pass through the window. `imported` is 0 when the person cancelled. */
  "registrations.import": call<void, { readonly imported: number }>(),
  "clients.list": call<void, readonly DmsClientView[]>(),
  /** Replaces what the program may use; its sessions end at once. */
  "clients.update": call<{ readonly clientId: string; readonly access: AccessPolicy }, void>(),
  "clients.remove": call<{ readonly clientId: string }, void>(),
  /** Asks for a program file (docs/provisioning.md) in the main process, so that its keys never pass through the window. `imported` is 0 when the person cancelled. */
  "clients.import": call<void, { readonly imported: number }>(),
  "blocked.list": call<void, readonly BlockedProgramView[]>(),
  "blocked.remove": call<{ readonly blockedId: string }, void>(),
  "pairings.list": call<void, readonly PairingView[]>(),
  "pairing.approve": call<ApproveParams, void>(),
  "pairing.deny": call<{ readonly pairingId: string }, void>(),
  /** Denies it, and every later request of this program without asking. */
  "pairing.block": call<{ readonly pairingId: string }, void>(),
  "audit.page": call<AuditQuery, AuditPageView>(),
  "audit.verify": call<void, AuditVerificationView>(),
  /** Asks where to save and writes the whole log. `saved` is false when the person cancelled. */
  "audit.export": call<{ readonly format: AuditExportFormat }, { readonly saved: boolean }>(),
  "settings.get": call<void, SettingsView>(),
  "settings.save": call<SettingsView, void>(),
  /** What the window was opened for, once; nothing when a person opened it. */
  "window.target": call<void, WindowTarget | undefined>(),
  /** Stores, sealed, what the named proxy wants (`proxy_sign_in_needed`). */
  "proxy.signIn": call<ProxySignInParams, void>(),
  /** Saves the public callback certificate to a file the person chooses. `saved` is false when they cancelled. */
  "certificate.save": call<void, { readonly saved: boolean }>(),
  /** Tries to open the locked vault again. */
  "vault.tryAgain": call<void, void>(),
  /** Opens the locked vault with its passphrase. */
  "vault.unlock": call<PassphraseParams, void>(),
  /**
   * Sets or replaces the passphrase that opens the vault besides the keys of this computer. Where no vault is there and the
   * computer has no safe place for its key, makes a vault that the passphrase protects.
   */
  "vault.setPassphrase": call<PassphraseParams, void>(),
  "vault.removePassphrase": call<void, void>(),
  /** Sets the locked vault aside and starts a new one, in which its connections wait for Reconnect. */
  "vault.startAnew": call<void, void>(),
  /** Windows: puts back the earlier copy of the system's key file and restarts the app. */
  "vault.useEarlierSystemKeys": call<void, void>(),
  /** Makes a new vault key and seals everything again. A vault with a passphrase needs it for that. */
  "vault.rekey": call<RekeyParams, void>(),
  /** Asks where to save, and writes registrations and connections to one file that the passphrase seals. `saved` is false when the person cancelled. */
  "vault.export": call<VaultExportParams, { readonly saved: boolean }>(),
  /** Asks for such a file and takes in what this computer does not have yet. */
  "vault.import": call<PassphraseParams, VaultImportView>(),
} as const;

export const ipcEvents = {
  /** One connection changed; state `Forgotten` means its row goes away. */
  connectionChanged: event<ConnectionView>(),
  pairingsChanged: event<readonly PairingView[]>(),
  clientsChanged: event<readonly DmsClientView[]>(),
  blockedChanged: event<readonly BlockedProgramView[]>(),
  registrationsChanged: event<readonly RegistrationView[]>(),
  providersChanged: event<readonly ProviderView[]>(),
  statusChanged: event<StatusView>(),
  /** The open window is to show this; a window that opens asks for `window.target`. */
  windowTargetChanged: event<WindowTarget>(),
} as const;

export type CallName = keyof typeof ipcCalls;
export type CallParams<N extends CallName> = (typeof ipcCalls)[N] extends Call<infer P, unknown> ? P : never;
export type CallValue<N extends CallName> = (typeof ipcCalls)[N] extends Call<infer _P, infer V> ? V : never;
export type EventName = keyof typeof ipcEvents;
export type EventPayload<N extends EventName> = (typeof ipcEvents)[N] extends Event<infer P> ? P : never;

/** What the preload exposes on `window.dmsConnect`. */
export interface DmsConnectApi {
  /** Calls main. Never rejects for an expected failure: that comes as a `Result`. */
  readonly invoke: <N extends CallName>(
    name: N,
    ...params: CallParams<N> extends void ? [] : [CallParams<N>]
  ) => Promise<Result<CallValue<N>>>;
  /** Listens to an event of main. Returns a function that stops listening. */
  readonly on: <N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void) => () => void;
}

/** Names of the two Electron channels everything travels on. */
export const ipcChannels = { invoke: "dms-connect:invoke", event: "dms-connect:event" } as const;
