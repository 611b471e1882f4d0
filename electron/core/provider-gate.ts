/**
 * Lets refresh requests out to the providers: never more than a provider's cap in any second, callers before the background,
 * and none for a while to a provider that only fails (a circuit breaker).
 *
 * Invariants, for each provider environment ("lane", and nothing that one meets touches another): in every second at most
 * `maxRequestsPerSecond` passes; at most `maxInFlight` at a time; while it is paused nothing passes, and after the pause one request first tries whether it is back.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Environment, ProviderPause } from "../../shared/views.ts";
import { createEmitter } from "./emitter.ts";
import { isNetworkTrouble } from "./network-state.ts";
import type { Clock, ResolvedClient } from "./ports.ts";

/** What a provider's server takes without noticing; a workstation with 5,000 connections is through in five minutes. */
export const usualRequestsPerSecond = 20;
/**
 * Chromium opens at most six connections to a host: a request beyond that would wait inside, unsent, until its time is up,
 * and would count as lost.
 */
const maxInFlight = 6;
/** The rest stays free for callers. */
const maxBackgroundInFlight = 4;
/** As many at once as may be under way; the rest of the cap flows evenly. */
const burstShare = 0.3;
/** A program's own time limit is 30 seconds as a rule. */
const longestCallerWaitMs = 20_000;
/** One failure may be chance, and so may two. */
const failuresToPause = 5;
const firstPauseMs = 5_000;
const longestPauseMs = 60_000;

export type Urgency = "caller" | "background";

/** The right to send one request. One of the two must be called, once. */
export interface Pass {
  /** The request was sent: with why it failed, or nothing. */
  readonly done: (failed: Failure | undefined) => void;
  /** It was not sent after all. */
  readonly unused: () => void;
}

/** A place in the queue. */
export interface Ticket {
  /** Fails with `provider_paused`, `requests_capped` or `shutting_down`. */
  readonly pass: Promise<Result<Pass>>;
  /** A program waits for it now. */
  readonly promote: () => void;
}

export interface ProviderLane {
  readonly provider: string;
  readonly environment: Environment;
  readonly providerName: string;
  readonly maxRequestsPerSecond?: number | undefined;
}

/** The lane that a client's requests go in. */
export function laneOf({ provider, environment }: ResolvedClient): ProviderLane {
  return { provider: provider.id, environment, providerName: provider.name, maxRequestsPerSecond: provider.maxRequestsPerSecond };
}

export interface ProviderGateDeps {
  readonly clock: Clock;
  /** A clock that is never set, in milliseconds: the cap holds whatever time it is. */
  readonly monotonicMs: () => number;
  /** 0 ≤ value < 1, for jitter. */
  readonly random: () => number;
}

interface Waiting {
  urgency: Urgency;
  readonly settle: (pass: Result<Pass>) => void;
  stopTimer: () => void;
}

interface Lane {
  readonly providerName: string;
  /** What the bucket holds, and what flows into it in a second: together the cap, so no second can see more. */
  readonly burst: number;
  readonly perSecond: number;
  tokens: number;
  filledAtMs: number;
  readonly callers: Set<Waiting>;
  readonly background: Set<Waiting>;
  inFlight: number;
  backgroundInFlight: number;
  failures: number;
  pauses: number;
  pause: (ProviderPause & { readonly isOver: boolean }) | undefined;
  /** Set while one request tries whether the provider is back. */
  isTrying: boolean;
  stopTimer: () => void;
}

export class ProviderGate {
  readonly #deps: ProviderGateDeps;
  readonly #lanes = new Map<string, Lane>();
  readonly #changed = createEmitter<undefined>();
  /** A provider was paused or is back. */
  readonly onChanged = this.#changed.listen;
  #isClosed = false;

  constructor(deps: ProviderGateDeps) {
    this.#deps = deps;
  }

