/**
 * The events of one session.
 *
 * Invariant: no event goes out before the answer that carries its snapshot, sequence numbers rise by one, and the last event
 * about a connection is its last state. While the program does not read, changes of a connection are told as one, so that what
 * waits is never more than one event a connection and no number need ever be left out.
 */
import type { EventParams, EventsSubscribeResult, PipeConnection } from "../../shared/pipe-protocol.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import type { ProgramApi } from "../core/program-api.ts";
import type { Reply } from "./reply.ts";

export interface EventSubscriptionOptions {
  readonly api: ProgramApi;
  readonly client: DmsClientRecord;
  readonly send: (event: EventParams) => void;
  /** Whether the program reads what it is sent. After a no, call `deliver` once it does. */
  readonly maySend: () => boolean;
}

export class EventSubscription {
  readonly #options: EventSubscriptionOptions;
  #sequence = 0;
  #subscribed = false;
  #stopListening: (() => void) | undefined;
  #snapshotsUnderWay = 0;
  /** Changes that wait, newest per connection; each keeps its place, so that none that changes often is told last for ever. */
  readonly #held = new Map<string, PipeConnection>();

  constructor(options: EventSubscriptionOptions) {
    this.#options = options;
  }

  /** Whether the program waits for events; such a session is never idle. */
  get active(): boolean {
    return this.#subscribed;
  }

  /** Answers `events.subscribe`. Calling it again gives a new snapshot and no second stream. */
  async subscribe(): Promise<Reply> {
    const { api, client } = this.#options;
    // Listening starts before the snapshot is read, so that no change falls between the two.
    this.#stopListening ??= api.onConnectionChanged(client, (connection) => this.#changed(connection));
    this.#snapshotsUnderWay += 1;
    try {
      const list = await api.connectionList(client);
      if (list.ok) this.#subscribed = true;
      const result: Result<EventsSubscribeResult> = list.ok ? ok({ sequence: this.#sequence, connections: list.value.connections }) : list;
      return { result, afterwards: () => this.#snapshotSent() };
    } catch (error) {
      this.#snapshotSent();
      throw error;
    }
  }

  /** Sends what waits, as far as the program reads. */
  deliver(): void {
    if (!this.#subscribed || this.#snapshotsUnderWay > 0) return;
    for (const [id, connection] of this.#held) {
      if (!this.#options.maySend()) return;
      this.#held.delete(id);
      this.#send({ type: "connection.changed", connection });
    }
  }

  /** Tells a program that follows events when to come back. What waits is not sent any more: its next snapshot has it. */
  announceEnd(retryAfterSeconds: number): void {
    if (this.#subscribed) this.#send({ type: "shutting_down", retryAfterSeconds });
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#subscribed = false;
    this.#held.clear();
  }

  #snapshotSent(): void {
    this.#snapshotsUnderWay -= 1;
    if (this.#snapshotsUnderWay === 0 && !this.#subscribed) this.stop();
    this.deliver();
  }

  #changed(connection: PipeConnection): void {
    this.#held.set(connection.id, connection);
    this.deliver();
  }

  #send(event: Told): void {
    this.#sequence += 1;
    this.#options.send({ sequence: this.#sequence, ...event });
  }
}

type Told = EventParams extends infer E ? (E extends EventParams ? Omit<E, "sequence"> : never) : never;
