/**
 * One program's connection: reads requests, answers each exactly once, in whatever order they finish.
 *
 * Invariant: every request that was taken is answered, unless the connection is gone. At most
 * `maxPendingRequests` are under way, and at most one whose answer may be long; further ones wait in the program's own
 * buffer, so what a session can make the broker hold is bounded.
 */
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { type Failure, failure } from "../../shared/failure.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import { answerLine } from "./answer-text.ts";
import { EventSubscription } from "./event-subscription.ts";
import type { Frame } from "./framing.ts";
import { type JsonRpcError, jsonRpcError, standardErrorNumbers } from "./json-rpc-errors.ts";
import { MessageLink } from "./message-link.ts";
import { invalidMessage, parseRequest, type Request, type RequestId } from "./messages.ts";
import { hasLongAnswer, programMethods, subscribeMethod } from "./method-table.ts";
import { type Reply, refusal } from "./reply.ts";
import type { SessionContext } from "./session-context.ts";
import { SessionEntry } from "./session-entry.ts";

/** What an authenticated session has. */
interface Member {
  readonly client: DmsClientRecord;
  readonly events: EventSubscription;
}

export class PipeSession {
  /** Settles when the connection is gone. Never rejects. */
  readonly closed: Promise<void>;
  readonly #context: SessionContext;
  readonly #link: MessageLink;
  readonly #entry: SessionEntry;
  readonly #pending = new Set<RequestId>();
  #member: Member | undefined;
  #longAnswerUnderWay = false;
  #lastRequestMs: number;
  #ended = false;

