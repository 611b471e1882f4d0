/**
 * Days of a workstation's life in seconds: the product's own policy, state machine and scheduler on a clock that the simulation
 * moves. Invariant: nothing of the product is replaced but vault, providers, clocks and network.
 */
import type { ConnectionKey } from "../../electron/core/connection-state.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { usualRequestsPerSecond } from "../../electron/core/provider-gate.ts";
import { MemoryVault } from "../../electron/core/testing/memory-vault.ts";
import { provider as mazda } from "../../electron/oauth/providers/mazda.ts";
import { provider as webfleet } from "../../electron/oauth/providers/webfleet.ts";
import { assertNever } from "../../shared/result.ts";
import { type ConnectionView, connectionId } from "../../shared/views.ts";
import { createRandom, type Random } from "../crash/random.ts";
import { calendar, type Dated, type Happening } from "./calendar.ts";
import { SimulatedPrograms } from "./programs.ts";
import { RequestCounts } from "./request-counts.ts";
import { type SimulatedApp, simulatedKey, startSimulatedApp } from "./simulated-app.ts";
import { SimulatedComputer } from "./simulated-computer.ts";
import { SimulatedProviders } from "./simulated-provider.ts";

export interface SimulationOptions {
  readonly days: number;
  readonly connections: number;
  readonly seed: number;
  /** Told after each day. */
  readonly onDay?: (day: number) => void;
  /** Breaks something on purpose, so that a test can see it found. */
  readonly sabotage?: "no-cap" | "outage-taken-for-logout" | "deaf-to-time";
}

export interface SimulationResult {
  readonly refreshesPerConnectionPerDay: number;
  readonly maxRefreshesPerSecond: number;
  /** Requests that were one too many in their second. */
  readonly storms: number;
  /** Connections told to sign in again whose grant the server would have renewed. */
  readonly falseReconnects: number;
  readonly longestUnservedSeconds: number;
  readonly asked: number;
  readonly served: number;
  /** Tokens given out that an API would not have taken. */
  readonly expiredServed: number;
  /** Grants that had really ended, and were signed in again. */
  readonly reconnects: number;
}

const dayMs = 86_400_000;
/** A Monday. */
const startMs = Date.UTC(2026, 0, 5);
/** After a person was told, it takes them a while. */
const reconnectMs = 10 * 60_000;

