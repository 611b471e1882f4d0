/**
 * Whether requests may go out at all. Being offline is a state of the network and never of a connection: while it lasts, nothing
 * is tried in the background, and no connection is shown as failing.
 *
 * Invariants: after a sleep, and at the start, nothing goes out in the background before the way to a provider begins (its name
 * resolves, or a proxy takes it), for a minute at most; a network that was found in trouble is tried again by itself.
 */
import { type Failure, type FailureCode, failure } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, Network } from "./ports.ts";

/** A network comes back within seconds after a sleep; one that answers no question of ours may still carry requests. */
const longestWaitMs = 60_000;
const lookAgainMs = 2_000;
/** However long a network is away, it is looked for this often. */
const longestLookAgainMs = 30_000;
/** Signing in to a network, or setting a clock, takes a person a while. */
const troubleMs = 30_000;
/** However often programs ask, a network that has just failed is not tried again sooner than this. */
const callerRetryMs = { offline: 2_000, troubled: 10_000 } as const;
/** A program is not kept waiting longer for a network that is just waking up. */
const callerWaitMs = 5_000;

const troubles: readonly FailureCode[] = ["network_offline", "network_sign_in_needed", "proxy_sign_in_needed", "certificate_date_invalid"];

/** Whether a failure says something about the network and not about a provider or a connection. */
export function isNetworkTrouble(code: FailureCode): boolean {
  return troubles.includes(code);
}

type State =
  | { readonly kind: "online" }
  /** Asleep, or about to be. */
  | { readonly kind: "suspended" }
  /** Just woken up or started: is the network there yet? */
  | { readonly kind: "waiting"; readonly untilMs: number }
  | { readonly kind: "offline"; readonly sinceMs: number }
  /** Something between here and the provider wants a person. */
  | { readonly kind: "troubled"; readonly sinceMs: number; readonly failure: Failure };

export interface NetworkStateDeps {
  readonly network: Network;
  readonly clock: Clock;
  /** Addresses that requests will go to. */
  readonly targets: () => readonly string[];
}

export class NetworkState {
  readonly #deps: NetworkStateDeps;
  readonly #changed = createEmitter<undefined>();
  /** Whether requests may go out has changed, or what there is to tell about it. */
  readonly onChanged = this.#changed.listen;
  #state: State = { kind: "online" };
  #stopTimer: () => void = () => undefined;
  #stopListening: () => void = () => undefined;
  #looking: Promise<boolean> | undefined;
  #looks = 0;
  /** Looks, or requests, that found no network, in a row. */
  #misses = 0;
  readonly #closing = new AbortController();

  constructor(deps: NetworkStateDeps) {
    this.#deps = deps;
  }

  /** Begins to follow the network. */
  start(): void {
    this.#stopListening = this.#deps.network.onChanged(() => this.#systemSaysSo());
    this.#wait();
  }

  close(): void {
    this.#closing.abort();
    this.#stopTimer();
    this.#stopListening();
  }

  /** Whether work that nobody waits for may go out. */
  get isUsable(): boolean {
    return this.#state.kind === "online";
  }

