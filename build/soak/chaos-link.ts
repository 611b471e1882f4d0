/**
 * One connection of the app, and the one to the server that stands for it. It knows nothing of what it carries, which is TLS;
 * it only sees turns: bytes of the app, then bytes of the server.
 *
 * Invariant: a turn counts as passed on only if every byte the server sent in it was written to the app's connection
 * unchanged. Where that cannot be told, because the connection ended at the same moment, it counts as lost.
 */
import type { Socket } from "node:net";
import { assertNever } from "../../shared/result.ts";
import { DelayedWork } from "./delayed-work.ts";
import type { Fate, FateKind } from "./fates.ts";

export interface LinkOptions {
  readonly app: Socket;
  readonly server: Socket;
  /** Asked at the beginning of each turn. */
  readonly drawFate: () => Fate;
  readonly onTrouble: (kind: FateKind) => void;
}

/** The way of one answer from the server to the app. */
export interface AnswerWay {
  /** Unix milliseconds when its last byte left for the app; undefined for an answer that was lost, or is not there yet. */
  readonly deliveredAtMs: () => number | undefined;
  /** The same, but also for an answer of which it is not certain that it was whole. */
  readonly lastSeenAtMs: () => number | undefined;
}

interface Turn {
  readonly fate: Fate;
  hasAppBegun: boolean;
  hasServerBegun: boolean;
  /** Of the server's last bytes. */
  arrivedAtMs: number;
  forwardedAtMs: number | undefined;
  /** Bytes of the server that wait in here. */
  pending: number;
  isLost: boolean;
}

/** Between the server's writing and the proxy's reading. Both are in one process, so this is far more than it takes. */
const inKernelMs = 250;
/** A reset takes away what the app has not read yet; on a busy computer it reads late. */
const unreadMs = 3_000;

export class ChaosLink {
  readonly #options: LinkOptions;
  readonly #toServer = new DelayedWork();
  readonly #toApp = new DelayedWork();
  #turn: Turn;
  #isStalled = false;
  #isOver = false;

  constructor(options: LinkOptions) {
    const { app, server } = options;
    this.#options = options;
    this.#turn = this.#newTurn();
    // "close" follows.
    app.on("error", () => undefined);
    server.on("error", () => undefined);
    app.on("data", (bytes: Buffer) => this.#fromApp(bytes));
    server.on("data", (bytes: Buffer) => this.#fromServer(bytes));
    app.once("close", () => this.#end(() => server.destroy()));
    server.once("close", (hadError: boolean) => (hadError ? this.cut(true) : this.#serverLeft()));
  }

  /** Whether the app could still get something over it. */
  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** Call when the server begins to write an answer on this connection. */
  answerBegins(): AnswerWay {
    const turn = this.#turn;
    const beganAtMs = Date.now();
    const lastSeenAtMs = () => (turn.forwardedAtMs !== undefined && turn.forwardedAtMs >= beganAtMs ? turn.forwardedAtMs : undefined);
    return { lastSeenAtMs, deliveredAtMs: () => (turn.isLost || turn.pending > 0 ? undefined : lastSeenAtMs()) };
  }

  /** Ends it now. What is under way is lost. */
  cut(isReset: boolean): void {
    const { app, server } = this.#options;
    const turn = this.#turn;
    const nowMs = Date.now();
    const isUnread = isReset && turn.forwardedAtMs !== undefined && nowMs - turn.forwardedAtMs < unreadMs;
    if (!turn.hasServerBegun || isUnread || nowMs - turn.arrivedAtMs < inKernelMs) turn.isLost = true;
    this.#end(() => {
      if (isReset) app.resetAndDestroy();
      else app.destroy();
      server.destroy();
    });
  }

  #newTurn(): Turn {
    const fate = this.#options.drawFate();
    return { fate, hasAppBegun: false, hasServerBegun: false, arrivedAtMs: 0, forwardedAtMs: undefined, pending: 0, isLost: false };
  }

  #fromApp(bytes: Buffer): void {
    if (this.#isOver || this.#isStalled) return;
    if (this.#turn.hasServerBegun) this.#turn = this.#newTurn();
    const { server } = this.#options;
    const { fate, hasAppBegun } = this.#turn;
    this.#turn.hasAppBegun = true;
    const delayMs = fate.kind === "pass" ? fate.requestDelayMs : 0;
    const passed = hasAppBegun ? bytes : this.#begun(fate, bytes);
    if (passed !== undefined) this.#toServer.add(delayMs, () => void server.write(passed));
  }

  /** What is passed on of the first bytes of a turn, if anything. */
  #begun(fate: Fate, bytes: Buffer): Buffer | undefined {
    switch (fate.kind) {
      case "pass":
      case "cut-answer":
      case "corrupt-answer":
        return bytes;
      case "corrupt-request":
        this.#options.onTrouble(fate.kind);
        return corrupted(bytes, fate.share);
      case "cut-request":
        this.#options.onTrouble(fate.kind);
        this.#options.server.write(bytes.subarray(0, fate.share * bytes.length), () => this.cut(fate.isReset));
        return undefined;
      case "close":
        this.#options.onTrouble(fate.kind);
        this.cut(true);
        return undefined;
      case "stall":
        this.#options.onTrouble(fate.kind);
        this.#turn.isLost = true;
        this.#isStalled = true;
        return undefined;
      default:
        return assertNever(fate);
    }
  }

  #fromServer(bytes: Buffer): void {
    if (this.#isOver || this.#isStalled) return;
    const turn = this.#turn;
    const { fate } = turn;
    const isFirst = !turn.hasServerBegun;
    turn.hasServerBegun = true;
    turn.arrivedAtMs = Date.now();
    if (isFirst && (fate.kind === "cut-answer" || fate.kind === "corrupt-answer")) this.#options.onTrouble(fate.kind);
    if (fate.kind === "cut-answer" || fate.kind === "corrupt-answer") turn.isLost = true;
    if (fate.kind === "cut-answer") return this.#passAndCut(bytes.subarray(0, fate.share * bytes.length), fate.isReset);
    const passed = isFirst && fate.kind === "corrupt-answer" ? corrupted(bytes, fate.share) : bytes;
    turn.pending += bytes.length;
    this.#toApp.add(fate.kind === "pass" ? fate.answerDelayMs : 0, () => {
      this.#options.app.write(passed);
      turn.pending -= bytes.length;
      turn.forwardedAtMs = Date.now();
    });
  }

  #passAndCut(bytes: Buffer, isReset: boolean): void {
    this.#toApp.add(0, () => void this.#options.app.write(bytes, () => this.cut(isReset)));
  }

  /** What was received before it left is still passed on. */
  #serverLeft(): void {
    if (this.#isStalled) return;
    this.#toApp.add(0, () => this.#end(() => void this.#options.app.end()));
  }

  #end(close: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#toServer.clear();
    this.#toApp.clear();
    close();
  }
}

function corrupted(bytes: Buffer, share: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(share * bytes.length);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}
