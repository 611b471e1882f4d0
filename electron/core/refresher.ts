/**
 * Renews grants (RFC 6749 section 6). Invariants: at most one request a connection is under way; it is committed as under way
 * before it leaves, and a rotated grant before anyone is answered; only the provider's own word ends a connection; every answer
 * is checked against the generation it was asked for; trouble of the network leaves the connection as it was.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { type ConnectionKey, type Grant, type RefreshAttempt, type StoredState, servableGrant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { endedFailure } from "./ended-failure.ts";
import { generationOf, type LiveConnection, type Overlay } from "./live-connection.ts";
import { isNetworkTrouble, type NetworkState } from "./network-state.ts";
import type { Clock, OAuthClient, Randomness, RefreshOutcome, ResolvedClient } from "./ports.ts";
import { laneOf, type Pass, type ProviderGate, type Urgency } from "./provider-gate.ts";
import { retryDelayMs } from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";
import { tokenIdOf } from "./token-id.ts";

export interface RefresherDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly oauth: OAuthClient;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** 0 ≤ value < 1, for jitter. */
  readonly random: () => number;
  readonly gate: ProviderGate;
  readonly network: NetworkState;
  /** Told about every refresh, for the audit log. */
  readonly onRefreshed: (key: ConnectionKey, outcome: string) => void;
}

/** What a failed refresh leaves behind. */
export type BackOff = Overlay & { readonly kind: "Retrying" };

interface Running {
  urgency: Urgency;
  promote: () => void;
  readonly ended: Promise<Failure | undefined>;
}

/** A refresh whose request has left, and what it was decided on. */
interface SentRefresh {
  readonly live: LiveConnection;
  readonly generation: number;
  readonly grant: Grant;
  readonly attempt: RefreshAttempt;
  /** The attempt whose answer was lost, when this one was sent to find out. */
  readonly doubt: RefreshAttempt | undefined;
  /** Failures in a row before this one. */
  readonly failuresBefore: number;
}

/** A provider answers within a second as a rule; the app ends within three seconds in all. */
const shutDownWaitMs = 1_500;

export class Refresher {
  readonly #deps: RefresherDeps;
  readonly #running = new Map<LiveConnection, Running>();
  /** The back-off of a grant. Kept apart from what the row shows, which a sign-in under way takes over. */
  readonly #backOff = new WeakMap<LiveConnection, BackOff & { readonly tokenId: string }>();
  readonly #shutdown = new AbortController();
  #closing = false;

  constructor(deps: RefresherDeps) {
    this.#deps = deps;
  }

