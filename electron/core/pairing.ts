/**
 * Pairing programs, and knowing the paired ones. Invariants: a program gets its key once, after a person approved the
 * number both sides show, and only after the vault has it; a pairing ends with its session.
 */
import { failure } from "../../shared/failure.ts";
import type { PairingRequestParams, PairingRequestResult, PairingWaitResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AccessPolicy, DmsClientView, PairingView } from "../../shared/views.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, DmsClientRecord, Randomness, Vault } from "./ports.ts";
import type { ProgramRegistry } from "./program-api.ts";

/** Long enough to walk to the computer, short enough that a forgotten prompt goes away. */
const pairingLifetimeMs = 3 * 60_000;
/** A person cannot judge a pile of prompts. */
const maxWaiting = 3;
/** After a refusal nobody is asked again for this long, so that nobody can be worn down into approving. */
const pauseAfterDenialMs = 10_000;

interface Pairing {
  readonly view: PairingView;
  readonly sessionId: string;
  readonly params: PairingRequestParams;
  readonly decided: Promise<Result<PairingWaitResult>>;
  readonly decide: (outcome: Result<PairingWaitResult>) => void;
  readonly stopTimer: () => void;
}

export interface PairingsDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly onDecided: (name: string, clientId: string | undefined, outcome: string) => void;
}

export class Pairings implements ProgramRegistry {
  readonly #deps: PairingsDeps;
  readonly #waiting = new Map<string, Pairing>();
  /** Decided, its answer not yet fetched. */
  readonly #decided = new Map<string, Pairing>();
  readonly #clients = new Map<string, DmsClientRecord>();
  readonly #lastSeen = new Map<string, number>();
  #deniedAtMs = Number.NEGATIVE_INFINITY;
  readonly #pairingsChanged = createEmitter<readonly PairingView[]>();
  readonly #clientsChanged = createEmitter<readonly DmsClientView[]>();
  readonly #clientRemoved = createEmitter<string>();
  readonly onPairingsChanged = this.#pairingsChanged.listen;
  readonly onClientsChanged = this.#clientsChanged.listen;
  readonly onClientRemoved = this.#clientRemoved.listen;

  constructor(deps: PairingsDeps) {
    this.#deps = deps;
  }

  /** Reads the paired programs; call once before anything else. */
  async open(): Promise<Result<undefined>> {
    const listed = await this.#deps.vault.listClients();
    if (!listed.ok) return listed;
    for (const client of listed.value) this.#clients.set(client.clientId, client);
    return ok();
  }

