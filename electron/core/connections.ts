/**
 * The one owner of every connection's state. Nobody else writes a record or decides what is shown.
 *
 * Invariants: the record in memory is the one last committed (or, while the disk refuses, the one that waits in
 * `unsaved`); a commit names the generation it was decided on, so a late answer never overwrites newer state; every
 * change is announced once.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type ConnectionView, connectionId } from "../../shared/views.ts";
import type { ConnectionKey, ConnectionRecord, Grant, StoredState } from "./connection-state.ts";
import { type ProviderDescription, summaryView, viewOf } from "./connection-view.ts";
import { createEmitter } from "./emitter.ts";
import { generationOf, type LiveConnection, type Overlay } from "./live-connection.ts";
import type { Clock, Vault } from "./ports.ts";

/** How often a record that the disk refused is tried again. */
const rewriteEveryMs = 3_000;

/** What a commit may change besides the state. */
export interface CommitExtras {
  readonly organisation?: string | undefined;
  /** When it was connected on another computer. */
  readonly connectedAtMs?: number | undefined;
  /** Shown over the new state from its first announcement on. */
  readonly overlay?: Overlay | undefined;
}

export interface ConnectionsDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly describe: (key: ConnectionKey) => ProviderDescription;
}

export class Connections {
  readonly #deps: ConnectionsDeps;
  readonly #live = new Map<string, LiveConnection>();
  readonly #loading = new Map<string, Promise<Result<LiveConnection>>>();
  readonly #changed = createEmitter<ConnectionView>();
  readonly onChanged = this.#changed.listen;
  #isClosed = false;

  constructor(deps: ConnectionsDeps) {
    this.#deps = deps;
  }

  /** The connection if it is in memory already: the token path's first and usually only look-up. */
  peek(key: ConnectionKey): LiveConnection | undefined {
    return this.#live.get(connectionId(key));
  }

