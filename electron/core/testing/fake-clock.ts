/** A clock that stands still until a test moves it. */
import type { Clock } from "../ports.ts";

interface Timer {
  atMs: number;
  readonly callback: () => void;
}

/** Lets everything that waits for promises only go as far as it can. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class FakeClock implements Clock {
  #nowMs = 1_795_000_000_000;
  #setBackMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs = (): number => this.#nowMs;
  /** Goes on however often the wall clock is set back. */
  monotonicMs = (): number => this.#nowMs + this.#setBackMs;

  setTimer = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** The wall clock is set back by `ms`; timers run on as they were. */
  setBack(ms: number): void {
    this.#nowMs -= ms;
    this.#setBackMs += ms;
    for (const timer of this.#timers) timer.atMs -= ms;
  }

  /** How long from now each set timer fires, soonest first (milliseconds). */
  get waitsMs(): readonly number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Moves time on, firing timers in order, and waits for what they set going. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settled();
    }
    this.#nowMs = endMs;
    await settled();
  }
}
