/**
 * Builds the core that runs on an open vault and connects it to time, network and power: what happens there reaches core here,
 * and what core has to tell reaches the window from here.
 */
import type { Failure } from "../shared/failure.ts";
import type { ProviderView } from "../shared/views.ts";
import type { Audit, RunningBroker, StartBrokerParts } from "./compose-broker.ts";
import { Attention } from "./core/attention.ts";
import { ConnectFlow } from "./core/connect-flow.ts";
import type { ConnectionKey } from "./core/connection-state.ts";
import { Connections } from "./core/connections.ts";
import { NetworkState } from "./core/network-state.ts";
import type { Network, OAuthClient, Power, Vault } from "./core/ports.ts";
import { ProviderGate } from "./core/provider-gate.ts";
import { RefreshScheduler } from "./core/refresh-scheduler.ts";
import { Refresher } from "./core/refresher.ts";
import type { Registrations } from "./core/registrations.ts";
import { Revocation } from "./core/revocation.ts";
import { TokenBroker } from "./core/token-broker.ts";
import type { TrustedTime } from "./core/trusted-time.ts";
import { createCallbackEndpoint } from "./oauth/loopback-server.ts";
import { isLoopbackHost } from "./shell/loopback-host.ts";
import { systemRandomness } from "./shell/system-ports.ts";
import { systemTimeSources } from "./shell/system-time.ts";

/** Where nothing tells about the network, requests find out. */
const assumedNetwork: Network = { isOnline: () => true, canReach: async () => true, onChanged: () => () => undefined };
const assumedPower: Power = { isSaving: () => false, onEvent: () => () => undefined };

export type Engine = ReturnType<typeof buildEngine>;

export interface EngineParts {
  readonly app: StartBrokerParts;
  readonly vault: Vault;
  readonly registrations: Registrations;
  readonly time: TrustedTime;
  readonly oauth: OAuthClient;
  readonly audit: Audit;
  readonly certificate: RunningBroker["callbackCertificate"];
}

type Core = ReturnType<typeof buildCore>;

/** The objects of core, each with the ports it needs. */
function buildCore({ app, registrations, vault, time, oauth, audit, certificate }: EngineParts, isSaving: () => boolean) {
  const { clock } = time;
  const random = Math.random;
  const connections = new Connections({ vault, clock, describe: (key) => registrations.describe(key) });
  const record = (action: string) => (key: ConnectionKey, outcome: string) =>
    audit({ provider: key.provider, environment: key.environment, user: key.user, action, actor: "broker", outcome });
  const targets = () => tokenEndpoints(registrations);
  const network = new NetworkState({ network: withLoopback(app.network ?? assumedNetwork, targets), clock, targets });
  const { monotonicMs } = app.timeSources ?? systemTimeSources;
  const gate = new ProviderGate({ clock, monotonicMs, random });
  const shared = { connections, registrations, oauth, clock };
  const refresher = new Refresher({ ...shared, randomness: systemRandomness, random, gate, network, onRefreshed: record("refresh") });
  const broker = new TokenBroker({ ...shared, refresher, network, timeDoubt: () => time.doubt });
  const callback = createCallbackEndpoint({ certificate, log: app.log });
  const connectFlow = new ConnectFlow({ ...shared, callback, browser: app.browser, onEnded: record("connect") });
  const onEnded = (action: string, key: ConnectionKey, outcome: string) => record(action)(key, outcome);
  const revocation = new Revocation({ ...shared, connectFlow, broker, gate, network, random, onEnded });
  const onObtained = (atMs: number) => time.notBefore(atMs);
  const scheduler = new RefreshScheduler({ ...shared, refresher, network, random, isSaving, onObtained });
  return { connections, network, gate, refresher, broker, connectFlow, revocation, scheduler };
}

/** Follows what network, power and core tell, from now on. Returns what ends that. */
function followEvents({ app, registrations, time }: EngineParts, core: Core, power: Power): readonly (() => void)[] {
  const { connections, gate, network, scheduler } = core;
  const { log } = app;
  return [
    connections.onChanged((view) => app.sendEvent("connectionChanged", view)),
    registrations.onChanged((views) => app.sendEvent("registrationsChanged", views)),
    gate.onChanged(() => {
      app.sendEvent("providersChanged", providerViewsOf(registrations, gate));
      app.onNoticesChanged();
    }),
    network.onChanged(() => {
      log.info("network", { state: network.notice()?.code ?? (network.isUsable ? "usable" : "waiting") });
      if (network.isUsable) {
        gate.networkIsBack();
        time.networkIsThere();
      }
      app.onNoticesChanged();
    }),
    power.onEvent((event) => {
      log.info("power", { event });
      if (event === "suspend") return network.suspend();
      if (event === "resume") network.resume();
      scheduler.planAnew();
    }),
  ];
}

function providerViewsOf(registrations: Registrations, gate: ProviderGate): readonly ProviderView[] {
  return registrations.providerViews((provider, environment) => gate.pauseOf(provider, environment));
}

/** Builds it; nothing runs before `start`. */
export function buildEngine(parts: EngineParts) {
  const { app, vault, registrations, time } = parts;
  const power = app.power ?? assumedPower;
  const core = buildCore(parts, () => power.isSaving() || app.settings().saveData);
  const { connections, broker, connectFlow, revocation, scheduler, gate, network, refresher } = core;
  const attention = new Attention({
    connections,
    vault,
    clock: time.clock,
    settings: app.settings,
    localMinutes,
    onNotify: (notice) => app.onAttention?.(notice),
    onCount: (count) => app.onAttentionCount?.(count),
  });
  let stops: readonly (() => void)[] = [];

  return {
    connections,
    broker,
    connectFlow,
    revocation,
    scheduler,
    gate,
    providerViews: () => providerViewsOf(registrations, gate),
    /** What there is to tell about clock and network. */
    notices: (): readonly Failure[] => [time.notice(), network.notice(), ...gate.notices()].filter((notice) => notice !== undefined),
    /** It is another time than was thought. */
    planAnew: () => {
      scheduler.planAnew();
      attention.planAnew();
    },
    settingsChanged: () => {
      scheduler.planAnew();
      attention.settingsChanged();
    },
    /** A person has done what the network wanted. */
    tryNetworkNow: () => gate.networkIsBack(),
    start: async (): Promise<void> => {
      stops = followEvents(parts, core, power);
      network.start();
      await scheduler.start();
      await attention.start();
    },
    /** Ends what goes on by itself; the rest is ended by whoever answers programs and the window. */
    stop: async (): Promise<void> => {
      for (const stop of stops) stop();
      scheduler.stop();
      network.close();
      await Promise.all([attention.stop(), revocation.shutDown(), refresher.shutDown()]);
    },
  };
}

/** Providers on this computer itself, as in the demo, need no network. */
function withLoopback(network: Network, targets: () => readonly string[]): Network {
  const areAllHere = () => targets().every((url) => isLoopbackHost(new URL(url).hostname));
  return { ...network, isOnline: () => network.isOnline() || areAllHere() };
}

/** Minutes since midnight where the computer is. */
function localMinutes(): number {
  const now = new Date();
  return now.getHours() * 60 + now.getMinutes();
}

function tokenEndpoints(registrations: Registrations): readonly string[] {
  return registrations.list().flatMap(({ provider, environment }) => registrations.endpoints(provider, environment)?.tokenEndpoint ?? []);
}