  /**
   * Refreshes as soon as the provider's cap allows, or joins the refresh under way. Returns why there is no new token, or
   * nothing. What the provider was never asked for (`provider_paused`, `requests_capped`, `network_*`) changes nothing.
   */
  refresh(live: LiveConnection, urgency: Urgency): Promise<Failure | undefined> {
    const running = this.#running.get(live);
    if (running !== undefined) {
      if (urgency === "caller" && running.urgency === "background") {
        running.urgency = "caller";
        running.promote();
      }
      return running.ended;
    }
    if (this.#closing) return Promise.resolve(failure("shutting_down"));
    const { promise, resolve, reject } = Promise.withResolvers<Failure | undefined>();
    const started: Running = { urgency, promote: () => undefined, ended: promise };
    this.#running.set(live, started);
    this.#waitAndRefresh(live, started)
      .finally(() => this.#running.delete(live))
      .then(resolve, reject);
    return promise;
  }

  /** Settles when no refresh of this connection is under way. */
  async settled(live: LiveConnection): Promise<void> {
    // What it failed with is told to those who asked for it.
    await this.#running.get(live)?.ended.catch(() => undefined);
  }

  /** Whether a refresh is under way, or waits for its turn. */
  isRunning(live: LiveConnection): boolean {
    return this.#running.has(live);
  }

  /** The back-off that a grant is in, if it is. */
  backOffOf(live: LiveConnection, grant: Grant): BackOff | undefined {
    const backOff = this.#backOff.get(live);
    if (backOff?.tokenId !== tokenIdOf(grant)) return undefined;
    // Counted by a clock that has proved wrong since.
    return backOff.failedAtMs > this.#deps.clock.nowMs() ? undefined : backOff;
  }

  /**
   * Starts no refresh any more and waits for those under way: an answer that is cut off leaves a grant in doubt. Those
   * that take longer than a person who quits would wait are ended.
   */
  async shutDown(): Promise<void> {
    this.#closing = true;
    this.#deps.gate.close();
    const stopTimer = this.#deps.clock.setTimer(shutDownWaitMs, () => this.#shutdown.abort());
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    stopTimer();
  }

  async #waitAndRefresh(live: LiveConnection, running: Running): Promise<Failure | undefined> {
    const { registrations, gate, network } = this.#deps;
    const grant = this.#renewable(live);
    if (grant === undefined) return endedFailure(live, registrations);
    if (grant.refreshToken === undefined) return this.#notRenewable(live);
    const client = await registrations.resolve(live.key.provider, live.key.environment);
    if (!client.ok) return client.error;
    const ticket = gate.enter(laneOf(client.value), running.urgency);
    running.promote = ticket.promote;
    const pass = await ticket.pass;
    if (!pass.ok) return pass.error;
    try {
      // It may have gone while this waited for its turn.
      if (running.urgency === "background" && !network.isUsable) return network.notice() ?? failure("network_offline");
      if (this.#renewable(live) !== grant) return this.#renewable(live) === undefined ? endedFailure(live, registrations) : undefined;
      return await this.#refresh(live, client.value, pass.value);
    } finally {
      pass.value.unused();
    }
  }

  #renewable(live: LiveConnection): Grant | undefined {
    return live.record === undefined || live.ending ? undefined : servableGrant(live.record.state);
  }

  async #refresh(live: LiveConnection, client: ResolvedClient, pass: Pass): Promise<Failure | undefined> {
    const { record } = live;
    const grant = this.#renewable(live);
    if (record === undefined || grant === undefined) return endedFailure(live, this.#deps.registrations);
    const failuresBefore = this.backOffOf(live, grant)?.failures ?? 0;
    const attempt = { attemptId: this.#deps.randomness.newId(), startedAtMs: this.#deps.clock.nowMs() };
    const begun = await this.#deps.connections.commit(live, record.generation, { kind: "Refreshing", grant, attempt });
    if (!begun.ok) return begun.error;
    const generation = record.generation + 1;
    const outcome = await this.#send(client, grant);
    this.#tell(outcome, pass);
    if (generationOf(live) !== generation) return failure("connect_superseded");
    const doubt = record.state.kind === "InDoubt" ? record.state.attempt : undefined;
    return this.#settle({ live, generation, grant, attempt, doubt, failuresBefore }, outcome);
  }

  /** A bug on the way must not leave the connection Refreshing for ever: whether the request left is then unknown. */
  async #send(client: ResolvedClient, grant: Grant): Promise<RefreshOutcome> {
    try {
      return await this.#deps.oauth.refresh(client, grant, this.#shutdown.signal);
    } catch {
      return { kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: client.provider.name }) };
    }
  }

  /** What the outcome says about the provider and the network. */
  #tell(outcome: RefreshOutcome, pass: Pass): void {
    const failed = outcome.kind === "rotated" ? undefined : outcome.failure;
    pass.done(failed);
    if (failed !== undefined && isNetworkTrouble(failed.code)) this.#deps.network.report(failed);
    else if (outcome.kind === "rotated" || outcome.kind === "rejected") this.#deps.network.report(undefined);
  }

  async #settle(sent: SentRefresh, outcome: RefreshOutcome): Promise<Failure | undefined> {
    const { live, generation } = sent;
    const { connections } = this.#deps;
    this.#deps.onRefreshed(live.key, outcome.kind === "rotated" ? "ok" : outcome.failure.code);
    if (outcome.kind === "rotated") {
      const written = await connections.commitRotated(live, generation, distinctFrom(sent.grant, outcome.grant));
      return written.ok ? undefined : written.error;
    }
    const retrying = isNetworkTrouble(outcome.failure.code) ? undefined : this.#backOffAfter(sent, outcome.failure);
    // With the state in one step: nobody is told Active in between.
    const overlay = outcome.kind === "rejected" ? undefined : retrying;
    const written = await connections.commit(live, generation, stateAfter(outcome, sent), { overlay });
    // Only a disk that refused leaves the generation as it was; then the dead grant, too, has to be tried again.
    if (!written.ok && generationOf(live) === generation && live.overlay?.kind !== "Connecting") {
      connections.setOverlay(live, retrying ?? this.#backOffAfter(sent, outcome.failure));
    }
    return outcome.failure;
  }

  #backOffAfter({ live, grant, failuresBefore }: SentRefresh, why: Failure): BackOff {
    const failures = failuresBefore + 1;
    const failedAtMs = this.#deps.clock.nowMs();
    const nextTryAtMs = failedAtMs + retryDelayMs(failures, this.#deps.random(), why.retryAfterSeconds);
    const retrying = { kind: "Retrying", failure: why, failures, failedAtMs, nextTryAtMs } as const;
    this.#backOff.set(live, { ...retrying, tokenId: tokenIdOf(grant) });
    return retrying;
  }

  async #notRenewable(live: LiveConnection): Promise<Failure> {
    const why = failure("grant_not_renewable", { provider: this.#deps.registrations.describe(live.key).name });
    await this.#deps.connections.commit(live, generationOf(live), { kind: "ReconnectRequired", failure: why });
    return why;
  }
}

function stateAfter(outcome: Exclude<RefreshOutcome, { readonly kind: "rotated" }>, sent: SentRefresh): StoredState {
  const { grant, attempt, doubt } = sent;
  if (outcome.kind === "rejected") return { kind: "ReconnectRequired", failure: outcome.failure };
  if (outcome.kind === "ambiguous") return { kind: "InDoubt", grant, attempt };
  // A refusal for now says nothing about an older lost answer.
  return doubt === undefined ? { kind: "Active", grant } : { kind: "InDoubt", grant, attempt: doubt };
}

/** Two tokens of one millisecond would have one id, and the new one would count as refused with the old one. */
function distinctFrom(before: Grant, next: Grant): Grant {
  return next.obtainedAtMs === before.obtainedAtMs ? { ...next, obtainedAtMs: before.obtainedAtMs + 1 } : next;
}
