/**
 * One Connect click from the click to the committed grant (RFC 6749 section 4.1, RFC 8252). Invariants: at most one
 * attempt a connection; after every wait the attempt is checked to be still the current one; nothing outside is waited for
 * longer than the attempt lasts; however it ends, the callback port is closed and the window and the browser page say how.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionId } from "../../shared/views.ts";
import type { ConnectionKey, Grant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { generationOf, type LiveConnection } from "./live-connection.ts";
import type {
  AuthorizationRequest,
  CallbackEndpoint,
  Clock,
  OAuthClient,
  PendingCallback,
  ResolvedClient,
  SystemBrowser,
} from "./ports.ts";
import type { Registrations } from "./registrations.ts";

/** A person who signs in with a second factor needs minutes; a forgotten browser tab must not hold a port for long. */
export const connectTimeoutMinutes = 5;

interface Attempt {
  readonly live: LiveConnection;
  readonly organisation: string | undefined;
  readonly controller: AbortController;
  /** Known once the port is open. */
  authorizationUrl: string | undefined;
  /** Why it was ended from outside. */
  endedBecause: Failure | undefined;
  /** What comes after its end is revoked. */
  givesBack: boolean;
  /** Settles when the browser has been asked to open, or with why it was not. */
  opened: Promise<Result<undefined>>;
  /** The grant is being stored. */
  storing: Promise<unknown> | undefined;
  stopTimer: () => void;
}

interface Waiting {
  readonly client: ResolvedClient;
  readonly pending: PendingCallback;
  readonly request: AuthorizationRequest;
  readonly received: Promise<URLSearchParams>;
}

export interface ConnectFlowDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly oauth: OAuthClient;
  readonly callback: CallbackEndpoint;
  readonly browser: SystemBrowser;
  readonly clock: Clock;
  /** Told how each Connect ended, for the audit log: `ok` or a failure code. */
  readonly onEnded: (key: ConnectionKey, outcome: string) => void;
}

export class ConnectFlow {
  readonly #deps: ConnectFlowDeps;
  readonly #attempts = new Map<string, Attempt>();

  constructor(deps: ConnectFlowDeps) {
    this.#deps = deps;
  }

