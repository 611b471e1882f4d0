/**
 * Revoke (end the grant at the provider, RFC 7009) and Forget (delete it here only). Invariants: serving stops at the
 * click; a revocation the provider has not confirmed stays in the vault and is tried again, through restarts; whatever
 * races with it, a revoked connection ends revoked, and what the provider is told is the newest refresh token there is.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectFlow } from "./connect-flow.ts";
import type { ConnectionKey, Grant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { generationOf, type LiveConnection } from "./live-connection.ts";
import type { NetworkState } from "./network-state.ts";
import type { Clock, OAuthClient, ResolvedClient, RevokeOutcome } from "./ports.ts";
import { laneOf, type ProviderGate, type Urgency } from "./provider-gate.ts";
import { retryDelayMs } from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";
import type { TokenBroker } from "./token-broker.ts";

export interface RevocationDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly connectFlow: ConnectFlow;
  readonly broker: TokenBroker;
  readonly oauth: OAuthClient;
  readonly gate: ProviderGate;
  readonly network: NetworkState;
  readonly clock: Clock;
  readonly random: () => number;
  /**
   * Told how each ended, for the audit log. `revoke.copies_end` comes at the moment serving stops; its outcome is the time until
   * which copies of the access token go on working (ISO 8601).
   */
  readonly onEnded: (action: "revoke" | "revoke.copies_end" | "forget", key: ConnectionKey, outcome: string) => void;
}

/** What is left of a connection that was ended. */
export interface EndedAccess {
  /** Copies of the access token that programs have go on working until then (Unix milliseconds); absent when there can be none. */
  readonly copiesWorkUntilMs?: number;
}

/** Writes that race with a refresh or a connect may lose the generation check once each. */
const conflictTries = 5;
/** A vault that could not be read at the start is read again. */
const readAgainMs = 15_000;

export class Revocation {
  readonly #deps: RevocationDeps;
  readonly #failures = new Map<LiveConnection, number>();
  /** One a connection, however often somebody clicks. */
  readonly #cancelTimers = new Map<LiveConnection, () => void>();
  /** One a connection: whoever asks meanwhile gets the same answer. */
  readonly #underWay = new Map<LiveConnection, Promise<Result<EndedAccess>>>();
  /** How many Revokes and Forgets have stopped the serving: one that fails must not start it again under another. */
  readonly #enders = new Map<LiveConnection, number>();
  /** What the audit log was told last: a provider that is away for days gets one row. */
  readonly #toldWhy = new Map<LiveConnection, string>();
  #stopReading: () => void = () => undefined;
  readonly #shutdown = new AbortController();

  constructor(deps: RevocationDeps) {
    this.#deps = deps;
  }

  /**
   * Ends the grant at the provider. `revocation_pending` means: not served any more, not confirmed yet, tried again by
   * itself. Fails with `revocation_unsupported` where the provider offers none.
   */
  async revoke(key: ConnectionKey): Promise<Result<EndedAccess>> {
    const provider = this.#deps.registrations.describe(key);
    if (!provider.canRevoke) return err(failure("revocation_unsupported", { provider: provider.name }));
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    if (live.record === undefined) return err(failure("not_connected", { provider: provider.name, user: key.user }));
    return this.#once(live, () => this.#whileEnding(live, () => this.#revoke(live)));
  }

