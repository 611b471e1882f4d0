/**
 * How a connection becomes a program's session: pairing first if need be, then `session.hello` and
 * `session.authenticate`.
 *
 * Invariant: a client record leaves this module only after the program has proved its key on this
 * connection. One wrong proof ends the connection.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { pipeProtocolVersion } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import type { Challenge } from "./handshake.ts";
import { standardErrorNumbers } from "./json-rpc-errors.ts";
import {
  pairingRequestParams,
  pairingWaitParams,
  parseParams,
  protocolChoice,
  sessionAuthenticateParams,
  sessionHelloParams,
} from "./messages.ts";
import { type Reply, refusal } from "./reply.ts";
import type { SessionContext } from "./session-context.ts";

type EntryState =
  | { readonly kind: "new" }
  | { readonly kind: "pairing" }
  /** The client is being looked up. */
  | { readonly kind: "greeting" }
  | { readonly kind: "greeted"; readonly clientId: string; readonly challenge: Challenge }
  | { readonly kind: "authenticating"; readonly clientId: string }
  | { readonly kind: "done" };

export interface SessionEntryOptions {
  readonly context: SessionContext;
  readonly sessionId: string;
  readonly onAuthenticated: (client: DmsClientRecord) => void;
  /** The connection must end; its last answers may still go out. */
  readonly onRefused: (reason: Failure) => void;
  /** Nobody authenticated in time. */
  readonly onDeadline: () => void;
}

export class SessionEntry {
  readonly #options: SessionEntryOptions;
  #authenticated: Promise<unknown> | undefined;
  #state: EntryState = { kind: "new" };
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: SessionEntryOptions) {
    this.#options = options;
    this.#restartDeadline(options.context.limits.authenticationMs);
  }

  /** Answers the methods of entry; undefined for any other name. */
  handle(method: string, params: unknown): Promise<Reply> | undefined {
    switch (method) {
      case "session.hello":
        return this.#hello(params);
      case "session.authenticate":
        return (this.#authenticated = this.#authenticate(params).finally(() => (this.#authenticated = undefined)));
      case "pairing.request":
        return Promise.resolve(this.#requestPairing(params));
      case "pairing.wait":
        return this.#waitForPairing(params);
      default:
        return undefined;
    }
  }

  /** Settles when the proof that is being looked at has been accepted or refused; undefined when there is none. */
  get authenticated(): Promise<unknown> | undefined {
    return this.#authenticated;
  }

  get isPairing(): boolean {
    return this.#state.kind === "pairing";
  }

  /** Whether this connection is about to become a session of that program. */
  claims(clientId: string): boolean {
    return "clientId" in this.#state && this.#state.clientId === clientId;
  }

  dispose(): void {
    this.#state = { kind: "done" };
    clearTimeout(this.#deadline);
  }

  async #hello(params: unknown): Promise<Reply> {
    if (this.#state.kind !== "new") return notExpectedNow("session.hello");
    const parsed = parseParams(sessionHelloParams, params);
    // Another version's other fields may have another form.
    const chosen = parsed.ok ? parsed : parseParams(protocolChoice, params);
    const protocol = chosen.ok ? chosen.value.protocol : pipeProtocolVersion;
    if (protocol !== pipeProtocolVersion) return refusal(failure("protocol_unsupported", { protocol }));
    if (!parsed.ok) return { result: parsed };
    const { clientId, nonce } = parsed.value;
    this.#state = { kind: "greeting" };
    const client = await this.#options.context.registry.findClient(clientId);
    if (this.#isDone()) return refusal(failure("not_paired"));
    const challenge = this.#options.context.handshake.challenge(clientId, nonce, client?.clientKey);
    this.#state = { kind: "greeted", clientId, challenge };
    return { result: ok({ nonce: challenge.serverNonce, proof: challenge.brokerProof }) };
  }

  async #authenticate(params: unknown): Promise<Reply> {
    if (this.#state.kind !== "greeted") return notExpectedNow("session.authenticate");
    const parsed = parseParams(sessionAuthenticateParams, params);
    if (!parsed.ok) return { result: parsed };
    const { clientId, challenge } = this.#state;
    this.#state = { kind: "authenticating", clientId };
    const proved = challenge.accepts(parsed.value.proof);
    // Looked up again, and for wrong proofs too: the program may have been removed since session.hello.
    const client = await this.#options.context.registry.findClient(clientId);
    // Gone meanwhile: nothing was decided about its proof.
    if (this.#isDone()) return refusal(failure("not_paired"));
    if (!proved || client === undefined) return this.#refuseSession(clientId, "not_paired");
    const { limits, registry, sessionCount, version } = this.#options.context;
    if (sessionCount(clientId) >= limits.maxSessionsPerProgram) return this.#refuseSession(clientId, "rate_limited");
    registry.sessionDecided(clientId, "ok");
    this.dispose();
    this.#options.onAuthenticated(client);
    return { result: ok({ name: "DMS Connect", version }) };
  }

  #requestPairing(params: unknown): Reply {
    if (this.#state.kind !== "new" && this.#state.kind !== "pairing") return notExpectedNow("pairing.request");
    const parsed = parseParams(pairingRequestParams, params);
    if (!parsed.ok) return { result: parsed };
    const { registry, limits, programPath } = this.#options.context;
    const result = registry.requestPairing(this.#options.sessionId, parsed.value, programPath());
    if (!result.ok) return { result };
    this.#state = { kind: "pairing" };
    this.#restartDeadline(result.value.expiresInSeconds * 1000 + limits.authenticationMs);
    return { result };
  }

  async #waitForPairing(params: unknown): Promise<Reply> {
    if (this.#state.kind !== "pairing") return refusal(failure("pairing_unknown"));
    const parsed = parseParams(pairingWaitParams, params);
    if (!parsed.ok) return { result: parsed };
    const result = await this.#options.context.registry.waitForPairing(this.#options.sessionId, parsed.value.pairingId);
    if (this.#state.kind === "pairing" && endsPairing(result)) {
      this.#state = { kind: "new" };
      this.#restartDeadline(this.#options.context.limits.authenticationMs);
    }
    return { result };
  }

  #refuseSession(clientId: string, code: "not_paired" | "rate_limited"): Reply {
    this.#options.context.registry.sessionDecided(clientId, code);
    return this.#refuse(failure(code));
  }

  #refuse(reason: Failure): Reply {
    this.dispose();
    return { result: err(reason), afterwards: () => this.#options.onRefused(reason) };
  }

  /** A function, because the state may have changed during an await. */
  #isDone(): boolean {
    return this.#state.kind === "done";
  }

  #restartDeadline(delayMs: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(this.#options.onDeadline, delayMs);
  }
}

function endsPairing(result: Result<unknown>): boolean {
  return result.ok || result.error.code === "pairing_denied" || result.error.code === "pairing_expired";
}

function notExpectedNow(method: string): Reply {
  return refusal(failure("message_invalid", { problem: `${method} is not expected now` }), standardErrorNumbers.invalidRequest);
}