  /**
   * Starts the sign-in in the user's browser, or, when one is waiting already, opens the same page again. Settles once
   * the browser was asked; how the sign-in ends is told by the connection's changes.
   */
  async start(key: ConnectionKey, organisation: string | undefined): Promise<Result<undefined>> {
    const client = await this.#deps.registrations.resolve(key.provider, key.environment);
    if (!client.ok) return client;
    const known = client.value.registration.organisations;
    if (organisation !== undefined && known.length > 0 && !known.includes(organisation)) {
      return err(failure("organisation_unknown", { organisation, known: known.join(", ") }));
    }
    const loaded = await this.#deps.connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    if (live.ending || live.record?.state.kind === "Revoking") {
      return err(failure("revocation_pending", { provider: client.value.provider.name }));
    }
    const waiting = this.#attempts.get(connectionId(key));
    // One that was ended may still have to notice (its port is opening, its exchange is stopping): it is not joined.
    if (waiting !== undefined && waiting.endedBecause === undefined) return this.#openAgain(waiting);
    return this.#begin(live, client.value, organisation);
  }

  /**
   * Ends a sign-in that is under way. Fails with `no_connect_in_progress`.
   *
   * @param lateTokens what becomes of tokens that still come for it. `give-back` tells the provider (RFC 7009): only where every
   * grant of this user is to end, since a provider may end them all together
   */
  cancel(
    key: ConnectionKey,
    because: Failure = failure("connect_cancelled"),
    lateTokens: "drop" | "give-back" = "drop",
  ): Result<undefined> {
    const attempt = this.#attempts.get(connectionId(key));
    if (attempt === undefined) return err(failure("no_connect_in_progress"));
    attempt.endedBecause ??= because;
    if (lateTokens === "give-back") attempt.givesBack = true;
    attempt.controller.abort();
    return ok();
  }

  /** Settles when no grant of a sign-in of this connection is being stored; at once where none has come. */
  async stored(key: ConnectionKey): Promise<void> {
    await this.#attempts.get(connectionId(key))?.storing;
  }

  /** Ends every sign-in; each closes its port as soon as it notices. */
  cancelAll(because: Failure): void {
    for (const attempt of this.#attempts.values()) this.cancel(attempt.live.key, because);
  }

  #begin(live: LiveConnection, client: ResolvedClient, organisation: string | undefined): Promise<Result<undefined>> {
    const attempt: Attempt = {
      live,
      organisation,
      controller: new AbortController(),
      authorizationUrl: undefined,
      endedBecause: undefined,
      givesBack: false,
      opened: Promise.resolve(ok()),
      storing: undefined,
      stopTimer: this.#deps.clock.setTimer(connectTimeoutMinutes * 60_000, () => {
        attempt.endedBecause ??= failure("connect_timed_out", { minutes: connectTimeoutMinutes });
        attempt.controller.abort();
      }),
    };
    this.#attempts.set(connectionId(live.key), attempt);
    this.#deps.connections.setOverlay(live, { kind: "Connecting" });
    attempt.opened = this.#open(attempt, client);
    return attempt.opened;
  }

  async #openAgain(attempt: Attempt): Promise<Result<undefined>> {
    const opened = await attempt.opened;
    if (!opened.ok || attempt.authorizationUrl === undefined) return opened;
    const again = await Promise.race([this.#deps.browser.open(attempt.authorizationUrl), aborted(attempt.controller.signal)]);
    if (again !== undefined) return again;
    // The sign-in has ended before the browser said anything: how is told by the connection.
    return attempt.endedBecause === undefined ? ok() : err(attempt.endedBecause);
  }

  async #open(attempt: Attempt, client: ResolvedClient): Promise<Result<undefined>> {
    let pending: PendingCallback | undefined;
    try {
      const listening = await this.#listen(attempt, client);
      if (!listening.ok) return this.#fail(attempt, listening.error);
      pending = listening.value;
      return await this.#openBrowser(attempt, client, pending);
    } catch {
      // A bug, or an address no URL can be made of: the port must be closed all the same.
      pending?.close();
      return this.#fail(attempt, failure("internal_error"));
    }
  }

  /** A port that is open only after the attempt has ended is closed again. */
  async #listen(attempt: Attempt, client: ResolvedClient): Promise<Result<PendingCallback>> {
    const { signal } = attempt.controller;
    const listening = this.#deps.callback.listen(client.registration.redirectUris);
    const inTime = await Promise.race([listening, aborted(signal)]);
    if (inTime !== undefined && !signal.aborted) return inTime;
    const closeLate = (late: Result<PendingCallback>) => late.ok && late.value.close();
    listening.then(closeLate, () => undefined);
    return err(whyEnded(attempt));
  }

  async #openBrowser(attempt: Attempt, client: ResolvedClient, pending: PendingCallback): Promise<Result<undefined>> {
    const request = await this.#deps.oauth.authorizationRequest(client, pending.redirectUri);
    const received = pending.receive(request.state, client.provider.name);
    attempt.authorizationUrl = request.authorizationUrl;
    const opened = await this.#openPage(attempt, request.authorizationUrl, received);
    if (!opened.ok) {
      pending.close();
      return this.#fail(attempt, opened.error);
    }
    void this.#finishWhenAnswered(attempt, { client, pending, request, received });
    return ok();
  }

  /** A browser that comes back was opened, whatever the system says of it, or if it says nothing. */
  async #openPage(attempt: Attempt, url: string, received: Promise<unknown>): Promise<Result<undefined>> {
    const { signal } = attempt.controller;
    if (signal.aborted) return err(whyEnded(attempt));
    const opened = await Promise.race([this.#deps.browser.open(url), received.then(() => ok()), aborted(signal)]);
    return opened ?? err(whyEnded(attempt));
  }

  async #finishWhenAnswered(attempt: Attempt, waiting: Waiting): Promise<void> {
    const { pending, client } = waiting;
    const callback = await Promise.race([waiting.received, aborted(attempt.controller.signal)]);
    attempt.stopTimer();
    if (callback === undefined) {
      pending.close();
      this.#fail(attempt, whyEnded(attempt));
      return;
    }
    const connected = await this.#connect(attempt, waiting, callback).catch(() => err(failure("internal_error")));
    if (connected.ok) {
      this.#end(attempt, "ok");
      pending.finish({ kind: "connected", providerName: client.provider.name, user: attempt.live.key.user });
      return;
    }
    this.#fail(attempt, connected.error);
    pending.finish({ kind: "failed", failure: connected.error });
  }

  async #connect(attempt: Attempt, { client, request }: Waiting, callback: URLSearchParams): Promise<Result<undefined>> {
    const exchanged = await this.#deps.oauth.exchangeCode(client, request, callback, attempt.controller.signal);
    if (!exchanged.ok) return attempt.endedBecause === undefined ? exchanged : err(attempt.endedBecause);
    const storing = this.#store(attempt, exchanged.value);
    attempt.storing = storing;
    const stored = await storing;
    if (!stored.ok && attempt.givesBack) void this.#giveBack(client, exchanged.value);
    return stored;
  }

  async #store(attempt: Attempt, grant: Grant): Promise<Result<undefined>> {
    const { live, organisation } = attempt;
    if (attempt.endedBecause !== undefined) return err(attempt.endedBecause);
    const state = { kind: "Active", grant } as const;
    const committed = await this.#deps.connections.commit(live, generationOf(live), state, { organisation });
    if (committed.ok || committed.error.code !== "vault_conflict" || attempt.endedBecause !== undefined) return committed;
    // A background refresh of the old grant, or a Forget, was being written at the same moment: the new sign-in is what counts.
    const now = await this.#deps.connections.load(live.key);
    if (!now.ok) return now;
    if (attempt.endedBecause !== undefined) return err(attempt.endedBecause);
    return this.#deps.connections.commit(now.value, generationOf(now.value), state, { organisation });
  }

  /** Tokens that came for a sign-in which had ended: nobody will use them, so the provider is told, once (RFC 7009). */
  async #giveBack(client: ResolvedClient, { refreshToken }: Grant): Promise<void> {
    if (client.provider.revocation !== "rfc7009" || refreshToken === undefined) return;
    // The broker may be on its way out: this must not keep it.
    await this.#deps.oauth.revoke(client, refreshToken, new AbortController().signal).catch(() => undefined);
  }

  #fail(attempt: Attempt, why: Failure): Result<undefined> {
    this.#end(attempt, why.code, why);
    return err(why);
  }

  #end(attempt: Attempt, outcome: string, why?: Failure): void {
    const { live } = attempt;
    attempt.stopTimer();
    // Whoever still waits for the browser need not.
    attempt.controller.abort();
    if (outcome === "ok") live.rejectedTokenId = undefined;
    if (this.#attempts.get(connectionId(live.key)) === attempt) {
      this.#attempts.delete(connectionId(live.key));
      this.#showEnd(attempt, why);
    }
    this.#deps.onEnded(live.key, outcome);
  }

  /** A Connect that a Forget or Revoke has ended leaves no trace of its own; a forgotten row is not shown again. */
  #showEnd({ live, endedBecause }: Attempt, why: Failure | undefined): void {
    if (this.#deps.connections.peek(live.key) !== live) return;
    const untold = why === undefined || endedBecause?.code === "connect_superseded";
    this.#deps.connections.setOverlay(live, untold ? undefined : { kind: "ConnectFailed", failure: why });
  }
}

function whyEnded({ endedBecause }: Attempt): Failure {
  return endedBecause ?? failure("connect_cancelled");
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
