/**
 * Serves access tokens. Invariants: a fresh token comes from memory; any number of simultaneous requests cause one
 * refresh; a rotated grant is committed before anyone is answered; only the provider's own word ends a connection;
 * every answer is checked against the generation it was asked for.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import {
  type ConnectionKey,
  type ConnectionRecord,
  type Grant,
  type RefreshAttempt,
  type StoredState,
  servableGrant,
} from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { generationOf, type LiveConnection, type Overlay } from "./live-connection.ts";
import type { Clock, OAuthClient, Randomness, RefreshOutcome, ResolvedClient } from "./ports.ts";
import {
  callerRetryAtMs,
  inDoubtRetryBeforeEndMs,
  isFreshEnough,
  isStillValid,
  reachableValiditySeconds,
  retryDelayMs,
} from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";

export interface ServedToken {
  readonly grant: Grant;
  readonly organisation: string | undefined;
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

export interface TokenBrokerDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly oauth: OAuthClient;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** 0 ≤ value < 1, for jitter. */
  readonly random: () => number;
  /** Told about every refresh, for the audit log. */
  readonly onRefreshed: (key: ConnectionKey, outcome: string) => void;
}

/** A token that a refresh has just replaced after a 401 is not refreshed again for this long. */
const rejectedAgainMs = 60_000;

/** A provider answers within a second as a rule; the app ends within three seconds in all. */
const shutDownWaitMs = 1_500;

export class TokenBroker {
  readonly #deps: TokenBrokerDeps;
  readonly #refreshing = new Map<LiveConnection, Promise<Failure | undefined>>();
  /** The back-off of a grant. Kept apart from what the row shows, which a sign-in under way takes over. */
  readonly #backOff = new WeakMap<LiveConnection, Overlay & { readonly kind: "Retrying" } & { readonly tokenId: string }>();
  readonly #forcedAtMs = new WeakMap<LiveConnection, number>();
  readonly #shutdown = new AbortController();
  #closing = false;

  constructor(deps: TokenBrokerDeps) {
    this.#deps = deps;
  }

  /**
   * A token that lasts `minValiditySeconds`, or, when it cannot be renewed right now, the one that still lasts.
   * Fails with `not_connected`, the failure of ReconnectRequired, `vault_*`, or why the provider could not be asked.
   */
  async getToken(key: ConnectionKey, minValiditySeconds: number): Promise<Result<ServedToken>> {
    const live = this.#deps.connections.peek(key);
    const ready = live === undefined ? undefined : this.#servable(live);
    if (live !== undefined && ready !== undefined && this.#lasts(ready.grant, minValiditySeconds)) return ok(ready);
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    return this.#getFresh(loaded.value, minValiditySeconds);
  }

  async #getFresh(live: LiveConnection, minValiditySeconds: number): Promise<Result<ServedToken>> {
    const served = await this.#tryFresh(live, minValiditySeconds);
    if (served.ok || served.error.code !== "vault_conflict") return served;
    // Forgotten or signed in anew at the same moment: what counts is the connection as it is now.
    const now = await this.#deps.connections.load(live.key);
    return now.ok ? this.#tryFresh(now.value, minValiditySeconds) : now;
  }

