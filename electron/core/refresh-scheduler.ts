/**
 * Refreshes connections before their tokens end, even if no program asks. Invariants: one timer in all, set for the
 * connection that is due first; none while the network is not usable; finding what is due costs O(log n).
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { type ConnectionView, connectionId } from "../../shared/views.ts";
import { type ConnectionKey, type Grant, servableGrant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { DueQueue } from "./due-queue.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { NetworkState } from "./network-state.ts";
import type { Clock } from "./ports.ts";
import { inDoubtRetryBeforeEndMs, refreshDueAtMs } from "./refresh-policy.ts";
import type { Refresher } from "./refresher.ts";
import type { Registrations } from "./registrations.ts";
import { tokenIdOf } from "./token-id.ts";

/** A due time in the past waits this long, so that a failing connection can never spin. */
const shortestWaitMs = 1_000;
/** Timers longer than 24.8 days overflow; looking again this often also notices a clock that somebody has set. */
const longestWaitMs = 10 * 60_000;
/** A refresh that could not even begin (no registration, disk full) changes nothing that would be announced. */
const notBegunRetryMs = 60_000;
/** A vault that could not be read at the start is read again. */
const readAgainMs = 15_000;

export interface RefreshSchedulerDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly refresher: Refresher;
  readonly network: NetworkState;
  readonly clock: Clock;
  /** 0 ≤ value < 1, for jitter. */
  readonly random: () => number;
  /** `Power.isSaving`. */
  readonly isSaving: () => boolean;
  /** Told when each stored grant was obtained: it cannot be earlier now. */
  readonly onObtained: (atMs: number) => void;
}

export class RefreshScheduler {
  readonly #deps: RefreshSchedulerDeps;
  readonly #due = new DueQueue<string>();
  readonly #keys = new Map<string, ConnectionKey>();
  /** One draw a grant: when it is due does not change by being looked at. */
  readonly #jitter = new WeakMap<Grant, number>();
  #cancelTimer: () => void = () => undefined;
  #timerAtMs: number | undefined;
  #stopListening: () => void = () => undefined;
  #stopReading: () => void = () => undefined;
  #running = false;

  constructor(deps: RefreshSchedulerDeps) {
    this.#deps = deps;
  }

  /** Looks at every stored connection and from then on follows their changes. */
  async start(): Promise<void> {
    const { connections, network } = this.#deps;
    this.#running = true;
    const stops = [connections.onChanged((view) => this.#follow(view)), network.onChanged(() => this.#setTimer())];
    this.#stopListening = () => {
      for (const stop of stops) stop();
    };
    await this.#planAll();
  }

  /** A vault that cannot be read just now must not leave anybody out for good. */
  async #planAll(): Promise<void> {
    const { connections, clock } = this.#deps;
    const views = await connections.list();
    let isComplete = views.ok;
    for (const view of views.ok ? views.value : []) {
      const loaded = await connections.load(view);
      isComplete &&= loaded.ok;
      if (!loaded.ok || !this.#running) continue;
      const grant = grantOf(loaded.value);
      if (grant !== undefined) this.#deps.onObtained(grant.obtainedAtMs);
      this.#follow(connections.view(loaded.value));
    }
    if (!isComplete && this.#running) this.#stopReading = clock.setTimer(readAgainMs, () => void this.#planAll());
  }

  stop(): void {
    this.#running = false;
    this.#clearTimer();
    this.#stopReading();
    this.#stopListening();
  }

  /** The time has moved otherwise than by passing, or the computer saves from now on or no longer: everything is planned anew. */
  planAnew(): void {
    for (const [id, key] of this.#keys) this.#plan(id, key);
    this.#setTimer();
  }

  #follow(view: ConnectionView): void {
    const { provider, environment, user } = view;
    const key: ConnectionKey = { provider, environment, user };
    this.#plan(connectionId(key), key);
    this.#setTimer();
  }

  #plan(id: string, key: ConnectionKey): void {
    const live = this.#deps.connections.peek(key);
    const atMs = live === undefined ? undefined : this.#dueAtMs(live);
    if (live === undefined) this.#keys.delete(id);
    else this.#keys.set(id, key);
    if (atMs === undefined) this.#due.delete(id);
    else this.#due.set(id, atMs);
  }

  #dueAtMs(live: LiveConnection): number | undefined {
    const { record, overlay } = live;
    const grant = grantOf(live);
    if (record === undefined || grant?.refreshToken === undefined || overlay?.kind === "Connecting") return undefined;
    const { refresher } = this.#deps;
    if (record.state.kind === "Refreshing" && refresher.isRunning(live)) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    // Not from the overlay, which a sign-in takes over.
    const retryAtMs = refresher.backOffOf(live, grant)?.nextTryAtMs;
    if (record.state.kind === "InDoubt") {
      // The API has refused the token that waiting would spare.
      if (live.rejectedTokenId === tokenIdOf(grant)) return retryAtMs ?? nowMs;
      return Math.max(grant.accessTokenExpiresAtMs - inDoubtRetryBeforeEndMs, retryAtMs ?? 0);
    }
    if (retryAtMs !== undefined) return retryAtMs;
    // The disk refused what became of it.
    if (record.state.kind === "Refreshing") return nowMs;
    const { registrations, isSaving } = this.#deps;
    const keepAliveDays = registrations.provider(live.key.provider)?.keepAliveDays ?? 7;
    const plan = { nowMs, keepAliveDays, random: this.#jitterOf(grant), isSaving: isSaving(), lastAskedAtMs: live.lastAskedAtMs };
    return refreshDueAtMs(grant, plan);
  }

  #jitterOf(grant: Grant): number {
    const drawn = this.#jitter.get(grant) ?? this.#deps.random();
    this.#jitter.set(grant, drawn);
    return drawn;
  }

