/**
 * Asking a person about programs. Invariants: a program gets its key once, after a person approved the number both sides
 * show, and only after the vault has it; a pairing ends with its session; each program has at most one prompt, and every
 * prompt that is not approved makes the next wait longer.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import type { PairingRequestParams, PairingRequestResult, PairingWaitResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AccessPolicy, PairingView } from "../../shared/views.ts";
import type { BlockedPrograms } from "./blocked-programs.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, DmsClientRecord, Randomness } from "./ports.ts";
import { identityKey, type ProgramIdentity } from "./program-identity.ts";
import type { Programs } from "./programs.ts";
import { PromptPause } from "./prompt-pause.ts";

/** Long enough to walk to the computer, short enough that a forgotten prompt goes away. */
const pairingLifetimeMs = 3 * 60_000;
/** A person cannot judge a pile of prompts. */
const maxWaiting = 3;
/** A prompt whose program has gone stays this long, so that a person sees who asked, and can block it. */
const goneMs = 30_000;

interface Pairing {
  view: PairingView;
  readonly sessionId: string;
  readonly decided: Promise<Result<PairingWaitResult>>;
  readonly decide: (outcome: Result<PairingWaitResult>) => void;
  stopTimer: () => void;
  /** The program's client id, once it was approved. */
  clientId?: string;
  /** The person has tried to approve it: if it ends without a key, that was not their will. */
  isWanted: boolean;
}

export interface PairingsDeps {
  readonly programs: Programs;
  readonly blocked: BlockedPrograms;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** `forbidden` by the computer's policy: nobody is ever asked. */
  readonly pairing: "allowed" | "forbidden";
  /** A person at the window has decided, or the broker has refused without asking one. `clientId` once the program has one. */
  readonly onDecided: (program: ProgramIdentity, clientId: string | undefined, outcome: string, decidedBy: "window" | "broker") => void;
}

export class Pairings {
  readonly #deps: PairingsDeps;
  readonly #waiting = new Map<string, Pairing>();
  /** Decided, its answer not yet fetched. */
  readonly #decided = new Map<string, Pairing>();
  readonly #pause = new PromptPause();
  readonly #changed = createEmitter<readonly PairingView[]>();
  readonly onChanged = this.#changed.listen;

  constructor(deps: PairingsDeps) {
    this.#deps = deps;
  }

  list(): readonly PairingView[] {
    return [...this.#waiting.values()].map(({ view }) => view);
  }

  /** See `ProgramRegistry.requestPairing`. */
  requestPairing(sessionId: string, params: PairingRequestParams, programPath?: string): Result<PairingRequestResult> {
    const program = { ...params, ...(programPath === undefined ? {} : { programPath }) };
    const refused = this.#refusal(sessionId, program);
    if (refused !== undefined) return err(refused);
    this.#dropGone(({ view }) => identityKey(view) === identityKey(program));
    const pairing = this.#newPairing(sessionId, program);
    this.#waiting.set(pairing.view.pairingId, pairing);
    this.#changed.emit(this.list());
    return ok({ pairingId: pairing.view.pairingId, code: pairing.view.code, expiresInSeconds: pairingLifetimeMs / 1000 });
  }

  #refusal(sessionId: string, program: PairingRequestParams & { readonly programPath?: string }): Failure | undefined {
    const { pairing, blocked, clock, onDecided } = this.#deps;
    const ruled = pairing === "forbidden" ? "pairing_forbidden" : blocked.isBlocked(program) ? "pairing_blocked" : undefined;
    if (ruled !== undefined) {
      onDecided(program, undefined, ruled, "broker");
      return failure(ruled);
    }
    const identity = identityKey(program);
    const pauseMs = this.#pause.remainingMs(identity, clock.nowMs());
    const waiting = [...this.#waiting.values()].filter(({ view }) => !view.isGone);
    const isAsked = waiting.some((one) => one.sessionId === sessionId || identityKey(one.view) === identity);
    if (pauseMs <= 0 && !isAsked && waiting.length < maxWaiting) return undefined;
    const code = pauseMs > 0 ? "pairing_paused" : "pairing_busy";
    onDecided(program, undefined, code, "broker");
    return failure(code, {}, { retryAfterSeconds: pauseMs > 0 ? Math.ceil(pauseMs / 1000) : 10 });
  }

  #newPairing(sessionId: string, program: PairingRequestParams & { readonly programPath?: string }): Pairing {
    const { randomness, clock } = this.#deps;
    const pairingId = randomness.newId();
    const { promise, resolve } = Promise.withResolvers<Result<PairingWaitResult>>();
    const stopTimer = clock.setTimer(pairingLifetimeMs, () => this.#expire(pairingId));
    const expiresAtMs = clock.nowMs() + pairingLifetimeMs;
    const view: PairingView = { ...program, pairingId, code: randomness.newSixDigits(), expiresAtMs };
    return { view, sessionId, decided: promise, decide: resolve, stopTimer, isWanted: false };
  }

  /** See `ProgramRegistry.waitForPairing`. */
  async waitForPairing(sessionId: string, pairingId: string): Promise<Result<PairingWaitResult>> {
    const pairing = this.#waiting.get(pairingId) ?? this.#decided.get(pairingId);
    if (pairing === undefined || pairing.sessionId !== sessionId) return err(failure("pairing_unknown"));
    const outcome = await pairing.decided;
    return this.#decided.delete(pairingId) ? outcome : err(failure("pairing_unknown"));
  }

  /** A person approved it. Fails with `pairing_unknown` or a `vault_*` code; then the program may try again. */
  async approve(pairingId: string, access: AccessPolicy): Promise<Result<undefined>> {
    const { randomness, clock, programs, onDecided } = this.#deps;
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined || pairing.view.isGone) return err(failure("pairing_unknown"));
    const { name, publisher, programPath } = pairing.view;
    const client: DmsClientRecord = {
      clientId: randomness.newId(),
      name,
      ...(publisher === undefined ? {} : { publisher }),
      ...(programPath === undefined ? {} : { programPath }),
      clientKey: randomness.newKey(),
      access,
      pairedAtMs: clock.nowMs(),
    };
    const saved = await programs.save(client);
    if (!saved.ok) {
      pairing.isWanted = true;
      return saved;
    }
    // It may have been answered, have run out or have gone meanwhile.
    if (!this.#waiting.has(pairingId) || pairing.view.isGone) return this.#undo(client);
    pairing.clientId = client.clientId;
    this.#pause.approved(identityKey(pairing.view));
    this.#settle(pairingId, ok({ clientId: client.clientId, clientKey: client.clientKey }));
    onDecided(pairing.view, client.clientId, "ok", "window");
    return ok();
  }

  /** The program went away, or the time ran out, while its key was being saved: nobody will ever have that key. */
  async #undo(client: DmsClientRecord): Promise<Result<undefined>> {
    await this.#deps.programs.remove(client.clientId);
    return err(failure("pairing_unknown"));
  }

