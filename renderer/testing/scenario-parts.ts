/** What a scenario is, and what most of them are made of. Times are offsets, so that a scenario never grows old. */
import type { Failure } from "../../shared/failure.ts";
import {
  type AuditRowView,
  type AuditVerificationView,
  type BlockedProgramView,
  type ConnectionView,
  connectionId,
  type DmsClientView,
  type EndedConnectionView,
  type PairingView,
  type ProviderView,
  type RegistrationView,
  type SettingsView,
  type StatusView,
  standardSettings,
  type WindowTarget,
} from "../../shared/views.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export interface Scenario {
  readonly status: StatusView;
  readonly providers: readonly ProviderView[];
  readonly connections: readonly ConnectionView[];
  readonly registrations: readonly RegistrationView[];
  readonly clients: readonly DmsClientView[];
  readonly blocked: readonly BlockedProgramView[];
  readonly pairings: readonly PairingView[];
  readonly settings: SettingsView;
  /** Newest first; absent: none. */
  readonly auditRows?: readonly AuditRowView[];
  /** Absent: intact. */
  readonly auditVerification?: AuditVerificationView;
  /** What the window was opened for. */
  readonly windowTarget?: WindowTarget;
  /** What `user.endAll` answers. */
  readonly ended?: readonly EndedConnectionView[];
  /** Every list that comes out of the vault fails so. */
  readonly vaultFailure?: Failure;
}

export const status: StatusView = {
  version: "0.1.0",
  host: "electron",
  vault: { state: "open", hasPassphrase: false },
  pipe: { state: "listening", name: "\\\\.\\pipe\\dms-connect-6f1c0a52e9b34d77-1" },
  pairing: "allowed",
  notices: [],
  callbackCertificateSha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

export const base: Scenario = {
  status,
  providers: providers(false),
  connections: [],
  registrations: [],
  clients: [],
  blocked: [],
  pairings: [],
  settings: { ...standardSettings, usualUser: "mmd10030.johndoe" },
};

export const registrations: readonly RegistrationView[] = [
  {
    provider: "mazda",
    environment: "production",
    clientId: "7b0e3c52-5b51-4a8e-9a57-2f0d4f8a9c11",
    hasClientSecret: true,
    redirectUris: ["https://127.0.0.1:8080/dms/oauth/code"],
    organisations: ["10030/MMD", "10031/MMD"],
  },
  {
    provider: "mazda",
    environment: "acceptance",
    clientId: "0a4f8b7e-3a0c-4a3c-8b8e-0a5b1f0d7e22",
    hasClientSecret: true,
    redirectUris: ["https://127.0.0.1:8080/myGreatDms/oauth/code", "http://127.0.0.1:8081/dms/oauth/code"],
    organisations: [],
    pkce: false,
    endpoints: { tokenEndpoint: "https://mappsacc.example/oauth/token" },
  },
  {
    provider: "webfleet",
    environment: "production",
    clientId: "great-dms",
    hasClientSecret: true,
    redirectUris: ["http://127.0.0.1/webfleet/callback"],
    scope: "offline_access",
    organisations: [],
    clientAuthentication: "basic",
  },
];

export function providers(registered: boolean): readonly ProviderView[] {
  return [
    {
      id: "mazda",
      name: "Mazda",
      canRevoke: false,
      hasOrganisations: true,
      hasGrantScreens: true,
      environments: [
        { environment: "acceptance", registered, organisations: [] },
        { environment: "production", registered, organisations: registered ? ["10030/MMD", "10031/MMD"] : [] },
      ],
    },
    {
      id: "webfleet",
      name: "Webfleet",
      canRevoke: true,
      hasOrganisations: false,
      hasGrantScreens: false,
      environments: [{ environment: "production", registered, organisations: [] }],
    },
  ];
}

export function mazdaConnection(nowMs: number): ConnectionView {
  const key = { provider: "mazda", environment: "acceptance", user: "mmd10030.johndoe" } as const;
  return {
    ...key,
    id: connectionId(key),
    providerName: "Mazda",
    organisation: "10030/MMD",
    state: "Active",
    connectedAtMs: nowMs - 4 * day,
    accessTokenExpiresAtMs: nowMs + 21 * hour,
    grantExpiresAtMs: nowMs + 24 * day,
    grantExpiryIsEstimate: true,
    canRevoke: false,
    hasGrantScreens: true,
  };
}

export function webfleetConnection(nowMs: number): ConnectionView {
  const key = { provider: "webfleet", environment: "production", user: "johndoe" } as const;
  return {
    ...key,
    id: connectionId(key),
    providerName: "Webfleet",
    state: "Active",
    connectedAtMs: nowMs - 9 * day,
    accessTokenExpiresAtMs: nowMs + 43 * minute,
    grantExpiresAtMs: nowMs + 30 * day,
    grantExpiryIsEstimate: false,
    canRevoke: true,
    hasGrantScreens: false,
  };
}

export function withoutTimes(connection: ConnectionView): ConnectionView {
  const { accessTokenExpiresAtMs: _access, grantExpiresAtMs: _grant, ...rest } = connection;
  return rest;
}