  #setTimer(): void {
    const firstMs = this.#due.firstAtMs;
    if (!this.#running || firstMs === undefined || !this.#deps.network.isUsable) return this.#clearTimer();
    const nowMs = this.#deps.clock.nowMs();
    const waitMs = Math.min(Math.max(firstMs - nowMs, shortestWaitMs), longestWaitMs);
    // Most changes do not change who is first.
    if (this.#timerAtMs !== undefined && this.#timerAtMs <= nowMs + waitMs && this.#timerAtMs > nowMs) return;
    this.#clearTimer();
    this.#timerAtMs = nowMs + waitMs;
    this.#cancelTimer = this.#deps.clock.setTimer(waitMs, () => this.#refreshDue());
  }

  #clearTimer(): void {
    this.#cancelTimer();
    this.#timerAtMs = undefined;
  }

  #refreshDue(): void {
    this.#timerAtMs = undefined;
    const nowMs = this.#deps.clock.nowMs();
    for (let id = this.#due.take(nowMs); id !== undefined; id = this.#due.take(nowMs)) {
      const key = this.#keys.get(id);
      const live = key === undefined ? undefined : this.#deps.connections.peek(key);
      if (live !== undefined) void this.#refresh(id, live);
    }
    this.#setTimer();
  }

  /** Its outcome is a change of the connection, which `#follow` hears; unless it never began. */
  async #refresh(id: string, live: LiveConnection): Promise<void> {
    const failed = await this.#deps.refresher.refresh(live, "background").catch(() => failure("internal_error"));
    const isFollowed = failed === undefined || this.#due.has(id) || this.#deps.connections.peek(live.key) !== live;
    const plannedAtMs = this.#dueAtMs(live);
    const grant = grantOf(live);
    if (isFollowed || plannedAtMs === undefined || grant === undefined) return;
    const isBackingOff = this.#deps.refresher.backOffOf(live, grant) !== undefined;
    this.#due.set(id, isBackingOff ? plannedAtMs : this.#deps.clock.nowMs() + this.#againMs(failed));
    this.#setTimer();
  }

  /** A provider that is asked again is not asked by everybody at once. */
  #againMs(failed: Failure): number {
    if (failed.code === "network_offline" && failed.retryAfterSeconds === undefined) return shortestWaitMs;
    const waitMs = Math.min((failed.retryAfterSeconds ?? notBegunRetryMs / 1000) * 1000, longestWaitMs);
    return waitMs * (1 + this.#deps.random());
  }
}

function grantOf({ record, ending }: LiveConnection): Grant | undefined {
  return record === undefined || ending ? undefined : servableGrant(record.state);
}