/** Runs it. The same options give the same result. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  await simulation.begin();
  await live(simulation.computer, calendar(options.days, simulation.random), options, (happening) => simulation.happen(happening));
  return simulation.end();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly random: Random;
  readonly computer = new SimulatedComputer(startMs);
  readonly #counts = new RequestCounts(usualRequestsPerSecond);
  readonly #vault = new MemoryVault();
  readonly #definitions: readonly ProviderDefinition[];
  readonly #providers: SimulatedProviders;
  readonly #programs: SimulatedPrograms;
  readonly #keys: readonly ConnectionKey[];
  #app: SimulatedApp | undefined;
  #falseReconnects = 0;
  #reconnects = 0;

  constructor(options: SimulationOptions) {
    const { computer } = this;
    this.#options = options;
    this.random = createRandom(options.seed);
    this.#keys = Array.from({ length: options.connections }, (_, number) => simulatedKey(number));
    this.#definitions = [mazda, webfleet].map((definition) => sabotaged(definition, options.sabotage));
    const random = this.random.fraction;
    this.#providers = new SimulatedProviders({
      computer,
      counts: this.#counts,
      random,
      lostAnswers: 0.000_02,
      onServerTime: (provider, dateMs) => {
        if (options.sabotage !== "deaf-to-time") this.#app?.time.serverTold(provider, dateMs);
      },
      nowMs: () => this.#app?.time.nowMs() ?? computer.trueMs,
      isOutageTakenForLogout: options.sabotage === "outage-taken-for-logout",
    });
    // Each connection is asked for twice an hour.
    const askEveryMs = 1_800_000 / options.connections;
    this.#programs = new SimulatedPrograms({
      computer,
      providers: this.#providers,
      app: () => this.#app ?? notStarted(),
      random,
      keys: this.#keys,
      askEveryMs,
    });
  }

  async begin(): Promise<void> {
    await register(this.#vault, this.#definitions);
    for (const key of this.#keys) {
      const state = { kind: "Active", grant: this.#providers.signIn(key) } as const;
      this.#vault.connections.set(connectionId(key), { key, connectedAtMs: startMs, generation: 1, state });
    }
    await this.#start();
    this.#programs.start();
  }

  async happen(happening: Happening): Promise<void> {
    const { computer } = this;
    this.#programs.countAnew();
    switch (happening.kind) {
      case "sleep":
        return computer.sleep(happening.ms, happening.networkAfterMs);
      case "stopped-machine":
        return computer.stop(happening.ms);
      case "wall-clock":
        computer.wallOffMs = happening.offMs;
        return;
      case "cable":
        return computer.setCable(happening.isIn);
      case "saving":
        computer.isSaving = happening.isOn;
        return computer.tellPower("saving-changed");
      case "outage":
        if (happening.outage === undefined) this.#providers.outages.delete(happening.provider);
        else this.#providers.outages.set(happening.provider, happening.outage);
        return;
      case "restart":
        this.#app?.kill();
        computer.wallOffMs = happening.offMs;
        await this.#start();
        this.#programs.start();
        // Those who waited ask the new one.
        return this.#programs.countAnew();
      default:
        assertNever(happening);
    }
  }

  end(): SimulationResult {
    this.#app?.kill();
    const counts = this.#counts;
    const programs = this.#programs;
    return {
      refreshesPerConnectionPerDay: counts.all / this.#options.connections / this.#options.days,
      maxRefreshesPerSecond: counts.mostPerSecond,
      storms: counts.storms,
      falseReconnects: this.#falseReconnects,
      longestUnservedSeconds: programs.longestUnservedMs / 1000,
      asked: programs.asked,
      served: programs.served,
      expiredServed: programs.expiredServed,
      reconnects: this.#reconnects,
    };
  }

  async #start(): Promise<void> {
    // Each refresh is an operation of the vault or two: what it remembers of them would fill the memory.
    this.#vault.calls.length = 0;
    this.#app = await startSimulatedApp({
      computer: this.computer,
      vault: this.#vault,
      oauth: this.#providers,
      providers: this.#definitions,
      random: this.random.fraction,
      onConnectionChanged: (view) => this.#changed(view),
    });
    for (const { key, state } of this.#vault.connections.values()) {
      if (state.kind === "ReconnectRequired") this.#signInAgainLater(key);
    }
  }

  #changed(view: ConnectionView): void {
    if (view.state !== "ReconnectRequired") return;
    if (this.#providers.isLive(view)) this.#falseReconnects += 1;
    this.#signInAgainLater(view);
  }

  #signInAgainLater(key: ConnectionKey): void {
    this.computer.setTimer(reconnectMs, () => void this.#signInAgain(key));
  }

  async #signInAgain(key: ConnectionKey): Promise<void> {
    const loaded = await this.#app?.connections.load(key);
    const live = loaded?.ok === true ? loaded.value : undefined;
    if (live?.record?.state.kind !== "ReconnectRequired") return;
    this.#reconnects += 1;
    await this.#app?.connections.commit(live, live.record.generation, { kind: "Active", grant: this.#providers.signIn(live.key) });
  }
}

/** Lets time pass from timer to timer and from happening to happening. */
async function live(
  computer: SimulatedComputer,
  happenings: readonly Dated[],
  { days, onDay }: SimulationOptions,
  happen: (happening: Happening) => Promise<void>,
): Promise<void> {
  const endMs = startMs + days * dayMs;
  let next = 0;
  let day = 0;
  while (computer.trueMs < endMs) {
    const dated = happenings[next];
    const happensMs = dated === undefined ? endMs : startMs + dated.atMs;
    const timerMs = computer.nextTimerMs ?? endMs;
    if (dated !== undefined && happensMs <= timerMs) {
      next += 1;
      const isMissed = computer.trueMs > happensMs;
      computer.passUntil(Math.max(computer.trueMs, happensMs));
      // What the world did meanwhile has happened; what this computer would have done has not.
      if (!isMissed || !isOwn(dated.happening)) await happen(dated.happening);
    } else {
      computer.passUntil(Math.min(timerMs, endMs));
    }
    await settled();
    for (; startMs + (day + 1) * dayMs <= computer.trueMs; day += 1) onDay?.(day + 1);
  }
}

function isOwn({ kind }: Happening): boolean {
  return kind === "sleep" || kind === "restart" || kind === "stopped-machine";
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function register(vault: MemoryVault, definitions: readonly ProviderDefinition[]): Promise<void> {
  await vault.saveRegistrations(
    definitions.map(({ id }) => ({
      registration: {
        provider: id,
        environment: "production",
        clientId: "client",
        hasClientSecret: true,
        redirectUris: ["http://127.0.0.1/callback"],
        organisations: [],
      },
      clientSecret: "secret",
    })),
  );
}

function sabotaged(definition: ProviderDefinition, sabotage: SimulationOptions["sabotage"]): ProviderDefinition {
  return sabotage === "no-cap" ? { ...definition, maxRequestsPerSecond: 10_000 } : definition;
}

function notStarted(): never {
  throw new Error("the simulated app does not run");
}
