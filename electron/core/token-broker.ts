/**
 * Serves access tokens. Invariants: a fresh token comes from memory; any number of simultaneous requests cause one
 * refresh; a token that the provider's API has refused is not served again; while it is in doubt what time it is, nobody is
 * served before a provider was asked.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type ConnectionKey, type Grant, servableGrant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { endedFailure } from "./ended-failure.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { NetworkState } from "./network-state.ts";
import type { Clock } from "./ports.ts";
import { callerRetryAtMs, inDoubtRetryBeforeEndMs, isFreshEnough, isStillValid, reachableValiditySeconds } from "./refresh-policy.ts";
import type { Refresher } from "./refresher.ts";
import type { Registrations } from "./registrations.ts";
import { withLimit } from "./time-limit.ts";
import { tokenIdOf } from "./token-id.ts";

export interface ServedToken {
  readonly grant: Grant;
  readonly organisation: string | undefined;
}

export interface TokenBrokerDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly refresher: Refresher;
  readonly network: NetworkState;
  readonly clock: Clock;
  /** `TrustedTime.doubt`: settles when it is known again what time it is. */
  readonly timeDoubt: () => Promise<void> | undefined;
}

/** A token that a refresh has just replaced after a 401 is not refreshed again for this long. */
const rejectedAgainMs = 60_000;
/** A provider tells its time within this; if not, time goes on as it went. */
const longestDoubtMs = 3_000;

export class TokenBroker {
  readonly #deps: TokenBrokerDeps;
  readonly #forcedAtMs = new WeakMap<LiveConnection, number>();

  constructor(deps: TokenBrokerDeps) {
    this.#deps = deps;
  }

  /**
   * A token that lasts `minValiditySeconds`, or, when it cannot be renewed right now, the one that still lasts.
   * Fails with `not_connected`, the failure of ReconnectRequired, `vault_*`, `network_*`, or why the provider could not be asked.
   */
  async getToken(key: ConnectionKey, minValiditySeconds: number): Promise<Result<ServedToken>> {
    const doubt = this.#deps.timeDoubt();
    if (doubt !== undefined) await withLimit(this.#deps.clock, doubt, longestDoubtMs, undefined);
    const live = this.#deps.connections.peek(key);
    const ready = live === undefined ? undefined : this.#servable(live);
    if (live !== undefined && ready !== undefined) {
      const nowMs = this.#deps.clock.nowMs();
      live.lastAskedAtMs = nowMs;
      if (lasts(ready.grant, minValiditySeconds, nowMs)) return ok(ready);
    }
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    loaded.value.lastAskedAtMs = this.#deps.clock.nowMs();
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
    const { refresher, network, clock, registrations } = this.#deps;
    const before = this.#servable(live);
    if (before !== undefined && lasts(before.grant, minValiditySeconds, clock.nowMs())) return ok(before);
    const refused = this.#whyNotRenewable(live) ?? (await network.whyNotForCaller()) ?? (await refresher.refresh(live, "caller"));
    const after = this.#servable(live);
    if (after !== undefined && isStillValid(after.grant, clock.nowMs())) return ok(after);
    return err(refused ?? endedFailure(live, registrations));
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
    const nowMs = this.#deps.clock.nowMs();
    const forcedAtMs = this.#forcedAtMs.get(live);
    const waitMs = forcedAtMs === undefined || forcedAtMs > nowMs ? 0 : forcedAtMs + rejectedAgainMs - nowMs;
    if (waitMs > 0) {
      return err(failure("token_rejected_again", { provider: this.#providerName(live) }, { retryAfterSeconds: Math.ceil(waitMs / 1000) }));
    }
    live.rejectedTokenId = tokenId;
    const refused = await this.#getFresh(live, minValiditySeconds);
    if (refused.ok) this.#forcedAtMs.set(live, this.#deps.clock.nowMs());
    return refused;
  }

  /** Settles when no refresh of this connection is under way. */
  refreshSettled(live: LiveConnection): Promise<void> {
    return this.#deps.refresher.settled(live);
  }

  /** Why a program's request may not cause a refresh right now. */
  #whyNotRenewable(live: LiveConnection): Failure | undefined {
    const { record } = live;
    const grant = record === undefined || live.ending ? undefined : servableGrant(record.state);
    if (record === undefined || grant === undefined) return endedFailure(live, this.#deps.registrations);
    const nowMs = this.#deps.clock.nowMs();
    const usable = live.rejectedTokenId !== tokenIdOf(grant);
    if (grant.refreshToken === undefined && usable && isStillValid(grant, nowMs)) {
      return failure("grant_not_renewable", { provider: this.#providerName(live) });
    }
    if (record.state.kind === "InDoubt" && usable && grant.accessTokenExpiresAtMs - nowMs > inDoubtRetryBeforeEndMs) {
      return failure("refresh_ambiguous", { provider: this.#providerName(live) });
    }
    const backOff = this.#deps.refresher.backOffOf(live, grant);
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

  #providerName(live: LiveConnection): string {
    return this.#deps.registrations.describe(live.key).name;
  }
}

function lasts(grant: Grant, minValiditySeconds: number, nowMs: number): boolean {
  return isStillValid(grant, nowMs) && isFreshEnough(grant, nowMs, reachableValiditySeconds(grant, minValiditySeconds));
}