  constructor(socket: Socket, context: SessionContext) {
    this.#context = context;
    this.#lastRequestMs = context.nowMs();
    const sessionId = randomUUID();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#link = new MessageLink({
      socket,
      limits: context.limits,
      nowMs: context.nowMs,
      mayTake: () => this.#pending.size < context.limits.maxPendingRequests && !this.#longAnswerUnderWay,
      onFrame: (frame) => this.#take(frame),
      onWritable: () => this.#member?.events.deliver(),
      onClosed: () => {
        this.#dispose();
        context.registry.sessionClosed(sessionId);
        resolve();
      },
    });
    this.#entry = new SessionEntry({
      context,
      sessionId,
      onAuthenticated: (client) => this.#admit(client),
      // Requests sent right behind the proof are refused with it.
      onRefused: (reason) => this.endWith(reason),
      onDeadline: () => this.#link.cut(),
    });
  }

  /** The program this session belongs to, once it has proved its key. */
  get clientId(): string | undefined {
    return this.#member?.client.clientId;
  }

  /** Whether nobody has proved a key on this connection, and no person is asked about it. */
  get isStranger(): boolean {
    return this.#member === undefined && !this.#entry.isPairing;
  }

  /** Ends the connection at once, to make room for another. */
  cut(): void {
    this.#link.cut();
  }

  /** Answers every request under way with `reason`, then closes. */
  endWith(reason: Failure): void {
    if (this.#ended) return;
    const error = jsonRpcError(reason);
    for (const id of this.#pending) this.#sendError(id, error);
    this.#finish();
  }

  /** The app ends: says so, and when to come back, to whoever waits for an answer or follows events. */
  shutDown(retryAfterSeconds: number): void {
    if (this.#ended) return;
    this.#member?.events.announceEnd(retryAfterSeconds);
    this.endWith(failure("shutting_down", {}, { retryAfterSeconds }));
  }

  /** Ends the session if it belongs, or is about to belong, to that program. */
  endIfClient(clientId: string, reason: Failure): void {
    if (this.clientId === clientId || this.#entry.claims(clientId)) this.endWith(reason);
  }

  /** Ends the session if nobody uses it, or if the program has stopped reading. */
  sweep(nowMs: number): void {
    const { limits } = this.#context;
    const { blockedSinceMs } = this.#link;
    if (blockedSinceMs !== undefined && nowMs - blockedSinceMs >= limits.stalledWriteMs) return this.#link.cut();
    const inUse = this.#pending.size > 0 || this.#member === undefined || this.#member.events.active;
    if (!inUse && nowMs - this.#lastRequestMs >= limits.idleMs) this.#finish();
  }

  #admit(client: DmsClientRecord): void {
    const events = new EventSubscription({
      api: this.#context.programApi,
      client,
      send: (params) => this.#link.send(`${JSON.stringify({ jsonrpc: "2.0", method: "event", params })}\n`),
      maySend: () => !this.#link.isCongested,
    });
    this.#member = { client, events };
  }

  #take(frame: Frame): void {
    if (frame.kind === "message") {
      // An empty line is no message; some writers end every message with one.
      if (frame.text !== "") this.#takeMessage(frame.text);
      return;
    }
    if (frame.kind === "not-utf8") return this.#sendError(null, invalidMessage("it is not UTF-8", standardErrorNumbers.parseError));
    this.#sendError(null, jsonRpcError(failure("message_too_large", { limit: this.#context.limits.maxMessageBytes })));
    this.#finish();
  }

  #takeMessage(text: string): void {
    const parsed = parseRequest(text);
    if (!parsed.ok) return this.#sendError(parsed.error.id, parsed.error.error);
    const request = parsed.value;
    // Answered under no id: under this one it would pass for the answer to the first request.
    if (this.#pending.has(request.id)) {
      return this.#sendError(null, invalidMessage("its id already waits for an answer", standardErrorNumbers.invalidRequest));
    }
    this.#pending.add(request.id);
    this.#lastRequestMs = this.#context.nowMs();
    this.#longAnswerUnderWay = hasLongAnswer(request.method);
    void this.#answer(request);
  }

  async #answer(request: Request): Promise<void> {
    const reply = await this.#run(request);
    if (this.#ended || !this.#pending.delete(request.id)) return;
    if (hasLongAnswer(request.method)) this.#longAnswerUnderWay = false;
    this.#send(request.id, reply);
    reply.afterwards?.();
    this.#link.takeMore();
  }

  async #run(request: Request): Promise<Reply> {
    try {
      return await this.#dispatch(request);
    } catch (error) {
      this.#context.log.error("pipe.method_failed", error);
      return refusal(failure("internal_error"));
    }
  }

  async #dispatch({ method, params }: Request): Promise<Reply> {
    const programMethod = programMethods.get(method);
    if (programMethod !== undefined || method === subscribeMethod) {
      // A request right behind the proof waits for its outcome.
      if (this.#member === undefined) await this.#entry.authenticated;
      if (this.#member === undefined || this.#ended) return refusal(failure("session_not_authenticated"));
      const admitted = this.#context.programApi.admit(this.#member.client);
      if (!admitted.ok) return { result: admitted };
      if (programMethod === undefined) return this.#member.events.subscribe();
      return { result: await programMethod(this.#context.programApi, this.#member.client, params) };
    }
    return (await this.#entry.handle(method, params)) ?? refusal(failure("method_unknown", { method: shortened(method) }));
  }

  #send(id: RequestId, { result, errorNumber }: Reply): void {
    if (!result.ok) return this.#sendError(id, jsonRpcError(result.error, errorNumber));
    const line = answerLine(id, result.value);
    // UTF-8 takes at most three bytes a UTF-16 unit: short lines need not be counted.
    const { maxAnswerBytes } = this.#context.limits;
    if (line.length * 3 > maxAnswerBytes && Buffer.byteLength(line) > maxAnswerBytes) {
      return this.#sendError(id, jsonRpcError(failure("internal_error")));
    }
    this.#link.send(line);
  }

  #sendError(id: RequestId | null, error: JsonRpcError): void {
    this.#link.send(`${JSON.stringify({ jsonrpc: "2.0", id, error })}\n`);
  }

  #finish(): void {
    this.#dispose();
    this.#link.finish();
  }

  #dispose(): void {
    this.#ended = true;
    this.#pending.clear();
    this.#entry.dispose();
    this.#member?.events.stop();
  }
}

/** The method comes back in an error message: its beginning is enough to find the mistake. */
function shortened(method: string): string {
  return method.length <= 64 ? method : `${method.slice(0, 64)}…`;
}
