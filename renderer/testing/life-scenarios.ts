/** States of connections that live for months: estimates, pauses, revocations, people who leave, networks and clocks gone wrong. */
import { type Failure, failure } from "../../shared/failure.ts";
import { type ConnectionView, connectionId, type EndedConnectionView, type ProviderPause, type ProviderView } from "../../shared/views.ts";
import { clients } from "./program-states.ts";
import {
  base,
  day,
  hour,
  mazdaConnection,
  minute,
  providers,
  registrations,
  type Scenario,
  status,
  webfleetConnection,
  withoutTimes,
} from "./scenario-parts.ts";

const leaver = "mmd10030.johndoe";
const proxyNotice = failure("proxy_sign_in_needed", { proxy: "proxy.autohaus-mueller.example:3128" });
const offline = failure("network_offline");

/** The scenarios by name. @param nowMs what their times are counted from */
export function lifeScenarios(nowMs: number) {
  const mazda = mazdaConnection(nowMs);
  const webfleet = webfleetConnection(nowMs);
  const set: Scenario = { ...base, providers: providers(true), registrations, connections: [mazda, webfleet], clients: clients(nowMs) };
  const withNotices = (...notices: readonly Failure[]): Scenario => ({ ...set, status: { ...status, notices } });
  return {
    estimates: {
      ...set,
      connections: [
        { ...mazda, accessTokenExpiresAtMs: nowMs + 9 * minute, accessTokenExpiryIsEstimate: true },
        { ...webfleet, isNotRenewable: true, accessTokenExpiresAtMs: nowMs + 20 * day },
        { ...someone(webfleet, "mary"), isNotRenewable: true, accessTokenExpiresAtMs: nowMs + 50 * minute },
      ],
    },
    needYou: { ...set, connections: mixedConnections(nowMs) },
    paused: pausedScenario(nowMs, set),
    leaving: { ...set, connections: leavingConnections(nowMs), ended: leavingEnds(nowMs) },
    target: {
      ...set,
      connections: [...mixedConnections(nowMs), ...Array.from({ length: 12 }, (_none, index) => someone(webfleet, `driver${index}`))],
      windowTarget: { page: "connections", connectionId: idOf("webfleet", "production", "driver9") },
    },
    offline: {
      ...withNotices(offline),
      connections: [retrying(mazda, offline), retrying(webfleet, offline), { ...someone(mazda, "new"), ...neverConnected(offline) }],
    },
    networkNotices: {
      ...withNotices(
        failure("network_sign_in_needed", { provider: "Mazda" }),
        proxyNotice,
        failure("clock_fast", { offset: "2 h 05 min" }),
        failure("certificate_date_invalid", { provider: "Webfleet" }),
      ),
      connections: [retrying(mazda, proxyNotice), webfleet],
    },
    proxyInRow: { ...set, connections: [retrying(mazda, proxyNotice), webfleet] },
    wrongClock: {
      ...set,
      status: { ...status, clockCorrectionMs: -2 * hour, notices: [failure("clock_fast", { offset: "2 h 00 min" })] },
      connections: [{ ...webfleet, accessTokenExpiresAtMs: nowMs - 77 * minute }],
    },
    settingsFilled: {
      ...set,
      status: { ...status, ruledSettings: ["startAtLogin"] },
      settings: {
        ...base.settings,
        startAtLogin: true,
        quietFrom: "18:00",
        quietTo: "07:30",
        mutedUsers: ["johndoe", `mmd10030.${"maximiliane-wilhelmine".repeat(4)}`],
        saveData: true,
      },
    },
  } satisfies Record<string, Scenario>;
}

function idOf(provider: string, environment: string, user: string): string {
  return connectionId({ provider, environment, user });
}

function someone(connection: ConnectionView, user: string): ConnectionView {
  return { ...connection, user, id: connectionId({ ...connection, user }) };
}

function retrying(connection: ConnectionView, because: Failure): ConnectionView {
  return { ...connection, state: "Retrying", failure: because };
}

function neverConnected(because: Failure): Pick<ConnectionView, "state" | "failure"> {
  return { state: "NotConnected", failure: because };
}

/** In the order in which they came, which is not the one in which a person should see them. */
function mixedConnections(nowMs: number): readonly ConnectionView[] {
  const mazda = mazdaConnection(nowMs);
  const webfleet = webfleetConnection(nowMs);
  return [
    mazda,
    retrying(someone(webfleet, "anna"), failure("provider_busy", { provider: "Webfleet", status: 503 })),
    retrying(someone(mazda, "mmd10030.bert"), failure("client_rejected", { provider: "Mazda" })),
    webfleet,
    { ...withoutTimes(someone(webfleet, "carla")), state: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) },
    { ...someone(mazda, "mmd10030.dieter"), failure: failure("vault_write_failed", { problem: "disk full" }) },
  ];
}

function pausedScenario(nowMs: number, set: Scenario): Scenario {
  const because = failure("provider_busy", { provider: "Webfleet", status: 503 });
  const webfleet = webfleetConnection(nowMs);
  return {
    ...set,
    providers: set.providers.map((provider) =>
      provider.id === "webfleet"
        ? withPause(provider, { sinceMs: nowMs - 12 * minute, nextTryAtMs: nowMs + 3 * minute, failure: because })
        : provider,
    ),
    connections: [
      mazdaConnection(nowMs),
      retrying(webfleet, because),
      retrying(someone(webfleet, "mary"), failure("provider_paused", { provider: "Webfleet" })),
    ],
  };
}

function withPause(provider: ProviderView, paused: ProviderPause): ProviderView {
  return { ...provider, environments: provider.environments.map((each) => ({ ...each, paused })) };
}

function leavingConnections(nowMs: number): readonly ConnectionView[] {
  const mazda = mazdaConnection(nowMs);
  const webfleet = someone(webfleetConnection(nowMs), leaver);
  const acceptance = { ...webfleet, environment: "acceptance", id: idOf("webfleet", "acceptance", leaver) } as const;
  return [
    mazda,
    webfleet,
    { ...acceptance, state: "Revoking", failure: failure("revocation_pending", { provider: "Webfleet" }) },
    { ...withoutTimes(mazda), environment: "production", id: idOf("mazda", "production", leaver), state: "ReconnectRequired" },
    someone(webfleet, "mary"),
  ];
}

/** Every way in which a connection can end. */
function leavingEnds(nowMs: number): readonly EndedConnectionView[] {
  const mazda = { providerName: "Mazda", hasGrantScreens: true };
  const webfleet = { providerName: "Webfleet", hasGrantScreens: false };
  return [
    {
      ...mazda,
      connectionId: idOf("mazda", "acceptance", leaver),
      environment: "acceptance",
      outcome: "forgotten",
      copiesWorkUntilMs: nowMs + 21 * hour,
    },
    {
      ...webfleet,
      connectionId: idOf("webfleet", "production", leaver),
      environment: "production",
      outcome: "revoked",
      copiesWorkUntilMs: nowMs + 43 * minute,
    },
    {
      ...webfleet,
      connectionId: idOf("webfleet", "acceptance", leaver),
      environment: "acceptance",
      outcome: "pending",
      copiesWorkUntilMs: nowMs + 43 * minute,
      copiesEndIsEstimate: true,
    },
    {
      ...mazda,
      connectionId: idOf("mazda", "production", leaver),
      environment: "production",
      outcome: "failed",
      failure: failure("vault_write_failed", { problem: "disk full" }),
    },
  ];
}
