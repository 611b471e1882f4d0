/**
 * One time that can be trusted, out of several that cannot: the clock on the wall may be moved by a person, a dead battery or a
 * synchronisation; a monotonic clock knows no date; a provider's `Date` header (RFC 9110 section 6.6.1) comes now and then.
 *
 * Invariants: a jump of the wall clock moves this time nowhere, until a provider has said who is right; small steps (a
 * synchronisation at work) are followed; a sleep counts as the time it was; a provider whose time nobody else confirms
 * cannot move a time that another one has confirmed.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import type { Clock, TimeSources } from "./ports.ts";

/** Less than this apart, wall and monotonic clock only drift or are being synchronised: looked into no further. */
const unnoticedMs = 1_000;
/** A larger step of the wall clock is a jump. Synchronisation makes smaller ones, and token lives have room for them. */
const jumpMs = 60_000;
/** Uptime is told in whole seconds on some systems. */
const shortestSleepMs = 2_000;
/** Two times agree this close: `Date` has whole seconds, answers have a way to go, dealers' networks are slow. */
const agreeMs = 30_000;
/** From here on people are told. */
const toldMs = 5 * 60_000;
/** A grant obtained further in the future than this proves that the clock is behind. */
const futureMs = 5 * 60_000;
/** While in doubt the providers are asked again this often. */
const askAgainMs = 60_000;

export interface TrustedTimeDeps {
  readonly sources: TimeSources;
  readonly setTimer: Clock["setTimer"];
  /** Asks a provider for its time; what it tells comes in through `serverTold`. Answers whether one told. */
  readonly ask: () => Promise<boolean>;
  /** The time has moved otherwise than by passing, or there is something else to tell about it. */
  readonly onChanged: () => void;
}

export class TrustedTime {
  readonly #deps: TrustedTimeDeps;
  /** What is added to the wall clock. */
  #correctionMs = 0;
  #spreadMs: number;
  #monotonicMs: number;
  #uptimeMs: number;
  /** A provider has confirmed this time since the start. */
  #isConfirmed = false;
  #asking: Promise<void> | undefined;
  #isDoubtful = false;
  #isClosed = false;
  #stopTimer: () => void = () => undefined;
  /** Who has confirmed this time. */
  readonly #confirmedBy = new Set<string>();
  /** The correction that the last word would have needed which was not believed, and whose it was. */
  #unbelieved: { readonly source: string; readonly neededMs: number } | undefined;
  /** To core, it is its clock. */
  readonly clock: Clock;

  constructor(deps: TrustedTimeDeps) {
    this.#deps = deps;
    const { sources } = deps;
    this.#monotonicMs = sources.monotonicMs();
    this.#uptimeMs = sources.uptimeMs();
    this.#spreadMs = sources.wallMs() - this.#monotonicMs;
    this.clock = { nowMs: () => this.nowMs(), setTimer: deps.setTimer };
  }

