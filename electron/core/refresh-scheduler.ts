/**
 * Refreshes connections before their tokens end, even if no program asks. Invariant: one timer in all, set for the
 * connection that is due first.
 */
import type { ConnectionView } from "../../shared/views.ts";
import { connectionId } from "../../shared/views.ts";
import { type ConnectionKey, servableGrant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { Clock } from "./ports.ts";
import { inDoubtRetryBeforeEndMs, refreshDueAtMs } from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";
import type { TokenBroker } from "./token-broker.ts";

/** A due time in the past waits this long, so that a failing connection can never spin. */
const shortestWaitMs = 1_000;
/** Timers longer than 24.8 days overflow; looking again once an hour also follows a changed clock. */
const longestWaitMs = 60 * 60_000;
/** A refresh that could not even begin (no registration, disk full) changes nothing that would be announced. */
const notBegunRetryMs = 60_000;

export interface RefreshSchedulerDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly broker: TokenBroker;
  readonly clock: Clock;
}

export class RefreshScheduler {
  readonly #deps: RefreshSchedulerDeps;
  readonly #due = new Map<string, { readonly key: ConnectionKey; readonly atMs: number }>();
  #cancelTimer: () => void = () => undefined;
  #stopListening: () => void = () => undefined;
  #running = false;

  constructor(deps: RefreshSchedulerDeps) {
    this.#deps = deps;
  }

  /** Looks at every stored connection and from then on follows their changes. */
  async start(): Promise<void> {
    this.#running = true;
    this.#stopListening = this.#deps.connections.onChanged((view) => this.#follow(view));
    const views = await this.#deps.connections.list();
    if (!views.ok) return;
    for (const view of views.value) {
      const loaded = await this.#deps.connections.load(view);
      if (loaded.ok) this.#follow(this.#deps.connections.view(loaded.value));
    }
  }

  stop(): void {
    this.#running = false;
    this.#cancelTimer();
    this.#stopListening();
  }

  #follow(view: ConnectionView): void {
    const key: ConnectionKey = { provider: view.provider, environment: view.environment, user: view.user };
    const live = this.#deps.connections.peek(key);
    const atMs = live === undefined ? undefined : this.#dueAtMs(live);
    if (atMs === undefined) this.#due.delete(connectionId(key));
    else this.#due.set(connectionId(key), { key, atMs });
    this.#setTimer();
  }

  #dueAtMs(live: LiveConnection): number | undefined {
    const { record, overlay } = live;
    const grant = record === undefined || live.ending ? undefined : servableGrant(record.state);
    if (record === undefined || grant === undefined || grant.refreshToken === undefined || overlay?.kind === "Connecting") return undefined;
    // Refreshing and Retrying at once: the disk refused what the provider answered.
    if (record.state.kind === "Refreshing" && overlay?.kind !== "Retrying") return undefined;
    if (record.state.kind === "InDoubt") {
      const nearEndMs = grant.accessTokenExpiresAtMs - inDoubtRetryBeforeEndMs;
      return overlay?.kind === "Retrying" ? Math.max(nearEndMs, overlay.nextTryAtMs) : nearEndMs;
    }
    if (overlay?.kind === "Retrying") return overlay.nextTryAtMs;
    return refreshDueAtMs(grant, this.#deps.registrations.provider(live.key.provider)?.keepAliveDays ?? 7);
  }

  #setTimer(): void {
    this.#cancelTimer();
    if (!this.#running || this.#due.size === 0) return;
    const firstMs = Math.min(...[...this.#due.values()].map(({ atMs }) => atMs));
    const waitMs = Math.min(Math.max(firstMs - this.#deps.clock.nowMs(), shortestWaitMs), longestWaitMs);
    this.#cancelTimer = this.#deps.clock.setTimer(waitMs, () => this.#refreshDue());
  }

  #refreshDue(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const [id, { key, atMs }] of this.#due) {
      if (atMs > nowMs) continue;
      this.#due.delete(id);
      const live = this.#deps.connections.peek(key);
      if (live !== undefined) void this.#refresh(id, live);
    }
    this.#setTimer();
  }

  /** Its outcome is a change of the connection, which `#follow` hears; unless it never began. */
  async #refresh(id: string, live: LiveConnection): Promise<void> {
    const failed = await this.#deps.broker.refresh(live);
    const isFollowed = failed === undefined || this.#due.has(id) || this.#deps.connections.peek(live.key) !== live;
    if (isFollowed || this.#dueAtMs(live) === undefined) return;
    this.#due.set(id, { key: live.key, atMs: this.#deps.clock.nowMs() + notBegunRetryMs });
    this.#setTimer();
  }
}