  /** Waits for a turn. */
  enter(of: ProviderLane, urgency: Urgency): Ticket {
    const lane = this.#lane(of);
    if (this.#isClosed) return refused(failure("shutting_down"));
    const paused = this.#whyPaused(lane);
    if (paused !== undefined) return refused(paused);
    const { promise, resolve } = Promise.withResolvers<Result<Pass>>();
    const waiting: Waiting = { urgency, settle: resolve, stopTimer: () => undefined };
    this.#queueOf(lane, urgency).add(waiting);
    if (urgency === "caller") this.#limitWait(lane, waiting);
    this.#pump(lane);
    return { pass: promise, promote: () => this.#promote(lane, waiting) };
  }

  /** Why a provider is not asked just now, and when it will be; undefined while all is well. */
  pauseOf(provider: string, environment: Environment): ProviderPause | undefined {
    const pause = this.#lanes.get(laneId(provider, environment))?.pause;
    if (pause === undefined) return undefined;
    const { isOver: _, nextTryAtMs, ...view } = pause;
    return { ...view, nextTryAtMs: Math.min(nextTryAtMs, this.#deps.clock.nowMs() + longestPauseMs) };
  }

  /** What people should know about the way to the providers, each thing once: a sign-in page of the network, a proxy, a date. */
  notices(): readonly Failure[] {
    const failures = [...this.#lanes.values()].flatMap(({ pause }) => pause?.failure ?? []);
    const troubles = failures.filter(({ code }) => isNetworkTrouble(code) && code !== "network_offline");
    return [...new Map(troubles.map((trouble) => [`${trouble.code} ${String(trouble.params["proxy"])}`, trouble])).values()];
  }

  /** The network is back, or a person has done what it wanted: whoever is paused because of it is tried at once. */
  networkIsBack(): void {
    for (const lane of this.#lanes.values()) {
      if (lane.pause === undefined || !isNetworkTrouble(lane.pause.failure.code)) continue;
      lane.stopTimer();
      lane.pauses = 0;
      lane.pause = { ...lane.pause, nextTryAtMs: this.#deps.clock.nowMs(), isOver: true };
      this.#changed.emit(undefined);
      this.#pump(lane);
    }
  }

  /** Answers everybody who waits with `shutting_down`. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) {
      lane.stopTimer();
      this.#refuseAll(lane, failure("shutting_down"));
    }
  }

  #promote(lane: Lane, waiting: Waiting): void {
    if (waiting.urgency === "caller" || !lane.background.delete(waiting)) return;
    waiting.urgency = "caller";
    lane.callers.add(waiting);
    this.#limitWait(lane, waiting);
    this.#pump(lane);
  }

  #limitWait(lane: Lane, waiting: Waiting): void {
    waiting.stopTimer = this.#deps.clock.setTimer(longestCallerWaitMs, () => {
      if (!lane.callers.delete(waiting)) return;
      const retryAfterSeconds = Math.ceil(lane.callers.size / lane.perSecond) + 1;
      waiting.settle(err(failure("requests_capped", { provider: lane.providerName }, { retryAfterSeconds })));
    });
  }

  #pump(lane: Lane): void {
    for (;;) {
      const next = this.#next(lane);
      if (next === undefined) return;
      this.#queueOf(lane, next.urgency).delete(next);
      next.stopTimer();
      lane.tokens -= 1;
      this.#letOut(lane, next);
    }
  }

  /** Who may go now; sets a timer when only the cap is in the way. */
  #next(lane: Lane): Waiting | undefined {
    if (lane.pause !== undefined && (!lane.pause.isOver || lane.isTrying)) return undefined;
    const [caller] = lane.callers;
    const [background] = lane.background;
    const mayBackground = lane.backgroundInFlight < maxBackgroundInFlight;
    const next = caller ?? (mayBackground ? background : undefined);
    if (next === undefined || lane.inFlight >= maxInFlight) return undefined;
    this.#fill(lane);
    if (lane.tokens >= 1) return next;
    lane.stopTimer();
    lane.stopTimer = this.#deps.clock.setTimer(Math.ceil(((1 - lane.tokens) * 1000) / lane.perSecond), () => this.#pump(lane));
    return undefined;
  }

  #fill(lane: Lane): void {
    const nowMs = this.#deps.monotonicMs();
    lane.tokens = Math.min(lane.burst, lane.tokens + ((nowMs - lane.filledAtMs) * lane.perSecond) / 1000);
    lane.filledAtMs = nowMs;
  }

  #letOut(lane: Lane, { urgency, settle }: Waiting): void {
    lane.inFlight += 1;
    if (urgency === "background") lane.backgroundInFlight += 1;
    const isTrial = lane.pause !== undefined;
    if (isTrial) lane.isTrying = true;
    let isDone = false;
    const release = (judge: () => void) => {
      if (isDone) return;
      isDone = true;
      lane.inFlight -= 1;
      if (urgency === "background") lane.backgroundInFlight -= 1;
      if (isTrial) lane.isTrying = false;
      judge();
      this.#pump(lane);
    };
    settle(ok({ done: (failed) => release(() => this.#judge(lane, failed, isTrial)), unused: () => release(() => this.#giveBack(lane)) }));
  }

  #giveBack(lane: Lane): void {
    lane.tokens = Math.min(lane.burst, lane.tokens + 1);
  }

  #judge(lane: Lane, failed: Failure | undefined, isTrial: boolean): void {
    // What comes after the end pauses nobody: its timer would outlive the vault.
    if (this.#isClosed || (failed !== undefined && !saysAnything(failed))) return;
    if (failed === undefined || !isTroubled(failed)) {
      lane.failures = 0;
      lane.pauses = 0;
      if (lane.pause === undefined) return;
      lane.pause = undefined;
      lane.stopTimer();
      this.#changed.emit(undefined);
      return;
    }
    // Sent before the pause: it says nothing new.
    if (lane.pause !== undefined && !isTrial) return;
    lane.failures += 1;
    // A service that says how long it will be away says so to everybody; 429 may be about one client or user only.
    const isAway = failed.params["status"] === 503 && failed.retryAfterSeconds !== undefined;
    // What lies between here and the provider meets every request alike.
    const isOnTheWay = isNetworkTrouble(failed.code);
    if (lane.failures >= failuresToPause || isAway || isOnTheWay || isTrial) this.#pause(lane, failed);
  }

  #pause(lane: Lane, failed: Failure): void {
    const nowMs = this.#deps.clock.nowMs();
    const bound = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(lane.pauses, 10));
    const askedMs = Math.min((failed.retryAfterSeconds ?? 0) * 1000, longestPauseMs);
    const waitMs = Math.max(Math.ceil(bound * (0.5 + this.#deps.random() / 2)), askedMs);
    lane.pauses += 1;
    lane.pause = { sinceMs: lane.pause?.sinceMs ?? nowMs, nextTryAtMs: nowMs + waitMs, failure: failed, isOver: false };
    lane.stopTimer();
    lane.stopTimer = this.#deps.clock.setTimer(waitMs, () => {
      if (lane.pause !== undefined) lane.pause = { ...lane.pause, isOver: true };
      this.#pump(lane);
    });
    this.#refuseAll(lane, pausedFailure(lane, waitMs));
    this.#changed.emit(undefined);
  }

  #whyPaused(lane: Lane): Failure | undefined {
    if (lane.pause === undefined || lane.pause.isOver) return undefined;
    const leftMs = lane.pause.nextTryAtMs - this.#deps.clock.nowMs();
    // By a clock that has been set since it may be years.
    return pausedFailure(lane, Math.min(Math.max(0, leftMs), longestPauseMs));
  }

  #refuseAll(lane: Lane, why: Failure): void {
    const all = [...lane.callers, ...lane.background];
    lane.callers.clear();
    lane.background.clear();
    for (const waiting of all) {
      waiting.stopTimer();
      waiting.settle(err(why));
    }
  }

  #queueOf(lane: Lane, urgency: Urgency): Set<Waiting> {
    return urgency === "caller" ? lane.callers : lane.background;
  }

  #lane({ provider, environment, providerName, maxRequestsPerSecond = usualRequestsPerSecond }: ProviderLane): Lane {
    const id = laneId(provider, environment);
    const known = this.#lanes.get(id);
    if (known !== undefined) return known;
    const burst = Math.max(1, Math.floor(maxRequestsPerSecond * burstShare));
    const perSecond = Math.max(maxRequestsPerSecond - burst, maxRequestsPerSecond / 2);
    const lane: Lane = {
      providerName,
      burst,
      perSecond,
      tokens: burst,
      filledAtMs: this.#deps.monotonicMs(),
      callers: new Set(),
      background: new Set(),
      inFlight: 0,
      backgroundInFlight: 0,
      failures: 0,
      pauses: 0,
      pause: undefined,
      isTrying: false,
      stopTimer: () => undefined,
    };
    this.#lanes.set(id, lane);
    return lane;
  }
}

function laneId(provider: string, environment: Environment): string {
  return `${provider}/${environment}`;
}

function refused(why: Failure): Ticket {
  return { pass: Promise.resolve(err(why)), promote: () => undefined };
}

/** A person can do something about what lies on the way; a provider that fails is only to be waited for. */
function pausedFailure({ pause, providerName }: Lane, waitMs: number): Failure {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (pause !== undefined && isNetworkTrouble(pause.failure.code)) return { ...pause.failure, retryAfterSeconds };
  return failure("provider_paused", { provider: providerName }, { retryAfterSeconds });
}

/** Failures of this app itself say nothing about a provider or the way to it. */
function saysAnything({ code }: Failure): boolean {
  return code !== "shutting_down" && code !== "internal_error" && !code.startsWith("vault_");
}

/** Whether the provider as a whole, or the way to it, seems to be in trouble. A dead grant, or wrong credentials, is an answer like any other. */
function isTroubled({ code }: Failure): boolean {
  return (
    isNetworkTrouble(code) ||
    code === "provider_busy" ||
    code === "provider_timed_out" ||
    code === "provider_unreachable" ||
    code === "provider_response_invalid" ||
    code === "refresh_ambiguous"
  );
}