  /** Unix time in milliseconds. */
  nowMs(): number {
    const { sources } = this.#deps;
    const wallMs = sources.wallMs();
    const spreadMs = wallMs - sources.monotonicMs();
    if (Math.abs(spreadMs - this.#spreadMs) > unnoticedMs) this.#look(wallMs);
    return wallMs + this.#correctionMs;
  }

  /** While a provider is being asked which of two times is right: settles when it has answered, or could not. */
  get doubt(): Promise<void> | undefined {
    return this.#isDoubtful ? this.#asking : undefined;
  }

  /** What the computer's clock must be corrected by, in milliseconds, where it is so wrong that people are told; else 0. */
  get toldCorrectionMs(): number {
    const isTold = this.#isConfirmed && !this.#isDoubtful && Math.abs(this.#correctionMs) > toldMs;
    return isTold ? this.#correctionMs : 0;
  }

  /** `clock_fast` or `clock_slow` when the computer's clock is off by more than five minutes and a provider has said so. */
  notice(): Failure | undefined {
    const correctionMs = this.toldCorrectionMs;
    if (correctionMs === 0) return undefined;
    return failure(correctionMs > 0 ? "clock_slow" : "clock_fast", { offset: offsetText(Math.abs(correctionMs)) });
  }

  /**
   * @param source whose word it is, such as the endpoint's address
   * @param dateMs a `Date` header that has just arrived, Unix milliseconds
   */
  serverTold(source: string, dateMs: number): void {
    // It has whole seconds, cut off.
    const toldAtMs = dateMs + 500;
    const nowMs = this.nowMs();
    const wallMs = nowMs - this.#correctionMs;
    const neededMs = Math.abs(toldAtMs - wallMs) <= agreeMs ? 0 : toldAtMs - wallMs;
    const isOther = Math.abs(toldAtMs - nowMs) > agreeMs;
    if (isOther && !this.#isBelievable(source, neededMs)) {
      this.#unbelieved = { source, neededMs };
      return;
    }
    if (isOther) this.#confirmedBy.clear();
    this.#confirmedBy.add(source);
    const isNews = this.#isDoubtful || !this.#isConfirmed || Math.abs(neededMs - this.#correctionMs) > agreeMs;
    // Within what a header can tell, what is there is more exact than what was told.
    if (neededMs === 0 || isOther) this.#correctionMs = neededMs;
    this.#isConfirmed = true;
    this.#unbelieved = undefined;
    this.#endDoubt();
    if (isNews) this.#deps.onChanged();
  }

  /** A grant was obtained at `atMs`: it cannot be earlier now. Tells of a clock that was set back while the app did not run. */
  notBefore(atMs: number): void {
    const behindMs = atMs - this.nowMs();
    if (this.#isConfirmed || behindMs <= futureMs) return;
    this.#correctionMs += behindMs;
    this.#beginDoubt();
    this.#deps.onChanged();
  }

  /**
   * The network is there: asks a provider, unless one has confirmed this time already. Nobody waits for that where there is no
   * doubt; a clock that was wrong all along is found out by it.
   */
  networkIsThere(): void {
    if ((this.#isDoubtful || !this.#isConfirmed) && this.#asking === undefined) this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#endDoubt();
  }

  /** The wall clock and the monotonic one no longer move together: the computer has slept, or somebody has set the clock. */
  #look(wallMs: number): void {
    const { sources } = this.#deps;
    const monotonicMs = sources.monotonicMs();
    const uptimeMs = sources.uptimeMs();
    const missedMs = uptimeMs - this.#uptimeMs - (monotonicMs - this.#monotonicMs);
    const sleptMs = missedMs >= shortestSleepMs ? missedMs : 0;
    const stepMs = wallMs - monotonicMs - this.#spreadMs - sleptMs;
    this.#spreadMs = wallMs - monotonicMs;
    this.#monotonicMs = monotonicMs;
    this.#uptimeMs = uptimeMs;
    if (Math.abs(stepMs) <= jumpMs) return;
    this.#correctionMs -= stepMs;
    this.#beginDoubt();
    this.#deps.onChanged();
  }

  #isBelievable(source: string, neededMs: number): boolean {
    if (!this.#isConfirmed || this.#isDoubtful) return true;
    // The computer's own clock says the same.
    if (neededMs === 0) return true;
    // What the computer and a provider agree on is not given up for another one's word.
    if (Math.abs(this.#correctionMs) <= agreeMs) return false;
    const before = this.#unbelieved;
    if (before === undefined || Math.abs(before.neededMs - neededMs) > agreeMs) return false;
    // Two say the same; or nobody else has ever confirmed what this one takes back.
    const isOnlyWitness = this.#confirmedBy.size === 1 && this.#confirmedBy.has(source);
    return before.source !== source || isOnlyWitness;
  }

  #beginDoubt(): void {
    this.#isDoubtful = true;
    if (this.#asking === undefined) this.#ask();
  }

  #endDoubt(): void {
    this.#isDoubtful = false;
    this.#stopTimer();
  }

  #ask(): void {
    this.#stopTimer();
    if (this.#isClosed) return;
    const asking = this.#deps.ask().then(
      () => this.#asked(),
      () => this.#asked(),
    );
    this.#asking = asking;
  }

  /** If it is still not known who is right, time goes on as it went. */
  #asked(): void {
    this.#asking = undefined;
    if (!this.#isDoubtful || this.#isClosed) return;
    this.#stopTimer = this.#deps.setTimer(askAgainMs, () => this.#ask());
  }
}

/** Days, hours and minutes in signs that need no translation, such as `2 h 05 min`. */
function offsetText(offsetMs: number): string {
  const minutes = Math.round(offsetMs / 60_000);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const twoDigits = String(minutes % 60).padStart(2, "0");
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${twoDigits} min` : `${minutes} min`;
}