  /** A person denied it. Fails with `pairing_unknown`. */
  deny(pairingId: string): Result<undefined> {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return err(failure("pairing_unknown"));
    this.#endUnapproved(pairing, failure("pairing_denied"));
    this.#deps.onDecided(pairing.view, undefined, "pairing_denied", "window");
    return ok();
  }

  /** A person denied it and never wants to be asked again. Fails with `pairing_unknown` or a `vault_*` code; then it still waits. */
  async block(pairingId: string): Promise<Result<undefined>> {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return err(failure("pairing_unknown"));
    const blocked = await this.#deps.blocked.block(pairing.view);
    if (!blocked.ok) return blocked;
    // It may have ended meanwhile; the program is blocked all the same.
    if (this.#waiting.has(pairingId)) this.#endUnapproved(pairing, failure("pairing_denied"));
    this.#deps.onDecided(pairing.view, undefined, "pairing_blocked", "window");
    // Whoever wore the person down is gone: the others need not wait for it.
    this.#pause.blocked();
    return ok();
  }

  /** See `ProgramRegistry.sessionClosed`. */
  sessionClosed(sessionId: string): void {
    for (const pairing of this.#waiting.values()) {
      if (pairing.sessionId === sessionId && !pairing.view.isGone) this.#withdraw(pairing);
    }
    for (const [pairingId, pairing] of this.#decided) {
      if (pairing.sessionId !== sessionId) continue;
      this.#decided.delete(pairingId);
      if (pairing.clientId !== undefined) void this.#removeUnfetched(pairing, pairing.clientId);
    }
  }

  /** The program no longer waits. */
  #withdraw(pairing: Pairing): void {
    const { pairingId } = pairing.view;
    const nowMs = this.#deps.clock.nowMs();
    pairing.stopTimer();
    pairing.decide(err(failure("pairing_expired")));
    pairing.view = { ...pairing.view, isGone: true, expiresAtMs: nowMs + goneMs };
    pairing.stopTimer = this.#deps.clock.setTimer(goneMs, () => this.#settle(pairingId, err(failure("pairing_expired"))));
    if (!pairing.isWanted) this.#pause.notApproved(identityKey(pairing.view), nowMs);
    this.#deps.onDecided(pairing.view, undefined, "pairing_expired", "broker");
    const gone = [...this.#waiting.values()].filter(({ view }) => view.isGone);
    this.#dropGone((one) => gone.length > maxWaiting && one === gone[0]);
    this.#changed.emit(this.list());
  }

  /** Takes away the prompts of programs that have gone, where `isMeant`. */
  #dropGone(isMeant: (pairing: Pairing) => boolean): void {
    for (const [pairingId, pairing] of this.#waiting) {
      if (pairing.view.isGone && isMeant(pairing)) this.#settle(pairingId, err(failure("pairing_expired")));
    }
  }

  /** Approved, but gone before it fetched its key: nobody will ever have that key. */
  async #removeUnfetched(pairing: Pairing, clientId: string): Promise<void> {
    const removed = await this.#deps.programs.remove(clientId);
    this.#deps.onDecided(pairing.view, clientId, removed.ok ? "pairing_expired" : removed.error.code, "broker");
  }

  /** Nobody has answered in time. */
  #expire(pairingId: string): void {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return;
    this.#endUnapproved(pairing, failure("pairing_expired"));
    this.#deps.onDecided(pairing.view, undefined, "pairing_expired", "broker");
  }

  #endUnapproved(pairing: Pairing, reason: Failure): void {
    // A program that has gone was counted when it went.
    if (!pairing.isWanted && !pairing.view.isGone) this.#pause.notApproved(identityKey(pairing.view), this.#deps.clock.nowMs());
    this.#settle(pairing.view.pairingId, err(reason));
  }

  #settle(pairingId: string, outcome: Result<PairingWaitResult>): void {
    const pairing = this.#waiting.get(pairingId);
    if (pairing === undefined) return;
    pairing.stopTimer();
    this.#waiting.delete(pairingId);
    // Who has gone fetches nothing.
    if (!pairing.view.isGone) this.#decided.set(pairingId, pairing);
    pairing.decide(outcome);
    this.#changed.emit(this.list());
  }
}