  list(): readonly PairingView[] {
    return [...this.#waiting.values()].map(({ view }) => view);
  }

  clients(): readonly DmsClientView[] {
    return [...this.#clients.values()].map((client) => this.#clientView(client));
  }

  requestPairing(sessionId: string, params: PairingRequestParams): Result<PairingRequestResult> {
    const mine = [...this.#waiting.values()].some((pairing) => pairing.sessionId === sessionId);
    const pauseMs = this.#deniedAtMs + pauseAfterDenialMs - this.#deps.clock.nowMs();
    if (pauseMs > 0) return err(failure("pairing_paused", {}, { retryAfterSeconds: Math.ceil(pauseMs / 1000) }));
    if (mine || this.#waiting.size >= maxWaiting) return err(failure("pairing_busy", {}, { retryAfterSeconds: 10 }));
    const pairing = this.#newPairing(sessionId, params);
    this.#waiting.set(pairing.view.pairingId, pairing);
    this.#pairingsChanged.emit(this.list());
    return ok({ pairingId: pairing.view.pairingId, code: pairing.view.code, expiresInSeconds: pairingLifetimeMs / 1000 });
  }

  #newPairing(sessionId: string, params: PairingRequestParams): Pairing {
    const pairingId = this.#deps.randomness.newId();
    let decide: Pairing["decide"] = () => undefined;
    const decided = new Promise<Result<PairingWaitResult>>((resolve) => {
      decide = resolve;
    });
    const stopTimer = this.#deps.clock.setTimer(pairingLifetimeMs, () => this.#settle(pairingId, err(failure("pairing_expired"))));
    const expiresAtMs = this.#deps.clock.nowMs() + pairingLifetimeMs;
    const view: PairingView = { ...params, pairingId, code: this.#deps.randomness.newSixDigits(), expiresAtMs };
    return { view, sessionId, params, decided, decide, stopTimer };
  }

  async waitForPairing(sessionId: string, pairingId: string): Promise<Result<PairingWaitResult>> {
    const pairing = this.#waiting.get(pairingId) ?? this.#decided.get(pairingId);
    if (pairing === undefined || pairing.sessionId !== sessionId) return err(failure("pairing_unknown"));
    const outcome = await pairing.decided;
    return this.#decided.delete(pairingId) ? outcome : err(failure("pairing_unknown"));
  }

  /** A person approved it. Fails with `pairing_unknown` or a `vault_*` code; then the program may try again. */
  async approve(pairingId: string, access: AccessPolicy): Promise<Result<undefined>> {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return err(failure("pairing_unknown"));
    const { name, publisher } = pairing.params;
    const client: DmsClientRecord = {
      clientId: this.#deps.randomness.newId(),
      name,
      ...(publisher === undefined ? {} : { publisher }),
      clientKey: this.#deps.randomness.newKey(),
      access,
      pairedAtMs: this.#deps.clock.nowMs(),
    };
    const saved = await this.#deps.vault.saveClient(client);
    if (!saved.ok) return saved;
    if (!this.#waiting.has(pairingId)) return this.#undo(client);
    this.#clients.set(client.clientId, client);
    this.#settle(pairingId, ok({ clientId: client.clientId, clientKey: client.clientKey }));
    this.#deps.onDecided(name, client.clientId, "ok");
    this.#clientsChanged.emit(this.clients());
    return ok();
  }

  /** The program went away, or the time ran out, while its key was being saved: nobody will ever have that key. */
  async #undo(client: DmsClientRecord): Promise<Result<undefined>> {
    await this.#deps.vault.deleteClient(client.clientId);
    return err(failure("pairing_unknown"));
  }

  deny(pairingId: string): Result<undefined> {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return err(failure("pairing_unknown"));
    this.#deniedAtMs = this.#deps.clock.nowMs();
    this.#settle(pairingId, err(failure("pairing_denied")));
    this.#deps.onDecided(pairing.params.name, undefined, "pairing_denied");
    return ok();
  }

  #settle(pairingId: string, outcome: Result<PairingWaitResult>): void {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return;
    pairing.stopTimer();
    this.#waiting.delete(pairingId);
    this.#decided.set(pairingId, pairing);
    pairing.decide(outcome);
    this.#pairingsChanged.emit(this.list());
  }

  sessionClosed(sessionId: string): void {
    for (const [pairingId, pairing] of this.#waiting) {
      if (pairing.sessionId === sessionId) this.#settle(pairingId, err(failure("pairing_expired")));
    }
    for (const [pairingId, pairing] of this.#decided) {
      if (pairing.sessionId === sessionId) this.#decided.delete(pairingId);
    }
  }

  findClient(clientId: string): Promise<DmsClientRecord | undefined> {
    const client = this.#clients.get(clientId);
    return Promise.resolve(client);
  }

  /** Remembers that the program proved its key just now. */
  seen(clientId: string): void {
    this.#lastSeen.set(clientId, this.#deps.clock.nowMs());
  }

  /** Removes a program; its sessions end at once. */
  async remove(clientId: string): Promise<Result<undefined>> {
    const deleted = await this.#deps.vault.deleteClient(clientId);
    if (!deleted.ok) return deleted;
    this.#clients.delete(clientId);
    this.#clientRemoved.emit(clientId);
    this.#clientsChanged.emit(this.clients());
    return ok();
  }

  #clientView({ clientKey: _never, ...client }: DmsClientRecord): DmsClientView {
    const lastSeenAtMs = this.#lastSeen.get(client.clientId);
    return { ...client, ...(lastSeenAtMs === undefined ? {} : { lastSeenAtMs }) };
  }
}
