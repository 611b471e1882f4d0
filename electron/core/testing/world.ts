/** The whole of core on fakes of its ports, wired as `compose.ts` wires it. */
import type { Result } from "../../../shared/result.ts";
import { type ConnectionView, connectionId } from "../../../shared/views.ts";
import { ConnectFlow } from "../connect-flow.ts";
import type { ConnectionKey, Grant, StoredState } from "../connection-state.ts";
import { Connections } from "../connections.ts";
import { NetworkState } from "../network-state.ts";
import type { Randomness } from "../ports.ts";
import { ProviderGate } from "../provider-gate.ts";
import { Refresher } from "../refresher.ts";
import { Registrations } from "../registrations.ts";
import { Revocation } from "../revocation.ts";
import { TokenBroker } from "../token-broker.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeNetwork } from "./fake-network.ts";
import { FakeBrowser, FakeCallbackEndpoint } from "./fake-sign-in.ts";
import { MemoryVault } from "./memory-vault.ts";
import { grantAt, mazda, registrationInput, webfleet } from "./records.ts";
import { ScriptedOAuthClient } from "./scripted-oauth-client.ts";

/** What survives a restart. */
export interface Lasting {
  readonly vault: MemoryVault;
  readonly clock: FakeClock;
}

export class World {
  readonly vault: MemoryVault;
  readonly clock: FakeClock;
  readonly oauth = new ScriptedOAuthClient();
  readonly callback = new FakeCallbackEndpoint();
  readonly browser = new FakeBrowser();
  readonly registrations: Registrations;
  readonly connections: Connections;
  /** What the system says about the network. */
  readonly system = new FakeNetwork();
  readonly network: NetworkState;
  readonly gate: ProviderGate;
  readonly refresher: Refresher;
  /** What every draw gives: 0 ≤ value < 1. */
  chance = 0;
  readonly random = () => this.chance;
  /** `TrustedTime.doubt`. */
  timeDoubt: () => Promise<void> | undefined = () => undefined;
  isSaving = () => false;
  /** When stored grants were obtained, as the scheduler has told. */
  readonly obtained: number[] = [];
  readonly onObtained = (atMs: number) => void this.obtained.push(atMs);
  readonly broker: TokenBroker;
  readonly connectFlow: ConnectFlow;
  readonly revocation: Revocation;
  /** Announced views, oldest first. */
  readonly views: ConnectionView[] = [];
  /** What would be in the audit log: `action outcome`. */
  readonly ended: string[] = [];

  constructor({ vault, clock }: Lasting) {
    this.vault = vault;
    this.clock = clock;
    const { oauth, browser, callback, ended, random } = this;
    const registrations = new Registrations(vault, [mazda, webfleet]);
    const connections = new Connections({ vault, clock, describe: (key) => registrations.describe(key) });
    const shared = { connections, registrations, oauth, clock };
    this.registrations = registrations;
    this.connections = connections;
    connections.onChanged((view) => this.views.push(view));
    const randomness = fakeRandomness();
    const targets = () => ["https://mazda.test/token"];
    const network = new NetworkState({ network: this.system, clock, targets });
    const gate = new ProviderGate({ clock, monotonicMs: clock.monotonicMs, random });
    const refresher = new Refresher({
      ...shared,
      randomness,
      random,
      gate,
      network,
      onRefreshed: (_key, outcome) => ended.push(`refresh ${outcome}`),
    });
    this.network = network;
    this.gate = gate;
    this.refresher = refresher;
    this.broker = new TokenBroker({ ...shared, refresher, network, timeDoubt: () => this.timeDoubt() });
    this.connectFlow = new ConnectFlow({ ...shared, callback, browser, onEnded: (_key, outcome) => ended.push(`connect ${outcome}`) });
    this.revocation = new Revocation({
      ...shared,
      connectFlow: this.connectFlow,
      broker: this.broker,
      gate,
      network,
      random,
      onEnded: (action, _key, outcome) => ended.push(`${action} ${outcome}`),
    });
  }

  /** Puts a record into the vault, as an earlier run would have left it. */
  store(key: ConnectionKey, state: StoredState, organisation?: string): void {
    const record = { key, connectedAtMs: this.clock.nowMs(), generation: 1, state };
    this.vault.connections.set(connectionId(key), organisation === undefined ? record : { ...record, organisation });
  }

  /** Stores an Active connection whose access token lasts an hour from now. */
  storeActive(key: ConnectionKey, changes: Partial<Grant> = {}): Grant {
    const grant = grantAt(this.clock.nowMs(), "old", changes);
    this.store(key, { kind: "Active", grant });
    return grant;
  }

  /** A grant as the provider would issue it now. */
  newGrant(name = "new", changes: Partial<Grant> = {}): Grant {
    return grantAt(this.clock.nowMs(), name, changes);
  }

  /** The access token served, or the code of the failure. */
  async token(key: ConnectionKey, minValiditySeconds = 60): Promise<string> {
    const served = await this.broker.getToken(key, minValiditySeconds);
    return served.ok ? served.value.grant.accessToken : served.error.code;
  }

  async view(key: ConnectionKey): Promise<ConnectionView> {
    return this.connections.view(valueOf(await this.connections.load(key)));
  }

  /** The same profile after the app was ended and started again. */
  async restarted(): Promise<World> {
    const world = new World(this);
    valueOf(await world.registrations.open());
    return world;
  }
}

/** A broker with a registration for each provider. */
export async function createWorld(): Promise<World> {
  const world = new World({ vault: new MemoryVault(), clock: new FakeClock() });
  valueOf(await world.registrations.open());
  valueOf(await world.registrations.save([registrationInput(), registrationInput({ provider: "webfleet", organisations: [] })]));
  return world;
}

export function fakeRandomness(): Randomness {
  let made = 0;
  const next = (name: string) => {
    made += 1;
    return `${name}-${made}`;
  };
  return { newId: () => next("id"), newSixDigits: () => "123456", newKey: () => next("key") };
}

/** The value of a success; throws, and so fails the test, on a failure. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`unexpected failure ${result.error.code}`);
  return result.value;
}

/** `ok`, or the failure's code. */
export function codeOf(result: Result<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}