  /** What a person should know about the network; nothing while it is just waking up. */
  notice(): Failure | undefined {
    if (this.#state.kind === "offline") return failure("network_offline");
    return this.#state.kind === "troubled" ? this.#state.failure : undefined;
  }

  suspend(): void {
    this.#enter({ kind: "suspended" });
  }

  resume(): void {
    this.#wait();
  }

  /** What became of a request: why it failed, or nothing when it was answered. */
  report(failed: Failure | undefined): void {
    if (this.#state.kind === "suspended") return;
    if (failed === undefined) {
      // It went through: whatever was thought is over.
      this.#misses = 0;
      if (this.#state.kind !== "online") this.#enter({ kind: "online" });
      return;
    }
    if (!isNetworkTrouble(failed.code)) return;
    const sinceMs = this.#deps.clock.nowMs();
    if (failed.code === "network_offline") this.#enter({ kind: "offline", sinceMs });
    else this.#enter({ kind: "troubled", sinceMs, failure: failed });
  }

  /**
   * Asked before a request that a program waits for: why it need not be tried, or nothing. Looks at the network itself where it
   * was down a moment ago.
   */
  async whyNotForCaller(): Promise<Failure | undefined> {
    const { network } = this.#deps;
    // The system's "no" is sure, its "yes" is not.
    if (!network.isOnline()) {
      if (this.#state.kind !== "offline") this.report(failure("network_offline"));
      return offlineForNow();
    }
    const state = this.#state;
    switch (state.kind) {
      case "online":
      case "suspended":
        return undefined;
      case "waiting":
        await this.#lookBriefly();
        return undefined;
      case "troubled":
        return this.#isRecent(state.sinceMs, callerRetryMs.troubled) ? withRetry(state.failure, callerRetryMs.troubled) : undefined;
      case "offline":
        return this.#isRecent(state.sinceMs, callerRetryMs.offline) || !(await this.#lookBriefly()) ? offlineForNow() : undefined;
      default:
        return assertNever(state);
    }
  }

  #isRecent(sinceMs: number, withinMs: number): boolean {
    const agoMs = this.#deps.clock.nowMs() - sinceMs;
    return agoMs >= 0 && agoMs < withinMs;
  }

  /** Resolving a name may take as long as it likes; a program does not wait for that. */
  #lookBriefly(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stopTimer = this.#deps.clock.setTimer(callerWaitMs, () => resolve(false));
    return Promise.race([this.#look(), promise]).finally(stopTimer);
  }

  #wait(): void {
    // What a look finds that began before a sleep is of yesterday.
    this.#looking = undefined;
    this.#looks += 1;
    this.#enter({ kind: "waiting", untilMs: this.#deps.clock.nowMs() + longestWaitMs });
  }

  #systemSaysSo(): void {
    const { kind } = this.#state;
    if (kind === "suspended") return;
    if (!this.#deps.network.isOnline()) {
      if (kind !== "offline") this.#enter({ kind: "offline", sinceMs: this.#deps.clock.nowMs() });
    } else if (kind === "offline" || kind === "waiting") this.#wait();
  }

  #enter(state: State): void {
    const before = this.#state;
    this.#state = state;
    this.#stopTimer();
    if (state.kind === "waiting") void this.#look();
    if (state.kind === "offline") this.#lookLater();
    if (state.kind === "troubled") this.#stopTimer = this.#deps.clock.setTimer(troubleMs, () => this.#enter({ kind: "online" }));
    if (before.kind !== state.kind || state.kind === "troubled") this.#changed.emit(undefined);
  }

  /** Looks whether the way to a provider begins; whoever asks meanwhile is told the same. */
  #look(): Promise<boolean> {
    if (this.#looking !== undefined) return this.#looking;
    this.#looks += 1;
    this.#looking = this.#lookOnce(this.#looks);
    return this.#looking;
  }

  async #lookOnce(look: number): Promise<boolean> {
    const state = this.#state;
    const isThere = await this.#canReachAny();
    if (look !== this.#looks) return isThere;
    this.#looking = undefined;
    if (this.#closing.signal.aborted || (this.#state.kind !== "waiting" && this.#state.kind !== "offline")) return isThere;
    const isTired = state.kind === "waiting" && this.#deps.clock.nowMs() >= state.untilMs;
    // Some networks resolve no names and carry requests all the same: the request itself is the last judge.
    if (isThere || (isTired && this.#deps.network.isOnline())) {
      this.#enter({ kind: "online" });
      return true;
    }
    if (isTired) this.#enter({ kind: "offline", sinceMs: this.#deps.clock.nowMs() });
    else this.#lookLater();
    return false;
  }

  /** Less and less often: a name that resolves while no request gets through must not keep anything spinning. */
  #lookLater(): void {
    const waitMs =
      this.#state.kind === "waiting" ? lookAgainMs : Math.min(longestLookAgainMs, lookAgainMs * 2 ** Math.min(this.#misses, 10));
    this.#misses += 1;
    this.#stopTimer();
    this.#stopTimer = this.#deps.clock.setTimer(waitMs, () => void this.#look());
  }

  async #canReachAny(): Promise<boolean> {
    if (!this.#deps.network.isOnline()) return false;
    const targets = this.#deps.targets();
    if (targets.length === 0) return true;
    const reached = await Promise.all(targets.map((url) => this.#deps.network.canReach(url, this.#closing.signal)));
    return reached.includes(true);
  }
}

function offlineForNow(): Failure {
  return withRetry(failure("network_offline"), callerRetryMs.offline);
}

function withRetry(why: Failure, afterMs: number): Failure {
  return { ...why, retryAfterSeconds: afterMs / 1000 };
}
