/**
 * A computer whose time is made by the simulation: its clocks, its timers, its sleep and its network.
 *
 * Invariants: timers fire in order and stand still while it sleeps, as Node's do on Linux; the wall clock shows the true time
 * plus whatever somebody has done to it; nothing here ever waits for real time.
 */
import { DueQueue } from "../../electron/core/due-queue.ts";
import type { Clock, Network, Power, TimeSources } from "../../electron/core/ports.ts";

type PowerEvent = Parameters<Parameters<Power["onEvent"]>[0]>[0];

interface Timer {
  readonly callback: () => void;
}

export class SimulatedComputer {
  /** Unix time in milliseconds that a perfect clock would show. */
  trueMs: number;
  /** What the wall clock is off by. */
  wallOffMs = 0;
  #monotonicMs = 0;
  #uptimeMs = 0;
  #isCableIn = true;
  /** Names resolve from then on, in true time: a network takes a moment after a sleep. */
  #namesFromMs = 0;
  readonly #timers = new DueQueue<Timer>();
  readonly #networkListeners = new Set<() => void>();
  readonly #powerListeners = new Set<(event: PowerEvent) => void>();
  isSaving = false;

  constructor(startMs: number) {
    this.trueMs = startMs;
  }

  readonly sources: TimeSources = {
    wallMs: () => Math.floor(this.trueMs + this.wallOffMs),
    monotonicMs: () => this.#monotonicMs,
    uptimeMs: () => this.#uptimeMs,
  };

  readonly setTimer: Clock["setTimer"] = (delayMs, callback) => {
    const timer = { callback };
    // Whole milliseconds: fractions of them get lost beside the date.
    this.#timers.set(timer, this.#monotonicMs + Math.max(1, Math.ceil(delayMs)));
    return () => this.#timers.delete(timer);
  };

  readonly network: Network = {
    isOnline: () => this.#isCableIn,
    canReach: async () => this.hasNetwork,
    onChanged: (listener) => {
      this.#networkListeners.add(listener);
      return () => this.#networkListeners.delete(listener);
    },
  };

  readonly power: Power = {
    isSaving: () => this.isSaving,
    onEvent: (listener) => {
      this.#powerListeners.add(listener);
      return () => this.#powerListeners.delete(listener);
    },
  };

  /** Whether requests can leave this computer. */
  get hasNetwork(): boolean {
    return this.#isCableIn && this.trueMs >= this.#namesFromMs;
  }

  setCable(isIn: boolean): void {
    this.#isCableIn = isIn;
    for (const listener of this.#networkListeners) listener();
  }

  tellPower(event: PowerEvent): void {
    for (const listener of this.#powerListeners) listener(event);
  }

  /** Sleeps for `ms`; uptime counts on, timers do not. Names resolve `networkAfterMs` after it wakes up. */
  sleep(ms: number, networkAfterMs: number): void {
    this.tellPower("suspend");
    this.trueMs += ms;
    this.#uptimeMs += ms;
    this.#namesFromMs = this.trueMs + networkAfterMs;
    this.tellPower("resume");
  }

  /** A virtual machine that is stopped and goes on: none of its clocks has counted, the host then corrects the wall clock. */
  stop(ms: number): void {
    this.trueMs += ms;
  }

  /** The app has ended: its timers are gone. */
  clearTimers(): void {
    this.#timers.clear();
  }

  /** True time of the next timer; undefined if none is set. */
  get nextTimerMs(): number | undefined {
    const atMs = this.#timers.firstAtMs;
    return atMs === undefined ? undefined : this.trueMs + (atMs - this.#monotonicMs);
  }

  /** Lets time pass until `trueMs`, which must not be after the next timer, and fires every timer that is due then. */
  passUntil(trueMs: number): void {
    const passedMs = Math.max(0, trueMs - this.trueMs);
    this.trueMs += passedMs;
    this.#monotonicMs += passedMs;
    this.#uptimeMs += passedMs;
    for (let timer = this.#timers.take(this.#monotonicMs); timer !== undefined; timer = this.#timers.take(this.#monotonicMs))
      timer.callback();
  }
}
