/**
 * Keeps one session with the broker for a whole program, and opens it again when it has ended.
 *
 * Invariants: at most one session is being opened at a time, and after each failure the next attempt waits, so that no
 * number of callers makes a storm. Without anybody asking for a session none is opened. Every question ends.
 */
import { err, ok } from "../../shared/result.ts";
import { type BrokerFailure, brokerUnreachable, sessionClosed } from "./broker-failure.ts";
import type { BrokerClient } from "./dms-connect-client.ts";
import type { Answer } from "./json-rpc-channel.ts";
import { pauseMs } from "./reconnect-pause.ts";

/** How long a broker that went away is looked for: an app that restarts needs a moment. */
const restartPatienceMs = 5_000;
/** A session that ends sooner says nothing good about the next one. */
const steadyMs = 5_000;

export interface KeeperDeps {
  readonly connect: () => Answer<BrokerClient>;
  readonly nowMs: () => number;
  /** Waits; is back sooner when `signal` is aborted. Never rejects. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
}

interface Session {
  readonly client: BrokerClient;
  readonly openedAtMs: number;
}

interface Pause {
  readonly untilMs: number;
  readonly why: BrokerFailure;
  /** Begins with the first who waits: a pause alone keeps no process alive. */
  over?: Promise<void>;
}

export class SessionKeeper {
  readonly #deps: KeeperDeps;
  readonly #closing = new AbortController();
  readonly #clients = new Set<BrokerClient>();
  #current: Session | undefined;
  #opening: Promise<void> | undefined;
  #pause: Pause | undefined;
  #failures = 0;
  #lostAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** Aborted when the program wants no session any more. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Waits; is back sooner when `signal` is aborted. */
  wait(milliseconds: number, signal: AbortSignal = this.closing): Promise<void> {
    return this.#deps.wait(milliseconds, signal);
  }

  /**
   * The session, opened if there is none. A broker that was there a moment ago is waited for; otherwise the answer comes
   * after one attempt, or at once while the pause after the last failure lasts.
   */
  async session(): Answer<BrokerClient> {
    // Once for the whole question: a broker that goes away again and again is not waited for again and again.
    const patienceEndsMs = this.#lostAtMs + restartPatienceMs;
    for (;;) {
      if (this.closing.aborted) return err(sessionClosed());
      if (this.#current !== undefined) return ok(this.#current.client);
      const pause = this.#pause;
      if (pause === undefined || pause.untilMs <= this.#deps.nowMs()) await (this.#opening ??= this.#open());
      else if (pause.untilMs > patienceEndsMs) return err(pause.why);
      else await (pause.over ??= this.#waitFor(pause));
    }
  }

  /** The broker ended the session, though its connection may still be open. The next request gets another one. */
  retire(client: BrokerClient, why: BrokerFailure): void {
    if (this.#current?.client === client) this.#lost(this.#current, why.code === "shutting_down" ? why : undefined);
  }

  /** Ends all sessions, for good. */
  close(): void {
    this.#closing.abort();
    this.#current = undefined;
    for (const client of this.#clients) client.close();
  }

  async #open(): Promise<void> {
    const opened = await this.#deps.connect();
    this.#opening = undefined;
    if (!opened.ok) return this.#failed(opened.error);
    if (this.closing.aborted) return opened.value.close();
    this.#keep(opened.value);
  }

  #keep(client: BrokerClient): void {
    const session = { client, openedAtMs: this.#deps.nowMs() };
    this.#pause = undefined;
    this.#current = session;
    this.#clients.add(client);
    client.onShuttingDown((why) => this.retire(client, why));
    void client.closed.then(() => {
      this.#clients.delete(client);
      if (this.#current === session) this.#lost(session, undefined);
    });
  }

  /** @param closing what the app said, if it said that it ends */
  #lost({ openedAtMs }: Session, closing: BrokerFailure | undefined): void {
    const nowMs = this.#deps.nowMs();
    this.#current = undefined;
    this.#lostAtMs = nowMs;
    const wasSteady = nowMs - openedAtMs >= steadyMs;
    if (wasSteady) this.#failures = 0;
    // After a good session the first attempt need not wait; an app that is closing would only refuse it.
    if (!wasSteady || closing !== undefined) this.#failed(closing ?? brokerUnreachable("connection-ended"));
  }

  #failed(why: BrokerFailure): void {
    this.#failures += 1;
    this.#pause = { untilMs: this.#deps.nowMs() + pauseMs(why, this.#failures, this.#deps.random()), why };
  }

  async #waitFor(pause: Pause): Promise<void> {
    await this.wait(pause.untilMs - this.#deps.nowMs());
    // By hand: a timer may come a little before the time it was set to.
    if (this.#pause === pause) this.#pause = undefined;
  }
}