  /** Deletes the connection here. The grant stays valid at the provider. */
  async forget(key: ConnectionKey): Promise<Result<EndedAccess>> {
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    const left = this.#leftOf(grantOf(live));
    const removed = await this.#whileEnding(live, () => {
      this.#deps.connectFlow.cancel(key, failure("connect_superseded"));
      return this.#retryOnConflict(() => this.#deps.connections.remove(live));
    });
    if (removed.ok) this.#forgetRetries(live);
    this.#deps.onEnded("forget", key, removed.ok ? "ok" : removed.error.code);
    return removed.ok ? ok(left) : removed;
  }

  /** What is left of a connection while its revocation is pending. */
  leftOf(key: ConnectionKey): EndedAccess {
    const live = this.#deps.connections.peek(key);
    return this.#leftOf(live === undefined ? undefined : grantOf(live));
  }

  /** Goes on with revocations that were not confirmed when the app last ended; settles when each was tried once. */
  async resume(): Promise<void> {
    const views = await this.#deps.connections.list();
    if (!views.ok) {
      this.#stopReading = this.#deps.clock.setTimer(readAgainMs, () => void this.resume());
      return;
    }
    const revoking = views.value.filter(({ state }) => state === "Revoking");
    // Beside each other: a provider that does not answer must not keep another waiting.
    await Promise.all(
      revoking.map(async (view) => {
        const loaded = await this.#deps.connections.load(view);
        if (loaded.ok) await this.#again(loaded.value);
      }),
    );
  }

  /** Asks providers nothing more; settles when those under way are in the vault, where the next start finds them. */
  async shutDown(): Promise<void> {
    this.#shutdown.abort();
    this.#stopReading();
    for (const cancel of this.#cancelTimers.values()) cancel();
    await Promise.allSettled(this.#underWay.values());
  }

  #once(live: LiveConnection, end: () => Promise<Result<EndedAccess>>): Promise<Result<EndedAccess>> {
    const running = this.#underWay.get(live);
    if (running !== undefined) return running;
    const started = end().finally(() => this.#underWay.delete(live));
    this.#underWay.set(live, started);
    return started;
  }

  async #whileEnding<T>(live: LiveConnection, end: () => Promise<T>): Promise<T> {
    this.#enders.set(live, (this.#enders.get(live) ?? 0) + 1);
    live.ending = true;
    try {
      return await end();
    } finally {
      const others = (this.#enders.get(live) ?? 1) - 1;
      if (others > 0) this.#enders.set(live, others);
      else this.#enders.delete(live);
      // A state that is not served, or no record, says so by itself from here on.
      live.ending = others > 0;
    }
  }

  async #revoke(live: LiveConnection): Promise<Result<EndedAccess>> {
    this.#deps.connectFlow.cancel(live.key, failure("connect_superseded"), "give-back");
    const grant = await this.#beginRevoking(live);
    if (!grant.ok) return grant;
    const left = this.#leftOf(grant.value);
    const told = await this.#tellProvider(live, grant.value, "caller");
    return told.ok ? ok(left) : told;
  }

  /** Gives the grant that is to be revoked; nothing where there was none, and the connection is deleted then. */
  async #beginRevoking(live: LiveConnection): Promise<Result<Grant | undefined>> {
    let grant: Grant | undefined;
    let isBegun = false;
    // A sign-in that is just being written, or a refresh that is just being sent, wins one round: then there is another grant.
    const done = await this.#retryOnConflict(async () => {
      // What it brings is what has to be revoked. One that waits for its turn finds that it is not wanted any more.
      if (live.record?.state.kind === "Refreshing") await this.#deps.broker.refreshSettled(live);
      // Forgotten while this waited: the grant went with it, and nobody can be told.
      if (live.record === undefined) return err(this.#notConnected(live));
      grant = grantOf(live);
      if (grant === undefined) return this.#deps.connections.remove(live);
      if (live.record.state.kind === "Revoking") return ok();
      isBegun = true;
      return this.#deps.connections.commit(live, generationOf(live), { kind: "Revoking", grant });
    });
    if (!done.ok) return done;
    const { copiesWorkUntilMs } = this.#leftOf(grant);
    if (isBegun && copiesWorkUntilMs !== undefined) {
      // oxlint-disable-next-line no-restricted-globals -- writes a time down; reads no clock
      this.#deps.onEnded("revoke.copies_end", live.key, new Date(copiesWorkUntilMs).toISOString());
    }
    return ok(grant);
  }

  async #tellProvider(live: LiveConnection, grant: Grant | undefined, urgency: Urgency): Promise<Result<undefined>> {
    const { key } = live;
    if (grant?.refreshToken === undefined) return this.#finish(live);
    if (this.#shutdown.signal.aborted) return err(this.#pending(live));
    const client = await this.#deps.registrations.resolve(key.provider, key.environment);
    if (!client.ok) return this.#postpone(live, grant, client.error);
    const outcome = await this.#send(client.value, grant.refreshToken, urgency);
    return outcome.kind === "done" ? this.#finish(live) : this.#postpone(live, grant, outcome.failure);
  }

  /** In its turn, like every request to the provider. */
  async #send(client: ResolvedClient, refreshToken: string, urgency: Urgency): Promise<RevokeOutcome> {
    const { gate, network, oauth } = this.#deps;
    const pass = await gate.enter(laneOf(client), urgency).pass;
    if (!pass.ok) return { kind: "try-later", failure: pass.error };
    if (urgency === "background" && !network.isUsable) {
      pass.value.unused();
      return { kind: "try-later", failure: failure("network_offline") };
    }
    const outcome = await oauth.revoke(client, refreshToken, this.#shutdown.signal).catch(triedInVain);
    const failed = outcome.kind === "done" ? undefined : outcome.failure;
    pass.value.done(failed);
    if (failed === undefined || failed.code === "network_offline") network.report(failed);
    return outcome;
  }

  async #finish(live: LiveConnection): Promise<Result<undefined>> {
    const removed = await this.#retryOnConflict(() => this.#deps.connections.remove(live));
    if (removed.ok) this.#forgetRetries(live);
    else if (live.record?.state.kind === "Revoking") this.#retryLater(live);
    this.#deps.onEnded("revoke", live.key, removed.ok ? "ok" : removed.error.code);
    return removed;
  }

  async #postpone(live: LiveConnection, grant: Grant, why: Failure): Promise<Result<undefined>> {
    const state = live.record?.state;
    // Forgotten meanwhile: it is not tried again.
    if (state?.kind !== "Revoking") return err(why);
    const pending = this.#pending(live);
    if (this.#shutdown.signal.aborted) return err(pending);
    if (state.failure === undefined) {
      await this.#deps.connections.commit(live, generationOf(live), { kind: "Revoking", grant, failure: pending });
    }
    this.#retryLater(live, why.retryAfterSeconds);
    this.#tellWhy(live, why);
    return err(pending);
  }

  /** Once for each reason; that the provider was not even asked is one only if there was none before. */
  #tellWhy(live: LiveConnection, { code }: Failure): void {
    const before = this.#toldWhy.get(live);
    const wasAsked = code !== "provider_paused" && code !== "requests_capped";
    if (before === code || (before !== undefined && !wasAsked)) return;
    this.#toldWhy.set(live, code);
    this.#deps.onEnded("revoke", live.key, code);
  }

  #retryLater(live: LiveConnection, retryAfterSeconds?: number): void {
    if (this.#shutdown.signal.aborted) return;
    const failures = (this.#failures.get(live) ?? 0) + 1;
    this.#failures.set(live, failures);
    this.#cancelTimers.get(live)?.();
    const delayMs = retryDelayMs(failures, this.#deps.random(), retryAfterSeconds);
    this.#cancelTimers.set(
      live,
      this.#deps.clock.setTimer(delayMs, () => void this.#again(live)),
    );
  }

  #forgetRetries(live: LiveConnection): void {
    this.#failures.delete(live);
    this.#toldWhy.delete(live);
    this.#cancelTimers.get(live)?.();
    this.#cancelTimers.delete(live);
  }

  async #again(live: LiveConnection): Promise<void> {
    const state = live.record?.state;
    if (state?.kind !== "Revoking" || this.#shutdown.signal.aborted) return;
    await this.#once(live, async () => {
      const left = this.#leftOf(state.grant);
      const told = await this.#tellProvider(live, state.grant, "background");
      return told.ok ? ok(left) : told;
    });
  }

  async #retryOnConflict(write: () => Promise<Result<undefined>>): Promise<Result<undefined>> {
    for (let tried = 1; ; tried += 1) {
      const written = await write();
      if (written.ok || written.error.code !== "vault_conflict" || tried === conflictTries) return written;
    }
  }

  #leftOf(grant: Grant | undefined): EndedAccess {
    const untilMs = grant?.accessTokenExpiresAtMs;
    return untilMs === undefined || untilMs <= this.#deps.clock.nowMs() ? {} : { copiesWorkUntilMs: untilMs };
  }

  #pending(live: LiveConnection): Failure {
    return failure("revocation_pending", { provider: this.#deps.registrations.describe(live.key).name });
  }

  #notConnected({ key }: LiveConnection): Failure {
    return failure("not_connected", { provider: this.#deps.registrations.describe(key).name, user: key.user });
  }
}

/** A bug on the way must not end the retries. */
function triedInVain(): RevokeOutcome {
  return { kind: "try-later", failure: failure("internal_error") };
}

function grantOf({ record }: LiveConnection): Grant | undefined {
  return record !== undefined && "grant" in record.state ? record.state.grant : undefined;
}
