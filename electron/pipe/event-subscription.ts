/**
 * The events of one session.
 *
 * Invariant: no event goes out before the answer that carries its snapshot, sequence numbers rise by
 * one, and the last event about a connection is its last state.
 */
import type { EventParams, EventsSubscribeResult, PipeConnection } from "../../shared/pipe-protocol.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import type { ProgramApi } from "../core/program-api.ts";
import type { Reply } from "./reply.ts";

export class EventSubscription {
  readonly #api: ProgramApi;
  readonly #client: DmsClientRecord;
  readonly #send: (event: EventParams) => void;
  #sequence = 0;
  #subscribed = false;
  #stopListening: (() => void) | undefined;
  #snapshotsUnderWay = 0;
  /** Changes during a snapshot, newest per connection: bounded by the number of connections. */
  readonly #held = new Map<string, PipeConnection>();

  constructor(api: ProgramApi, client: DmsClientRecord, send: (event: EventParams) => void) {
    this.#api = api;
    this.#client = client;
    this.#send = send;
  }

  /** Whether the program waits for events; such a session is never idle. */
  get active(): boolean {
    return this.#subscribed;
  }

  /** Answers `events.subscribe`. Calling it again gives a new snapshot and no second stream. */
  async subscribe(): Promise<Reply> {
    // Listening starts before the snapshot is read, so that no change falls between the two.
    this.#stopListening ??= this.#api.onConnectionChanged(this.#client, (connection) => this.#changed(connection));
    this.#snapshotsUnderWay += 1;
    try {
      const list = await this.#api.connectionList(this.#client);
      if (list.ok) this.#subscribed = true;
      const result: Result<EventsSubscribeResult> = list.ok ? ok({ sequence: this.#sequence, connections: list.value.connections }) : list;
      return { result, afterwards: () => this.#snapshotSent() };
    } catch (error) {
      this.#snapshotSent();
      throw error;
    }
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#subscribed = false;
    this.#held.clear();
  }

  #snapshotSent(): void {
    this.#snapshotsUnderWay -= 1;
    if (this.#snapshotsUnderWay > 0) return;
    if (!this.#subscribed) return this.stop();
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const connection of held) this.#deliver(connection);
  }

  #changed(connection: PipeConnection): void {
    if (this.#snapshotsUnderWay > 0) this.#held.set(connection.id, connection);
    else this.#deliver(connection);
  }

  #deliver(connection: PipeConnection): void {
    this.#sequence += 1;
    this.#send({ sequence: this.#sequence, type: "connection.changed", connection });
  }
}
