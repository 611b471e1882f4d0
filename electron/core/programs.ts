/**
 * The programs that may use the broker, and what each of them may use. Invariants: a change is in the vault before anybody
 * acts on it; a program whose access has ended is known to nobody who asks; what the computer's policy names cannot be
 * changed here.
 */
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AccessPolicy, DmsClientView } from "../../shared/views.ts";
import { hasEnded } from "./access-policy.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, DmsClientRecord, Vault } from "./ports.ts";

/** Timers cannot be set for more than 24.8 days, and a computer that slept is looked at again. */
const longestWaitMs = 10 * 60_000;
/** An end that is older than this was told by an earlier run, or is no news any more. */
const toldAgainMs = 24 * 60 * 60_000;

export interface ProgramsDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  /** Programs that the computer's policy names. They win over stored ones of the same client id. */
  readonly policyPrograms: readonly DmsClientRecord[];
  /** A program's access has ended by its date. */
  readonly onEnded: (client: DmsClientRecord) => void;
}

export class Programs {
  readonly #deps: ProgramsDeps;
  readonly #clients = new Map<string, DmsClientRecord>();
  readonly #lastSeen = new Map<string, number>();
  readonly #ended = new Set<string>();
  #stopTimer: () => void = () => undefined;
  readonly #changed = createEmitter<readonly DmsClientView[]>();
  readonly #sessionsMustEnd = createEmitter<string>();
  readonly onChanged = this.#changed.listen;
  /** Told with the client id when a program is removed, its access changes or ends. */
  readonly onSessionsMustEnd = this.#sessionsMustEnd.listen;

  constructor(deps: ProgramsDeps) {
    this.#deps = deps;
  }

  /** Reads the programs; call once before anything else. */
  async open(): Promise<Result<undefined>> {
    const listed = await this.#deps.vault.listClients();
    if (!listed.ok) return listed;
    const nowMs = this.#deps.clock.nowMs();
    for (const client of [...listed.value, ...this.#deps.policyPrograms]) {
      this.#clients.set(client.clientId, client);
      // Told when it happened, or on the first start after it: not again with each start.
      if (hasEnded(client.access, nowMs - toldAgainMs)) this.#ended.add(client.clientId);
    }
    this.#endThoseDue();
    return ok();
  }

  close(): void {
    this.#stopTimer();
  }

  list(): readonly DmsClientView[] {
    return [...this.#clients.values()].map((client) => this.#view(client));
  }

  /** The program of this client id, unless its access has ended. */
  find(clientId: string): DmsClientRecord | undefined {
    const client = this.#clients.get(clientId);
    return client === undefined || hasEnded(client.access, this.#deps.clock.nowMs()) ? undefined : client;
  }

  /** Remembers that the program proved its key just now. */
  seen(clientId: string): void {
    this.#lastSeen.set(clientId, this.#deps.clock.nowMs());
  }

  /** Stores a program that is new or replaces one. Fails with `program_managed` or a `vault_*` code. */
  async save(client: DmsClientRecord): Promise<Result<undefined>> {
    const before = this.#clients.get(client.clientId);
    if (before?.origin === "policy") return err(failure("program_managed"));
    const saved = await this.#deps.vault.saveClient(client);
    if (!saved.ok) return saved;
    this.#clients.set(client.clientId, client);
    this.#ended.delete(client.clientId);
    if (before !== undefined) this.#sessionsMustEnd.emit(client.clientId);
    this.#endThoseDue();
    this.#changed.emit(this.list());
    return ok();
  }

  /** Replaces what a program may use; its sessions end at once. Fails with `program_unknown`, `program_managed` or a `vault_*` code. */
  async changeAccess(clientId: string, access: AccessPolicy): Promise<Result<undefined>> {
    const client = this.#clients.get(clientId);
    return client === undefined ? err(failure("program_unknown")) : this.save({ ...client, access });
  }

  /** Removes a program; its sessions end at once. Fails with `program_managed` or a `vault_*` code. */
  async remove(clientId: string): Promise<Result<undefined>> {
    if (this.#clients.get(clientId)?.origin === "policy") return err(failure("program_managed"));
    const deleted = await this.#deps.vault.deleteClient(clientId);
    if (!deleted.ok) return deleted;
    this.#clients.delete(clientId);
    this.#sessionsMustEnd.emit(clientId);
    this.#changed.emit(this.list());
    return ok();
  }

  /** Ends the sessions of programs whose date has come, and waits for the next date. */
  #endThoseDue(): void {
    this.#stopTimer();
    const nowMs = this.#deps.clock.nowMs();
    let waitMs: number | undefined;
    for (const client of this.#clients.values()) {
      const { untilMs } = client.access;
      if (untilMs === undefined) continue;
      // Looked at again even if it has ended: the clock may be set back, and the access comes to life and ends once more.
      waitMs = Math.min(waitMs ?? longestWaitMs, untilMs > nowMs ? untilMs - nowMs : longestWaitMs);
      if (!hasEnded(client.access, nowMs)) this.#ended.delete(client.clientId);
      else if (!this.#ended.has(client.clientId)) this.#end(client);
    }
    if (waitMs !== undefined) this.#stopTimer = this.#deps.clock.setTimer(waitMs, () => this.#endThoseDue());
  }

  #end(client: DmsClientRecord): void {
    this.#ended.add(client.clientId);
    this.#sessionsMustEnd.emit(client.clientId);
    this.#deps.onEnded(client);
    this.#changed.emit(this.list());
  }

  #view({ clientKey: _never, origin = "paired", ...client }: DmsClientRecord): DmsClientView {
    const lastSeenAtMs = this.#lastSeen.get(client.clientId);
    return { ...client, origin, ...(lastSeenAtMs === undefined ? {} : { lastSeenAtMs }) };
  }
}
