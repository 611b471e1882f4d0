/** The product's own core on a simulated computer, as `electron/compose-engine.ts` wires it; only vault and providers are stand-ins. */
import type { ConnectionKey } from "../../electron/core/connection-state.ts";
import { Connections } from "../../electron/core/connections.ts";
import { NetworkState } from "../../electron/core/network-state.ts";
import type { OAuthClient, Vault } from "../../electron/core/ports.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { ProviderGate } from "../../electron/core/provider-gate.ts";
import { RefreshScheduler } from "../../electron/core/refresh-scheduler.ts";
import { Refresher } from "../../electron/core/refresher.ts";
import { Registrations } from "../../electron/core/registrations.ts";
import { TokenBroker } from "../../electron/core/token-broker.ts";
import { TrustedTime } from "../../electron/core/trusted-time.ts";
import type { ConnectionView } from "../../shared/views.ts";
import type { SimulatedComputer } from "./simulated-computer.ts";

export interface SimulatedAppParts {
  readonly computer: SimulatedComputer;
  readonly vault: Vault;
  readonly oauth: OAuthClient;
  readonly providers: readonly ProviderDefinition[];
  readonly random: () => number;
  readonly onConnectionChanged: (view: ConnectionView) => void;
}

/** One run of the app, from its start to its end. */
export interface SimulatedApp {
  readonly connections: Connections;
  readonly broker: TokenBroker;
  readonly time: TrustedTime;
  /** Ends it at once, as a power cut would: nothing is finished. */
  readonly kill: () => void;
}

export async function startSimulatedApp(parts: SimulatedAppParts): Promise<SimulatedApp> {
  const { computer, vault, oauth, random } = parts;
  const registrations = new Registrations(vault, parts.providers);
  const opened = await registrations.open();
  if (!opened.ok) throw new Error("the simulated vault does not open");
  const time = new TrustedTime({
    sources: computer.sources,
    setTimer: computer.setTimer,
    ask: async () => {
      for (const { provider, environment } of registrations.list()) {
        const client = await registrations.resolve(provider, environment);
        if (client.ok && (await oauth.askServerTime(client.value, new AbortController().signal))) return true;
      }
      return false;
    },
    onChanged: () => scheduler?.planAnew(),
  });
  const { clock } = time;
  const connections = new Connections({ vault, clock, describe: (key) => registrations.describe(key) });
  connections.onChanged(parts.onConnectionChanged);
  const targets = () => ["https://provider.test/token"];
  const network = new NetworkState({ network: computer.network, clock, targets });
  const gate = new ProviderGate({ clock, monotonicMs: computer.sources.monotonicMs, random });
  const shared = { connections, registrations, oauth, clock };
  const randomness = { newId: () => "id", newSixDigits: () => "000000", newKey: () => "key" };
  const refresher = new Refresher({ ...shared, randomness, random, gate, network, onRefreshed: () => undefined });
  const broker = new TokenBroker({ ...shared, refresher, network, timeDoubt: () => time.doubt });
  let scheduler: RefreshScheduler | undefined;
  scheduler = new RefreshScheduler({
    ...shared,
    refresher,
    network,
    random,
    isSaving: computer.power.isSaving,
    onObtained: (atMs) => time.notBefore(atMs),
  });
  const stops = [
    network.onChanged(() => {
      if (!network.isUsable) return;
      gate.networkIsBack();
      time.networkIsThere();
    }),
    computer.power.onEvent((event) => {
      if (event === "suspend") return network.suspend();
      if (event === "resume") network.resume();
      scheduler?.planAnew();
    }),
  ];
  network.start();
  await scheduler.start();
  return {
    connections,
    broker,
    time,
    kill: () => {
      for (const stop of stops) stop();
      scheduler?.stop();
      network.close();
      time.close();
      computer.clearTimers();
    },
  };
}

/** A key of the simulation. */
export function simulatedKey(number: number): ConnectionKey {
  return { provider: number % 2 === 0 ? "mazda" : "webfleet", environment: "production", user: `user-${number}` };
}
