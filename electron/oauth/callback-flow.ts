/**
 * One sign-in that waits for its browser. Invariant: a state is answered once; the first valid callback
 * decides, and after `close` nothing settles any more.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { failure } from "../../shared/failure.ts";
import type { CallbackPageOutcome } from "../core/ports.ts";
import { outcomePage } from "./callback-page.ts";
import { sendPage } from "./callback-response.ts";

type FlowState =
  /** Listening, but the authorization URL is not built yet: any callback is unexpected. */
  | { readonly kind: "opened" }
  | { readonly kind: "waiting"; readonly stateDigest: Buffer; readonly settle: (query: URLSearchParams) => void }
  | { readonly kind: "received"; readonly resultPath: string }
  | { readonly kind: "finished"; readonly resultPath: string; readonly outcome: CallbackPageOutcome }
  | { readonly kind: "released" };

export interface CallbackFlowOptions {
  readonly scheme: "http" | "https";
  /** The only acceptable `Host`. */
  readonly authority: string;
  /** Exact path of the redirect URI. */
  readonly path: string;
  /** How long a browser's request for the result may wait for it. */
  readonly resultWaitMs: number;
  /** How long the result is kept for a browser that has not asked for it yet. */
  readonly resultGraceMs: number;
  /** Called once, when this flow needs its listeners no more. */
  readonly release: () => void;
}

export class CallbackFlow {
  readonly authority: string;
  readonly path: string;
  readonly #options: CallbackFlowOptions;
  #state: FlowState = { kind: "opened" };
  #providerName = "";
  #graceTimer: NodeJS.Timeout | undefined;
  /** Browser requests for the result, each with its own time limit. */
  readonly #waitingResponses = new Map<ServerResponse, NodeJS.Timeout>();

  constructor(options: CallbackFlowOptions) {
    this.#options = options;
    this.authority = options.authority;
    this.path = options.path;
  }

  get providerName(): string {
    return this.#providerName;
  }

  /** @see PendingCallback.receive */
  receive(state: string, providerName: string): Promise<URLSearchParams> {
    const { promise, resolve } = Promise.withResolvers<URLSearchParams>();
    if (this.#state.kind === "released") return promise;
    if (this.#state.kind !== "opened") throw new Error("receive may be called once only");
    this.#providerName = providerName;
    this.#state = { kind: "waiting", stateDigest: digest(state), settle: resolve };
    return promise;
  }

  /** Whether this flow waits for exactly this state; takes the same time for every wrong one. */
  expects(state: string): boolean {
    return this.#state.kind === "waiting" && timingSafeEqual(this.#state.stateDigest, digest(state));
  }

  /** Takes the callback's query and returns the address, without code or state, where the browser waits for the result. */
  accept(query: URLSearchParams): string {
    if (this.#state.kind !== "waiting") throw new Error("a callback was accepted that nobody waits for");
    const { settle } = this.#state;
    const resultPath = `/dms-connect/result/${randomBytes(16).toString("base64url")}`;
    this.#state = { kind: "received", resultPath };
    settle(query);
    return `${this.#options.scheme}://${this.authority}${resultPath}`;
  }

  ownsResult(path: string): boolean {
    return (this.#state.kind === "received" || this.#state.kind === "finished") && this.#state.resultPath === path;
  }

  /** Answers with the final page, once there is one. */
  answerResult(response: ServerResponse): void {
    if (this.#state.kind === "finished") return this.#deliver(response, this.#state.outcome);
    const timer = setTimeout(() => this.#giveUp(response), this.#options.resultWaitMs);
    this.#waitingResponses.set(response, timer);
    response.once("close", () => this.#forget(response));
  }

  /** @see PendingCallback.finish */
  finish(outcome: CallbackPageOutcome): void {
    if (this.#state.kind === "opened" || this.#state.kind === "waiting") return this.#release();
    if (this.#state.kind !== "received") return;
    this.#state = { kind: "finished", resultPath: this.#state.resultPath, outcome };
    this.#graceTimer = setTimeout(() => this.#release(), this.#options.resultGraceMs);
    for (const response of this.#waitingResponses.keys()) this.#deliver(response, outcome);
  }

  /** @see PendingCallback.close */
  close(): void {
    const page = outcomePage({ kind: "failed", failure: failure("connect_cancelled") });
    for (const response of this.#waitingResponses.keys()) sendPage(response, 200, page);
    this.#release();
  }

  #deliver(response: ServerResponse, outcome: CallbackPageOutcome): void {
    // Once the socket is closed, the page has been flushed; unless the browser had hung up (reload) and asks again.
    response.req.socket.once("close", () => {
      if (response.writableFinished) this.#release();
    });
    sendPage(response, 200, outcomePage(outcome));
  }

  #giveUp(response: ServerResponse): void {
    const failed = failure("provider_timed_out", { provider: this.#providerName });
    sendPage(response, 200, outcomePage({ kind: "failed", failure: failed }));
  }

  #forget(response: ServerResponse): void {
    clearTimeout(this.#waitingResponses.get(response));
    this.#waitingResponses.delete(response);
  }

  #release(): void {
    if (this.#state.kind === "released") return;
    this.#state = { kind: "released" };
    clearTimeout(this.#graceTimer);
    for (const response of this.#waitingResponses.keys()) this.#forget(response);
    this.#options.release();
  }
}

/** Digests have one length, as `timingSafeEqual` wants. */
function digest(state: string): Buffer {
  return createHash("sha256").update(state).digest();
}
