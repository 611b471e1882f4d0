/**
 * The programs and people of the simulation: they ask for tokens while the computer is awake, try again until they are served,
 * and sign in again where they are asked to.
 *
 * Invariant: how long somebody goes unserved is counted only while the grant lives and its provider could be reached.
 */
import type { ConnectionKey } from "../../electron/core/connection-state.ts";
import type { SimulatedApp } from "./simulated-app.ts";
import type { SimulatedComputer } from "./simulated-computer.ts";
import type { SimulatedProviders } from "./simulated-provider.ts";

/** How soon a program asks again that was not served. */
const askAgainMs = 1_000;
/** The same while nobody could serve it: more would only cost the simulation time. */
const patientlyMs = 30_000;

/** A program that wants a token. */
interface Waiting {
  readonly key: ConnectionKey;
  /** Since when it could have been served (true time); undefined: not now. */
  sinceMs: number | undefined;
  stopTimer: () => void;
}

export interface ProgramsParts {
  readonly computer: SimulatedComputer;
  readonly providers: SimulatedProviders;
  readonly app: () => SimulatedApp;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  readonly keys: readonly ConnectionKey[];
  /** Between two requests of all programs, in milliseconds. */
  readonly askEveryMs: number;
}

export class SimulatedPrograms {
  readonly #parts: ProgramsParts;
  readonly #waiting = new Map<string, Waiting>();
  asked = 0;
  served = 0;
  expiredServed = 0;
  longestUnservedMs = 0;

  constructor(parts: ProgramsParts) {
    this.#parts = parts;
  }

  /** Begins to ask, and goes on until the computer's timers are cleared. */
  start(): void {
    const { computer, askEveryMs } = this.#parts;
    const next = () => {
      computer.setTimer(askEveryMs * (0.5 + this.#parts.random()), () => {
        next();
        const key = this.#parts.keys[Math.floor(this.#parts.random() * this.#parts.keys.length)];
        if (key !== undefined && !this.#waiting.has(nameOf(key))) this.#begin(key);
      });
    };
    next();
  }

  #begin(key: ConnectionKey): void {
    const sinceMs = this.#couldBeServed(key) ? this.#parts.computer.trueMs : undefined;
    const waiting = { key, sinceMs, stopTimer: () => undefined };
    this.#waiting.set(nameOf(key), waiting);
    void this.#ask(waiting);
  }

  /** The computer slept, a provider or the network went or came: whoever waits is counted from now, and asks again soon. */
  countAnew(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.sinceMs = this.#couldBeServed(waiting.key) ? this.#parts.computer.trueMs : undefined;
      this.#askLater(waiting, askAgainMs);
    }
  }

  async #ask(waiting: Waiting): Promise<void> {
    const { providers, app } = this.#parts;
    const { key } = waiting;
    this.asked += 1;
    const running = app();
    const got = await running.broker.getToken(key, 60);
    // An app that has ended answers nobody; the next one was asked already.
    if (app() !== running) return;
    this.#count(waiting);
    if (!got.ok && providers.isLive(key)) return this.#askLater(waiting, this.#couldBeServed(key) ? askAgainMs : patientlyMs);
    this.#waiting.delete(nameOf(key));
    if (!got.ok) return;
    this.served += 1;
    if (!providers.accepts(key, got.value.grant.accessToken)) this.expiredServed += 1;
  }

  #askLater(waiting: Waiting, ms: number): void {
    waiting.stopTimer();
    waiting.stopTimer = this.#parts.computer.setTimer(ms, () => void this.#ask(waiting));
  }

  /** Adds up how long this one has gone unserved while it could have been served. */
  #count(waiting: Waiting): void {
    const { trueMs } = this.#parts.computer;
    const isServable = this.#couldBeServed(waiting.key);
    if (isServable && waiting.sinceMs !== undefined) this.longestUnservedMs = Math.max(this.longestUnservedMs, trueMs - waiting.sinceMs);
    waiting.sinceMs = isServable ? (waiting.sinceMs ?? trueMs) : undefined;
  }

  #couldBeServed(key: ConnectionKey): boolean {
    return this.#parts.providers.isReachable(key.provider) && this.#parts.providers.isLive(key);
  }
}

function nameOf({ provider, user }: ConnectionKey): string {
  return `${provider}/${user}`;
}
