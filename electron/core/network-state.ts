/**
 * Whether this computer has a network. Being offline is a state of the network and never of a connection: while it lasts, nothing
 * is tried in the background, and no connection is shown as failing.
 *
 * Invariants: after a sleep, and at the start, nothing goes out in the background before the way to a provider begins (its name
 * resolves, or a proxy takes it), for a minute at most; no state but "online" lasts without something being set to end it, unless
 * the system itself is sure that there is no network; what one provider alone cannot be reached by is no matter of the network.
 */
import { type Failure, type FailureCode, failure } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, Network } from "./ports.ts";
import { withLimit } from "./time-limit.ts";

/** A network comes back within seconds after a sleep; one that answers no question of ours may still carry requests. */
const longestWaitMs = 60_000;
const lookAgainMs = 2_000;
/** However long a network is away, it is looked for this often. */
const longestLookAgainMs = 30_000;
/** Resolving a name, or running a proxy script, may hang. */
const longestLookMs = 10_000;
/** However often programs ask, a network that has just failed is not tried again sooner than this. */
const callerRetryMs = 2_000;
/** A program is not kept waiting longer for a network that is just waking up. */
const callerWaitMs = 5_000;

const troubles: readonly FailureCode[] = ["network_offline", "network_sign_in_needed", "proxy_sign_in_needed", "certificate_date_invalid"];

/** Whether a failure says something about the way to a provider, and nothing about the provider or a connection. */
export function isNetworkTrouble(code: FailureCode): boolean {
  return troubles.includes(code);
}