  /** The connection, read from the vault once. A key nobody connected yet gives one without a record. */
  async load({ provider, environment, user }: ConnectionKey): Promise<Result<LiveConnection>> {
    // Callers pass whole views as keys: only the key's own fields may reach the record.
    const key: ConnectionKey = { provider, environment, user };
    const id = connectionId(key);
    const known = this.#live.get(id);
    if (known !== undefined) return ok(known);
    const loading = this.#loading.get(id) ?? this.#read(id, key);
    this.#loading.set(id, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(id);
    }
  }

  async #read(id: string, key: ConnectionKey): Promise<Result<LiveConnection>> {
    const read = await this.#deps.vault.readConnection(key);
    if (!read.ok && read.error.code !== "grant_unreadable") return read;
    const known = this.#live.get(id);
    if (known !== undefined) return ok(known);
    const record = read.ok ? afterRestart(read.value) : undefined;
    const overlay: Overlay | undefined = read.ok
      ? undefined
      : { kind: "ConnectFailed", failure: failure("grant_unreadable", { provider: this.#deps.describe(key).name }) };
    const live: LiveConnection = {
      key,
      record,
      overlay,
      ending: false,
      rejectedTokenId: undefined,
      lastAskedAtMs: undefined,
      unsaved: undefined,
    };
    this.#live.set(id, live);
    return ok(live);
  }

  /** Every connection, and every Connect that is under way or has just failed. */
  async list(): Promise<Result<readonly ConnectionView[]>> {
    const stored = await this.#deps.vault.listConnections();
    if (!stored.ok) return stored;
    const views = new Map<string, ConnectionView>();
    for (const summary of stored.value) views.set(connectionId(summary.key), summaryView(summary, this.#deps.describe(summary.key)));
    for (const [id, live] of this.#live) {
      if (live.record === undefined && live.overlay === undefined) views.delete(id);
      else views.set(id, this.view(live));
    }
    return ok([...views.values()].sort((a, b) => a.id.localeCompare(b.id)));
  }

  view(live: LiveConnection): ConnectionView {
    return viewOf(live, this.#deps.describe(live.key));
  }

  /**
   * Commits the next state. Fails with `vault_conflict` when the connection has moved on since `expectedGeneration`;
   * nothing changes then.
   */
  async commit(
    live: LiveConnection,
    expectedGeneration: number,
    state: StoredState,
    besides: CommitExtras = {},
  ): Promise<Result<undefined>> {
    if (generationOf(live) !== expectedGeneration || !this.#isCurrent(live)) return err(failure("vault_conflict"));
    if (live.unsaved !== undefined) {
      // The vault refuses to skip a generation: what waits goes first, and says why if it still cannot be written.
      const waiting = await this.#writeUnsaved(live);
      if (!waiting.ok) return waiting;
      if (generationOf(live) !== expectedGeneration) return err(failure("vault_conflict"));
    }
    const next = nextRecord(live, state, this.#deps.clock.nowMs(), besides);
    const written = await this.#deps.vault.commitConnection(next);
    if (!written.ok) return written;
    // A sign-in under way keeps its row: its Cancel must stay in reach.
    if (besides.overlay !== undefined && live.overlay?.kind !== "Connecting") this.#adopt(live, next, { overlay: besides.overlay });
    else this.#adopt(live, next);
    return ok();
  }

  /**
   * Commits a rotated grant. The provider has already spent the old refresh token, so this must not be lost: when the
   * disk refuses, the grant is kept and served from memory, the view says so, and writing goes on until it works.
   */
  async commitRotated(live: LiveConnection, expectedGeneration: number, grant: Grant): Promise<Result<undefined>> {
    const state: StoredState = { kind: "Active", grant };
    const committed = await this.commit(live, expectedGeneration, state);
    if (committed.ok || committed.error.code === "vault_conflict" || generationOf(live) !== expectedGeneration) return committed;
    this.#adopt(live, nextRecord(live, state, this.#deps.clock.nowMs()), { unsavedBecause: committed.error });
    this.#deps.clock.setTimer(rewriteEveryMs, () => void this.#rewrite(live));
    return ok();
  }

  /** The vault closes: nothing is tried again from here on. */
  close(): void {
    this.#isClosed = true;
  }

  async #rewrite(live: LiveConnection): Promise<void> {
    if (this.#isClosed) return;
    const written = await this.#writeUnsaved(live);
    if (!written.ok && !this.#isClosed) this.#deps.clock.setTimer(rewriteEveryMs, () => void this.#rewrite(live));
  }

  async #writeUnsaved(live: LiveConnection): Promise<Result<undefined>> {
    const { record, unsaved } = live;
    if (record === undefined || unsaved === undefined) return ok();
    const written = await this.#deps.vault.commitConnection(record);
    if (live.record !== record || live.unsaved === undefined) return ok();
    // Nobody else writes: a conflict means that an earlier try has stored this very record.
    if (!written.ok && written.error.code !== "vault_conflict") return written;
    live.unsaved = undefined;
    this.announce(live);
    return ok();
  }

  #adopt(
    live: LiveConnection,
    record: ConnectionRecord,
    { unsavedBecause, overlay }: { readonly unsavedBecause?: Failure; readonly overlay?: Overlay } = {},
  ): void {
    live.record = record;
    live.unsaved = unsavedBecause === undefined ? undefined : { failure: unsavedBecause };
    if (overlay !== undefined || live.overlay?.kind === "Retrying") live.overlay = overlay;
    this.announce(live);
  }

  /** Shows or clears what is true in this run only. */
  setOverlay(live: LiveConnection, overlay: Overlay | undefined): void {
    live.overlay = overlay;
    this.announce(live);
  }

  /**
   * Tries once more to write what the disk has refused; called before the vault closes.
   *
   * @returns why, for each connection whose newest tokens are in memory only
   */
  async flush(): Promise<readonly Failure[]> {
    const refused: Failure[] = [];
    for (const live of this.#live.values()) {
      const written = await this.#writeUnsaved(live);
      if (!written.ok) refused.push(written.error);
    }
    return refused;
  }

  /** Deletes the record and everything shown about it. Nothing is left to do when somebody else has done it meanwhile. */
  async remove(live: LiveConnection): Promise<Result<undefined>> {
    if (!this.#isCurrent(live)) return ok();
    // Without a record too: the vault may hold one that cannot be read, or a Connect may be writing its first.
    const stored = live.unsaved === undefined ? generationOf(live) : generationOf(live) - 1;
    const deleted = await this.#deps.vault.deleteConnection(live.key, stored);
    if (!this.#isCurrent(live)) return ok();
    if (!deleted.ok) return deleted;
    live.record = undefined;
    live.overlay = undefined;
    live.unsaved = undefined;
    live.ending = false;
    this.#live.delete(connectionId(live.key));
    this.#changed.emit({ ...this.view(live), state: "Forgotten" });
    return ok();
  }

  /**
   * Whether this object stands for the connection. One that was removed does not: whoever asks next gets another, and two that
   * were both written from would lose count of the generations.
   */
  #isCurrent(live: LiveConnection): boolean {
    return this.#live.get(connectionId(live.key)) === live;
  }

  announce(live: LiveConnection): void {
    this.#changed.emit(this.view(live));
  }
}

function nextRecord(live: LiveConnection, state: StoredState, nowMs: number, besides: CommitExtras = {}): ConnectionRecord {
  const kept = besides.organisation ?? live.record?.organisation;
  return {
    key: live.key,
    ...(kept === undefined ? {} : { organisation: kept }),
    connectedAtMs: besides.connectedAtMs ?? live.record?.connectedAtMs ?? nowMs,
    generation: generationOf(live) + 1,
    state,
  };
}

/** A refresh that was under way when the app ended: its answer is lost. */
function afterRestart(record: ConnectionRecord | undefined): ConnectionRecord | undefined {
  if (record?.state.kind !== "Refreshing") return record;
  return { ...record, state: { ...record.state, kind: "InDoubt" } };
}
