/**
 * Tells a program about connections for as long as it wants to know, over as many sessions as that takes.
 *
 * Invariant: every change is told against a snapshot of the same session, so that whoever replaces all at each snapshot
 * never holds a state of the past.
 */
import { ok } from "../../shared/result.ts";
import { type BrokerFailure, brokerUnreachable } from "./broker-failure.ts";
import type { BrokerClient, BrokerConnectionEvent, BrokerSnapshot } from "./dms-connect-client.ts";
import type { Answer } from "./json-rpc-channel.ts";
import { toldMs } from "./reconnect-pause.ts";
import type { SessionKeeper } from "./session-keeper.ts";
import { requestOver } from "./session-request.ts";

export interface ConnectionSubscriber {
  /** All connections as they are: replace what you have. Told first, after each new session, and where a change was missed. */
  readonly onSnapshot: (snapshot: BrokerSnapshot) => void;
  readonly onChange: (event: BrokerConnectionEvent) => void;
  /** DMS Connect is not there, and is looked for. What was told may no longer be true. */
  readonly onInterrupted?: (why: BrokerFailure) => void;
  /** It is no longer looked for: a person has to act, for example pair the program again. Nothing more is told. */
  readonly onEnded?: (why: BrokerFailure) => void;
}

const firstWaitMs = 1_000;
const longestWaitMs = 5_000;

/** Subscribes, and again after each new session. Returns the function that ends it. */
export function keepSubscribed(keeper: SessionKeeper, subscriber: ConnectionSubscriber): () => void {
  const stopping = new AbortController();
  void new Subscription(keeper, subscriber, AbortSignal.any([stopping.signal, keeper.closing])).run();
  return () => stopping.abort();
}

class Subscription {
  readonly #keeper: SessionKeeper;
  readonly #subscriber: ConnectionSubscriber;
  readonly #stopped: AbortSignal;
  readonly #whenStopped: Promise<void>;
  #isInterrupted = false;

  constructor(keeper: SessionKeeper, subscriber: ConnectionSubscriber, stopped: AbortSignal) {
    this.#keeper = keeper;
    this.#subscriber = subscriber;
    this.#stopped = stopped;
    this.#whenStopped = new Promise((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
  }

  async run(): Promise<void> {
    let waitMs = firstWaitMs;
    while (!this.#stopped.aborted) {
      const subscribed = await this.#subscribe();
      if (this.#stopped.aborted) return;
      if (subscribed.ok) {
        waitMs = firstWaitMs;
        await this.#follow(subscribed.value);
      } else if (isFinal(subscribed.error)) {
        return this.#subscriber.onEnded?.(subscribed.error);
      } else {
        this.#interrupt(subscribed.error);
        await this.#keeper.wait(Math.max(waitMs, toldMs(subscribed.error) ?? 0), this.#stopped);
        waitMs = Math.min(waitMs * 2, longestWaitMs);
      }
    }
  }

  #subscribe(): Answer<Subscribed> {
    const onChange = (event: BrokerConnectionEvent): void => {
      if (!this.#stopped.aborted) this.#subscriber.onChange(event);
    };
    const onSnapshot = (snapshot: BrokerSnapshot): void => {
      if (!this.#stopped.aborted) this.#subscriber.onSnapshot(snapshot);
    };
    const request = async (client: BrokerClient): Answer<Subscribed> => {
      const subscribed = await client.subscribe(onChange, onSnapshot);
      return subscribed.ok ? ok({ client, snapshot: subscribed.value }) : subscribed;
    };
    return requestOver(this.#keeper, request, true);
  }

  /** Until the session ends, or the app says that it will. */
  async #follow({ client, snapshot }: Subscribed): Promise<void> {
    this.#isInterrupted = false;
    const closing = Promise.withResolvers<BrokerFailure>();
    const stopListening = client.onShuttingDown(closing.resolve);
    this.#subscriber.onSnapshot(snapshot);
    const why = await Promise.race([closing.promise, client.closed, this.#whenStopped]);
    stopListening();
    this.#interrupt(why ?? brokerUnreachable("connection-ended"));
  }

  /** Told once, however long it lasts. */
  #interrupt(why: BrokerFailure): void {
    if (!this.#isInterrupted && !this.#stopped.aborted) this.#subscriber.onInterrupted?.(why);
    this.#isInterrupted = true;
  }
}

interface Subscribed {
  readonly client: BrokerClient;
  readonly snapshot: BrokerSnapshot;
}

/** A change of the program's access ends its sessions, too; only the next greeting shows whether it was removed. */
function isFinal({ retryable, detail }: BrokerFailure): boolean {
  return !retryable && detail !== "session_not_authenticated";
}