  async #tryFresh(live: LiveConnection, minValiditySeconds: number): Promise<Result<ServedToken>> {
    const before = this.#servable(live);
    if (before !== undefined && this.#lasts(before.grant, minValiditySeconds)) return ok(before);
    const refused = this.#whyNotRenewable(live) ?? (await this.refresh(live));
    const after = this.#servable(live);
    if (after !== undefined && isStillValid(after.grant, this.#nowMs())) return ok(after);
    return err(refused ?? this.#endedFailure(live));
  }

  /**
   * The provider's API answered 401 to the token named `tokenId`. Refreshes once, unless that token was replaced already.
   * Fails as `getToken` does, or with `token_rejected_again`.
   */
  async tokenRejected(key: ConnectionKey, tokenId: string, minValiditySeconds: number): Promise<Result<ServedToken>> {
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    const current = this.#servable(live);
    if (current === undefined || tokenIdOf(current.grant) !== tokenId) return this.#getFresh(live, minValiditySeconds);
    const forcedAtMs = this.#forcedAtMs.get(live);
    const waitMs = forcedAtMs === undefined ? 0 : forcedAtMs + rejectedAgainMs - this.#nowMs();
    if (waitMs > 0) {
      return err(failure("token_rejected_again", { provider: this.#providerName(live) }, { retryAfterSeconds: Math.ceil(waitMs / 1000) }));
    }
    live.rejectedTokenId = tokenId;
    const refused = await this.#getFresh(live, minValiditySeconds);
    if (refused.ok) this.#forcedAtMs.set(live, this.#nowMs());
    return refused;
  }

  /** Refreshes now, or joins the refresh under way. Returns why there is no new token, or nothing. */
  refresh(live: LiveConnection): Promise<Failure | undefined> {
    const running = this.#refreshing.get(live);
    if (running !== undefined) return running;
    if (this.#closing) return Promise.resolve(failure("shutting_down"));
    const started = this.#refresh(live).finally(() => this.#refreshing.delete(live));
    this.#refreshing.set(live, started);
    return started;
  }

  /** Settles when no refresh of this connection is under way. */
  async refreshSettled(live: LiveConnection): Promise<void> {
    // What it failed with is told to those who asked for it.
    await this.#refreshing.get(live)?.catch(() => undefined);
  }

  /**
   * Starts no refresh any more and waits for those under way: an answer that is cut off leaves a grant in doubt. Those
   * that take longer than a person who quits would wait are ended.
   */
  async shutDown(): Promise<void> {
    this.#closing = true;
    const stopTimer = this.#deps.clock.setTimer(shutDownWaitMs, () => this.#shutdown.abort());
    await Promise.allSettled(this.#refreshing.values());
    stopTimer();
  }

  async #refresh(live: LiveConnection): Promise<Failure | undefined> {
    const { key, record } = live;
    const grant = record === undefined ? undefined : servableGrant(record.state);
    if (record === undefined || grant === undefined || live.ending) return this.#endedFailure(live);
    const failuresBefore = this.#backOffOf(live, grant)?.failures ?? 0;
    if (grant.refreshToken === undefined) return this.#notRenewable(live, record);
    const client = await this.#deps.registrations.resolve(key.provider, key.environment);
    if (!client.ok) return client.error;
    const attempt = { attemptId: this.#deps.randomness.newId(), startedAtMs: this.#nowMs() };
    const begun = await this.#deps.connections.commit(live, record.generation, { kind: "Refreshing", grant, attempt });
    if (!begun.ok) return begun.error;
    const generation = record.generation + 1;
    const outcome = await this.#send(client.value, grant);
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

  async #settle(sent: SentRefresh, outcome: RefreshOutcome): Promise<Failure | undefined> {
    const { live, generation } = sent;
    const { connections } = this.#deps;
    this.#deps.onRefreshed(live.key, outcome.kind === "rotated" ? "ok" : outcome.failure.code);
    if (outcome.kind === "rotated") {
      const written = await connections.commitRotated(live, generation, distinctFrom(sent.grant, outcome.grant));
      return written.ok ? undefined : written.error;
    }
    const retrying = this.#backOffAfter(sent, outcome.failure);
    // With the state in one step: nobody is told Active in between.
    const overlay = outcome.kind === "rejected" ? undefined : retrying;
    const written = await connections.commit(live, generation, stateAfter(outcome, sent), { overlay });
    // Only a disk that refused leaves the generation as it was; then the dead grant, too, has to be tried again.
    if (!written.ok && generationOf(live) === generation && live.overlay?.kind !== "Connecting") connections.setOverlay(live, retrying);
    return outcome.failure;
  }

  #backOffAfter({ live, grant, failuresBefore }: SentRefresh, why: Failure) {
    const failures = failuresBefore + 1;
    const failedAtMs = this.#nowMs();
    const nextTryAtMs = failedAtMs + retryDelayMs(failures, this.#deps.random(), why.retryAfterSeconds);
    const retrying = { kind: "Retrying", failure: why, failures, failedAtMs, nextTryAtMs } as const;
    this.#backOff.set(live, { ...retrying, tokenId: tokenIdOf(grant) });
    return retrying;
  }

  #backOffOf(live: LiveConnection, grant: Grant) {
    const backOff = this.#backOff.get(live);
    return backOff?.tokenId === tokenIdOf(grant) ? backOff : undefined;
  }

  async #notRenewable(live: LiveConnection, record: ConnectionRecord): Promise<Failure> {
    const why = failure("grant_not_renewable", { provider: this.#providerName(live) });
    await this.#deps.connections.commit(live, record.generation, { kind: "ReconnectRequired", failure: why });
    return why;
  }

  /** Why a program's request may not cause a refresh right now. */
  #whyNotRenewable(live: LiveConnection): Failure | undefined {
    const { record } = live;
    if (record === undefined || live.ending) return this.#endedFailure(live);
    const grant = servableGrant(record.state);
    if (grant === undefined) return this.#endedFailure(live);
    const nowMs = this.#nowMs();
    const usable = live.rejectedTokenId !== tokenIdOf(grant);
    if (grant.refreshToken === undefined && usable && isStillValid(grant, nowMs)) {
      return failure("grant_not_renewable", { provider: this.#providerName(live) });
    }
    if (record.state.kind === "InDoubt" && usable && grant.accessTokenExpiresAtMs - nowMs > inDoubtRetryBeforeEndMs) {
      return failure("refresh_ambiguous", { provider: this.#providerName(live) });
    }
    const backOff = this.#backOffOf(live, grant);
    if (backOff === undefined) return undefined;
    const retryAtMs = callerRetryAtMs(backOff.failedAtMs, backOff.nextTryAtMs, backOff.failure.retryAfterSeconds);
    if (retryAtMs <= nowMs) return undefined;
    return { ...backOff.failure, retryAfterSeconds: Math.ceil((retryAtMs - nowMs) / 1000) };
  }

  #servable(live: LiveConnection): ServedToken | undefined {
    if (live.record === undefined || live.ending) return undefined;
    const grant = servableGrant(live.record.state);
    if (grant === undefined) return undefined;
    // Hardly ever set; naming a token takes longer than all the rest here.
    if (live.rejectedTokenId !== undefined && live.rejectedTokenId === tokenIdOf(grant)) return undefined;
    return { grant, organisation: live.record.organisation };
  }

  #endedFailure(live: LiveConnection): Failure {
    const state = live.record?.state;
    if (state?.kind === "ReconnectRequired") return state.failure;
    if (live.overlay?.kind === "ConnectFailed" && live.overlay.failure.code === "grant_unreadable") return live.overlay.failure;
    const { provider, environment, user } = live.key;
    // Connect would not help before somebody has set the provider up.
    if (!this.#deps.registrations.isRegistered(provider, environment)) {
      return failure("registration_missing", { provider: this.#providerName(live), environment });
    }
    return failure("not_connected", { provider: this.#providerName(live), user });
  }

  #lasts(grant: Grant, minValiditySeconds: number): boolean {
    return isFreshEnough(grant, this.#nowMs(), reachableValiditySeconds(grant, minValiditySeconds));
  }

  #providerName(live: LiveConnection): string {
    return this.#deps.registrations.describe(live.key).name;
  }

  #nowMs(): number {
    return this.#deps.clock.nowMs();
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

/** Names a token without containing any of it: when it was obtained tells tokens of one connection apart. */
export function tokenIdOf(grant: Grant): string {
  return `t${grant.obtainedAtMs.toString(36)}`;
}
