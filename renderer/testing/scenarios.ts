/** States of the product as data: what the stand-in for the main process answers. */
import { failure } from "../../shared/failure.ts";
import type { ConnectionView, VaultView } from "../../shared/views.ts";
import { auditRows, hostileAuditRows, manyAuditRows } from "./audit-states.ts";
import { lifeScenarios } from "./life-scenarios.ts";
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
import {
  base,
  hour,
  mazdaConnection,
  providers,
  registrations,
  type Scenario,
  status,
  webfleetConnection,
  withoutTimes,
} from "./scenario-parts.ts";
import { lockedVaults, vaultNotices } from "./vault-states.ts";

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
      ...webfleet,
      state: "Revoking",
      failure: failure("revocation_pending", { provider: "Webfleet" }),
    }),
    ...lifeScenarios(nowMs),
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
