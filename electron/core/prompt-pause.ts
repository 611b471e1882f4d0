/**
 * How long programs must wait before a person is asked again. Invariant: every prompt that ends without an approval makes
 * the next wait longer, for its program and, less steeply, for all: neither repeating nor renaming wears anybody down.
 */

/** After the first refusal. */
const firstPauseMs = 10_000;
const programPause = { growth: 4, longestMs: 60 * 60_000 };
const everybodysPause = { growth: 2, longestMs: 10 * 60_000 };
/** What happened longer ago no longer counts. */
const forgottenAfterMs = 2 * 60 * 60_000;
/** Bounds what a program that renames itself each time can make the broker remember. */
const maxPrograms = 256;

interface Strikes {
  readonly count: number;
  readonly lastMs: number;
}

export class PromptPause {
  #everybody: Strikes | undefined;
  readonly #programs = new Map<string, Strikes>();

  /** Milliseconds this program has to wait now; 0 or less: none. */
  remainingMs(program: string, nowMs: number): number {
    const everybodyMs = remainingMs(this.#everybody, everybodysPause, nowMs);
    return Math.max(everybodyMs, remainingMs(this.#programs.get(program), programPause, nowMs));
  }

  /** A prompt of this program was denied, ran out, or was withdrawn. */
  notApproved(program: string, nowMs: number): void {
    this.#everybody = oneMore(this.#everybody, nowMs);
    const strikes = oneMore(this.#programs.get(program), nowMs);
    this.#programs.delete(program);
    this.#programs.set(program, strikes);
    const [oldest] = this.#programs.keys();
    if (this.#programs.size > maxPrograms && oldest !== undefined) this.#programs.delete(oldest);
  }

  /** A person has blocked whoever asked: the others begin anew. */
  blocked(): void {
    this.#everybody = undefined;
  }

  /** A person approved this program: it and everybody begin anew. */
  approved(program: string): void {
    this.#everybody = undefined;
    this.#programs.delete(program);
  }
}

function oneMore(before: Strikes | undefined, nowMs: number): Strikes {
  const counts = before !== undefined && nowMs - before.lastMs < forgottenAfterMs;
  return { count: (counts ? before.count : 0) + 1, lastMs: nowMs };
}

function remainingMs(strikes: Strikes | undefined, pause: typeof programPause, nowMs: number): number {
  if (strikes === undefined) return 0;
  const pauseMs = Math.min(firstPauseMs * pause.growth ** (strikes.count - 1), pause.longestMs);
  // A clock that was set back must not make the pause longer.
  return Math.min(strikes.lastMs + pauseMs - nowMs, pauseMs);
}
