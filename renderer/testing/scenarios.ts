/** States of the product as data: what the stand-in for the main process answers. Times are offsets, so that a scenario never grows old. */
import { type Failure, failure } from "../../shared/failure.ts";
import {
  type AuditRowView,
  type AuditVerificationView,
  type BlockedProgramView,
  type ConnectionView,
  connectionId,
  type DmsClientView,
  type PairingView,
  type ProviderView,
  type RegistrationView,
  type SettingsView,
  type StatusView,
  type VaultView,
} from "../../shared/views.ts";
import { auditRows, hostileAuditRows, manyAuditRows } from "./audit-states.ts";
import {
  blockedPrograms,
  clients,
  gonePairing,
  hostilePairing,
  impostorAuditRows,
  longNamedClient,
  managedClient,
  pairing,
  silentGonePairing,
  silentPairing,
  variedClients,
} from "./program-states.ts";
import { lockedVaults, vaultNotices } from "./vault-states.ts";

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
  /** Every list that comes out of the vault fails so. */
  readonly vaultFailure?: Failure;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** The scenarios by name. @param nowMs what their times are counted from */
export function scenarios(nowMs: number) {
  const mazda = mazdaConnection(nowMs);
  const webfleet = webfleetConnection(nowMs);
  const set = { ...base, providers: providers(true), registrations };
  const active = { ...set, connections: [mazda, webfleet], clients: clients(nowMs) };
  const withConnections = (...connections: readonly ConnectionView[]): Scenario => ({ ...set, connections });
  return {
    empty: base,
    setUpOnly: set,
    active,
    connecting: withConnections({ ...withoutTimes(mazda), state: "Connecting" }, webfleet),
    reconnectRequired: withConnections(
      { ...withoutTimes(mazda), state: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) },
      webfleet,
    ),
    refused: withConnections({ ...withoutTimes(mazda), state: "NotConnected", failure: failure("consent_refused", { provider: "Mazda" }) }),
    retrying: withConnections(
      { ...mazda, state: "Retrying", failure: failure("provider_unreachable", { provider: "Mazda", problem: "ENOTFOUND" }) },
      { ...webfleet, state: "InDoubt", failure: failure("refresh_ambiguous", { provider: "Webfleet" }) },
    ),
    revoking: withConnections(mazda, {
      ...withoutTimes(webfleet),
      state: "Revoking",
      failure: failure("revocation_pending", { provider: "Webfleet" }),
    }),
    pairing: { ...active, pairings: [pairing(nowMs)] },
    hostilePairing: { ...active, pairings: [hostilePairing(nowMs)] },
    silentPairing: { ...active, pairings: [silentPairing(nowMs)] },
    gonePairing: { ...active, pairings: [gonePairing(nowMs)] },
    silentGonePairing: { ...active, pairings: [silentGonePairing(nowMs)] },
    programs: { ...active, clients: [...clients(nowMs), ...variedClients(nowMs)], blocked: blockedPrograms(nowMs) },
    pairingForbidden: { ...active, clients: [managedClient(nowMs)], status: { ...status, pairing: "forbidden" } },
    pairingForbiddenEmpty: { ...base, status: { ...status, pairing: "forbidden" } },
    audit: { ...active, auditRows: auditRows(nowMs) },
    auditLong: { ...active, auditRows: manyAuditRows(nowMs) },
    auditImpostors: { ...active, auditRows: impostorAuditRows(nowMs) },
    auditBroken: {
      ...active,
      auditRows: hostileAuditRows(nowMs),
      auditVerification: { kind: "broken", sequence: 2, problem: "changed" },
    },
    locked: withLockedVault(lockedVaults.everyWay),
    lockedDenied: withLockedVault(lockedVaults.denied),
    lockedPassphraseNeeded: withLockedVault(lockedVaults.passphraseNeeded),
    lockedNoSafePlace: withLockedVault(lockedVaults.noSafePlace),
    lockedInUse: withLockedVault(lockedVaults.inUse),
    passphraseSet: {
      ...active,
      status: { ...status, vault: { state: "open", hasPassphrase: true, newestBackupAtMs: nowMs - 3 * hour } },
    },
    vaultNotices: { ...active, status: { ...status, notices: vaultNotices } },
    notStored: withConnections(
      { ...mazda, failure: failure("vault_write_failed", { problem: "disk full" }) },
      { ...withoutTimes(webfleet), state: "ReconnectRequired", failure: failure("connection_moved", { provider: "Webfleet" }) },
    ),
    pipeClosed: {
      ...active,
      status: {
        ...status,
        pipe: { state: "closed", failure: failure("pipe_in_use", { name: "dms-connect-1f2e-1" }) },
        notices: [failure("settings_unreadable", { file: "settings.damaged.json" })],
      },
    },
    longNames: longNames(nowMs, set),
    broken: {
      ...set,
      // No real main process sends this: it makes drawing fail.
      connections: [{ ...mazda, accessTokenExpiresAtMs: Number.NaN }],
    },
  } satisfies Record<string, Scenario>;
}

function withLockedVault(vault: Extract<VaultView, { readonly state: "locked" }>): Scenario {
  return { ...base, status: { ...status, vault }, vaultFailure: vault.failure };
}

export type ScenarioName = keyof ReturnType<typeof scenarios>;

const status: StatusView = {
  version: "0.1.0",
  host: "electron",
  vault: { state: "open", hasPassphrase: false },
  pipe: { state: "listening", name: "\\\\.\\pipe\\dms-connect-6f1c0a52e9b34d77-1" },
  pairing: "allowed",
  notices: [],
  callbackCertificateSha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

const base: Scenario = {
  status,
  providers: providers(false),
  connections: [],
  registrations: [],
  clients: [],
  blocked: [],
  pairings: [],
  settings: { theme: "system", usualUser: "mmd10030.johndoe" },
};

const registrations: readonly RegistrationView[] = [
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

function providers(registered: boolean): readonly ProviderView[] {
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

function mazdaConnection(nowMs: number): ConnectionView {
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

function webfleetConnection(nowMs: number): ConnectionView {
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

function withoutTimes(connection: ConnectionView): ConnectionView {
  const { accessTokenExpiresAtMs: _access, grantExpiresAtMs: _grant, ...rest } = connection;
  return rest;
}

function longNames(nowMs: number, set: Scenario): Scenario {
  const user = `mmd10030.${"maximiliane-wilhelmine".repeat(4)}@autohaus-oberammergau.example`;
  const organisation = "10030/MMD-Autohaus-Oberammergau-und-Garmisch-Partenkirchen";
  const mazda = mazdaConnection(nowMs);
  return {
    ...set,
    connections: [
      { ...mazda, id: `${mazda.id}-long`, user, organisation },
      {
        ...withoutTimes(webfleetConnection(nowMs)),
        user,
        state: "ReconnectRequired",
        failure: failure("grant_unreadable", { provider: "Webfleet" }),
      },
      {
        ...withoutTimes(mazda),
        state: "NotConnected",
        failure: failure("authorization_unknown_error", { provider: "Mazda", error: "x".repeat(300) }),
      },
    ],
    clients: [longNamedClient(nowMs, user)],
  };
}
