/** One connection as programs know it, and what has to be found out about it. */
import type { Who } from "./ledger.ts";

/** A time in which programs asked and got nothing. */
export interface Gap {
  readonly lastedMs: number;
  /** What they were answered, oldest first, each only once. */
  readonly refusals: readonly string[];
}

export class SoakConnection {
  readonly who: Who;
  readonly #refusals = new Set<string>();
  #lastServedAtMs: number | undefined;
  #isWaitingForPerson = true;

  constructor(who: Who) {
    this.who = who;
  }

  /** A program was handed a token. Returns the time without one that this ends, unless a person had to act meanwhile. */
  served(nowMs: number): Gap | undefined {
    const lastedMs = this.#lastServedAtMs === undefined || this.#isWaitingForPerson ? 0 : nowMs - this.#lastServedAtMs;
    const refusals = [...this.#refusals];
    this.#refusals.clear();
    this.#lastServedAtMs = nowMs;
    this.#isWaitingForPerson = false;
    // A connection that nobody has asked for is not without.
    return lastedMs === 0 || refusals.length === 0 ? undefined : { lastedMs, refusals };
  }

  /** A program was refused. */
  refused(detail: string): void {
    this.#refusals.add(detail);
  }

  /** The app asks for a person. Returns whether that is news of a connection that was served before. */
  needsPerson(): boolean {
    const wasServed = !this.#isWaitingForPerson;
    this.#isWaitingForPerson = true;
    return wasServed;
  }
}
