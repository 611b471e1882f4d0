/**
 * Revoke (end the grant at the provider, RFC 7009) and Forget (delete it here only). Invariants: serving stops at the
 * click; a revocation the provider has not confirmed stays in the vault and is tried again, through restarts; whatever
 * races with it, a revoked connection ends revoked.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { ConnectFlow } from "./connect-flow.ts";
import type { ConnectionKey, Grant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { generationOf, type LiveConnection } from "./live-connection.ts";
import type { Clock, OAuthClient } from "./ports.ts";
import { retryDelayMs } from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";
import type { TokenBroker } from "./token-broker.ts";

export interface RevocationDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly connectFlow: ConnectFlow;
  readonly broker: TokenBroker;
  readonly oauth: OAuthClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told how each ended, for the audit log. */
  readonly onEnded: (action: "revoke" | "forget", key: ConnectionKey, outcome: string) => void;
}

/** Writes that race with a refresh or a connect may lose the generation check once each. */
const conflictTries = 5;

export class Revocation {
  readonly #deps: RevocationDeps;
  readonly #failures = new Map<LiveConnection, number>();
  /** One a connection, however often somebody clicks. */
  readonly #cancelTimers = new Map<LiveConnection, () => void>();
  readonly #shutdown = new AbortController();

  constructor(deps: RevocationDeps) {
    this.#deps = deps;
  }

  /**
   * Ends the grant at the provider. `revocation_pending` means: not served any more, not confirmed yet, tried again by
   * itself. Fails with `revocation_unsupported` where the provider offers none.
   */
  async revoke(key: ConnectionKey): Promise<Result<undefined>> {
    const provider = this.#deps.registrations.describe(key);
    if (!provider.canRevoke) return err(failure("revocation_unsupported", { provider: provider.name }));
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    if (live.record === undefined) return err(failure("not_connected", { provider: provider.name, user: key.user }));
    live.ending = true;
    this.#deps.connectFlow.cancel(key, failure("connect_superseded"));
    await this.#deps.broker.refreshSettled(live);
    const grant = await this.#beginRevoking(live);
    if (!grant.ok) {
      live.ending = false;
      return grant;
    }
    return this.#tellProvider(live, grant.value);
  }

  /** Deletes the connection here. The grant stays valid at the provider. */
  async forget(key: ConnectionKey): Promise<Result<undefined>> {
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    live.ending = true;
    this.#deps.connectFlow.cancel(key, failure("connect_superseded"));
    const removed = await this.#retryOnConflict(() => this.#deps.connections.remove(live));
    if (removed.ok) this.#forgetRetries(live);
    else live.ending = false;
    this.#deps.onEnded("forget", key, removed.ok ? "ok" : removed.error.code);
    return removed;
  }

  /** Goes on with revocations that were not confirmed when the app last ended. */
  async resume(): Promise<void> {
    const views = await this.#deps.connections.list();
    if (!views.ok) return;
    for (const view of views.value.filter(({ state }) => state === "Revoking")) {
      const loaded = await this.#deps.connections.load(view);
      if (loaded.ok) await this.#again(loaded.value);
    }
  }

  shutDown(): void {
    this.#shutdown.abort();
    for (const cancel of this.#cancelTimers.values()) cancel();
  }

  async #beginRevoking(live: LiveConnection): Promise<Result<Grant | undefined>> {
    let grant: Grant | undefined;
    const committed = await this.#retryOnConflict(async () => {
      const state = live.record?.state;
      grant = state !== undefined && "grant" in state ? state.grant : undefined;
      if (grant === undefined || state?.kind === "Revoking") return ok();
      return this.#deps.connections.commit(live, generationOf(live), { kind: "Revoking", grant });
    });
    return committed.ok ? ok(grant) : committed;
  }

  async #tellProvider(live: LiveConnection, grant: Grant | undefined): Promise<Result<undefined>> {
    const { key } = live;
    if (grant?.refreshToken === undefined) return this.#finish(live);
    const client = await this.#deps.registrations.resolve(key.provider, key.environment);
    if (!client.ok) return this.#postpone(live, grant, client.error);
    const outcome = await this.#deps.oauth.revoke(client.value, grant.refreshToken, this.#shutdown.signal);
    return outcome.kind === "done" ? this.#finish(live) : this.#postpone(live, grant, outcome.failure);
  }

  async #finish(live: LiveConnection): Promise<Result<undefined>> {
    if (live.record === undefined) return ok();
    const removed = await this.#retryOnConflict(() => this.#deps.connections.remove(live));
    if (removed.ok) this.#forgetRetries(live);
    else if (live.record.state.kind === "Revoking") this.#retryLater(live);
    else live.ending = false;
    this.#deps.onEnded("revoke", live.key, removed.ok ? "ok" : removed.error.code);
    return removed;
  }

  async #postpone(live: LiveConnection, grant: Grant, why: Failure): Promise<Result<undefined>> {
    const pending = failure("revocation_pending", { provider: this.#deps.registrations.describe(live.key).name });
    if (live.record?.state.kind !== "Revoking" || this.#shutdown.signal.aborted) return err(pending);
    await this.#deps.connections.commit(live, generationOf(live), { kind: "Revoking", grant, failure: pending });
    this.#retryLater(live, why.retryAfterSeconds);
    this.#deps.onEnded("revoke", live.key, why.code);
    return err(pending);
  }

  #retryLater(live: LiveConnection, retryAfterSeconds?: number): void {
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
    this.#cancelTimers.get(live)?.();
    this.#cancelTimers.delete(live);
  }

  async #again(live: LiveConnection): Promise<void> {
    const state = live.record?.state;
    if (state?.kind === "Revoking" && !this.#shutdown.signal.aborted) await this.#tellProvider(live, state.grant);
  }

  async #retryOnConflict(write: () => Promise<Result<undefined>>): Promise<Result<undefined>> {
    for (let tried = 1; ; tried += 1) {
      const written = await write();
      if (written.ok || written.error.code !== "vault_conflict" || tried === conflictTries) return written;
    }
  }
}