type State =
  | { readonly kind: "online" }
  /** Asleep, or about to be. */
  | { readonly kind: "suspended" }
  /** Just woken up or started: is the network there yet? */
  | { readonly kind: "waiting" }
  /** `mayTry`: names have not resolved for so long that a request is to find out. */
  | { readonly kind: "offline"; readonly sinceMs: number; readonly mayTry: boolean };

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
  /** When it is looked again. */
  #stopLookTimer: () => void = () => undefined;
  /** When the present state ends by itself. */
  #stopEndTimer: () => void = () => undefined;
  #stopListening: () => void = () => undefined;
  #looking: Promise<boolean> | undefined;
  #looks = 0;
  /** Looks that found no network, in a row. */
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
    this.#stopTimers();
    this.#stopListening();
  }

  /** Whether work that nobody waits for may go out. */
  get isUsable(): boolean {
    return this.#state.kind === "online" || (this.#state.kind === "offline" && this.#state.mayTry);
  }

  /** What a person should know; nothing while the network is just waking up. */
  notice(): Failure | undefined {
    return this.#state.kind === "offline" ? failure("network_offline") : undefined;
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
    if (failed.code !== "network_offline" || this.#state.kind === "waiting") return;
    if (this.#state.kind === "offline") {
      this.#enter({ kind: "offline", sinceMs: this.#nowMs(), mayTry: false });
      return;
    }
    // One provider's name may be unknown while everything else is there.
    void this.#look();
  }

  /**
   * Asked before a request that a program waits for: why it need not be tried, or nothing. Looks at the network itself where it
   * was down a moment ago.
   */
  async whyNotForCaller(): Promise<Failure | undefined> {
    // The system's "no" is sure, its "yes" is not.
    if (!this.#deps.network.isOnline()) {
      if (this.#state.kind === "online") this.#goOffline();
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
      case "offline":
        if (state.mayTry) return undefined;
        return this.#isRecent(state.sinceMs) || !(await this.#lookBriefly()) ? offlineForNow() : undefined;
      default:
        return assertNever(state);
    }
  }

  #isRecent(sinceMs: number): boolean {
    const agoMs = this.#nowMs() - sinceMs;
    return agoMs >= 0 && agoMs < callerRetryMs;
  }

  #lookBriefly(): Promise<boolean> {
    return withLimit(this.#deps.clock, this.#look(), callerWaitMs, false);
  }

  #wait(): void {
    // What a look finds that began before a sleep is of yesterday.
    this.#looking = undefined;
    this.#looks += 1;
    this.#misses = 0;
    this.#enter({ kind: "waiting" });
  }

  #goOffline(): void {
    this.#enter({ kind: "offline", sinceMs: this.#nowMs(), mayTry: false });
  }

  #systemSaysSo(): void {
    const { kind } = this.#state;
    if (kind === "suspended") return;
    if (!this.#deps.network.isOnline()) {
      if (kind !== "offline") this.#goOffline();
    } else if (kind !== "online") this.#wait();
  }

  #enter(state: State): void {
    const before = { isUsable: this.isUsable, kind: this.#state.kind };
    this.#state = state;
    this.#stopTimers();
    if (this.#closing.signal.aborted) return;
    if (state.kind === "waiting") void this.#look();
    if (state.kind === "offline") this.#lookLater();
    if (state.kind !== "online") this.#stopEndTimer = this.#deps.clock.setTimer(longestWaitMs, () => this.#endByItself());
    if (before.kind !== state.kind || before.isUsable !== this.isUsable) this.#changed.emit(undefined);
  }

  /** Some networks resolve no names and carry requests all the same: the request itself is the last judge. */
  #endByItself(): void {
    const { kind } = this.#state;
    // Still awake a minute after it was to sleep: it was not to be, or nobody has told of the end of it.
    if (kind === "suspended") return this.#wait();
    const isOnline = this.#deps.network.isOnline();
    if (kind === "waiting") return isOnline ? this.#enter({ kind: "online" }) : this.#goOffline();
    if (kind === "offline") this.#enter({ kind: "offline", sinceMs: this.#nowMs(), mayTry: isOnline });
  }

  /** Looks whether the way to a provider begins; whoever asks meanwhile is told the same. */
  #look(): Promise<boolean> {
    if (this.#looking !== undefined) return this.#looking;
    this.#looks += 1;
    this.#looking = this.#lookOnce(this.#looks);
    return this.#looking;
  }

  async #lookOnce(look: number): Promise<boolean> {
    const isThere = await withLimit(this.#deps.clock, this.#canReachAny(), longestLookMs, false);
    if (look !== this.#looks) return isThere;
    this.#looking = undefined;
    if (this.#closing.signal.aborted || this.#state.kind === "suspended") return isThere;
    if (isThere) {
      if (this.#state.kind !== "online") this.#enter({ kind: "online" });
      return true;
    }
    if (this.#state.kind === "online") this.#goOffline();
    else this.#lookLater();
    return false;
  }

  /** Less and less often: a name that resolves while no request gets through must not keep anything spinning. */
  #lookLater(): void {
    const doubled = lookAgainMs * 2 ** Math.min(this.#misses, 10);
    const waitMs = this.#state.kind === "waiting" ? lookAgainMs : Math.min(longestLookAgainMs, doubled);
    this.#misses += 1;
    this.#stopLookTimer();
    this.#stopLookTimer = this.#deps.clock.setTimer(waitMs, () => void this.#look());
  }

  /** The first target that can be reached is enough. */
  async #canReachAny(): Promise<boolean> {
    if (!this.#deps.network.isOnline()) return false;
    const targets = this.#deps.targets();
    if (targets.length === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const looks = targets.map(async (url) => {
      if (await this.#deps.network.canReach(url, this.#closing.signal)) resolve(true);
    });
    void Promise.allSettled(looks).then(() => resolve(false));
    return promise;
  }

  #stopTimers(): void {
    this.#stopLookTimer();
    this.#stopEndTimer();
  }

  #nowMs(): number {
    return this.#deps.clock.nowMs();
  }
}

function offlineForNow(): Failure {
  return failure("network_offline", {}, { retryAfterSeconds: callerRetryMs / 1000 });
}
