/**
 * One connection's bytes: lines in, lines out, with back-pressure both ways.
 *
 * Invariant: a frame is taken only while the session can take it and the client reads its answers;
 * otherwise the socket is paused and the kernel makes the client wait. Nothing is ever dropped: a
 * client that never reads is cut off.
 */
import type { Socket } from "node:net";
import { createFramer, type Frame } from "./framing.ts";
import type { PipeLimits } from "./pipe-limits.ts";

/** Answers of one turn of the event loop go out in one write; past this size taking waits for that write. */
const maxGatheredLength = 64 * 1024;

export interface MessageLinkOptions {
  readonly socket: Socket;
  readonly limits: PipeLimits;
  readonly nowMs: () => number;
  /** Whether another frame may be taken now. After a no, call `takeMore` once it may. */
  readonly mayTake: () => boolean;
  readonly onFrame: (frame: Frame) => void;
  /** What was sent has gone out and `isCongested` is over, or was never true. Called often. */
  readonly onWritable: () => void;
  /** The connection is gone, for whatever reason. Called once. */
  readonly onClosed: () => void;
}

export class MessageLink {
  readonly #options: MessageLinkOptions;
  readonly #framer;
  #gathered = "";
  #flushScheduled = false;
  #finished = false;
  #paused = false;
  /** Has taken its share of this turn of the event loop. */
  #yielding = false;
  #blockedSinceMs: number | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(options: MessageLinkOptions) {
    this.#options = options;
    this.#framer = createFramer(options.limits.maxMessageBytes);
    const { socket } = options;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    // "close" always follows; a reset by the client needs no other treatment.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#finished = true;
      clearTimeout(this.#graceTimer);
      options.onClosed();
    });
  }

  /** Since when the client has left written bytes unread; undefined while it reads. */
  get blockedSinceMs(): number | undefined {
    return this.#blockedSinceMs;
  }

  /** Sends one message; `line` has its line feed. Ignored once the link has finished. */
  send(line: string): void {
    if (this.#finished) return;
    this.#gathered += line;
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flush();
      this.#goOn();
    });
  }

  /** Whether the client has to read before it should be sent what can wait. */
  get isCongested(): boolean {
    return this.#blockedSinceMs !== undefined || this.#gathered.length > maxGatheredLength;
  }

  /** Goes on taking frames if taking had to stop. */
  takeMore(): void {
    if (this.#paused && !this.#yielding) this.#take();
  }

  /** Sends what was gathered, then closes. What still arrives is discarded, so that the client can read the last answer. */
  finish(): void {
    if (this.#finished) return;
    this.#flush();
    this.#finished = true;
    this.#setPaused(false);
    this.#options.socket.end();
    this.#graceTimer = setTimeout(() => this.cut(), this.#options.limits.endGraceMs);
  }

  /** Closes at once. */
  cut(): void {
    this.#finished = true;
    this.#options.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#finished) return;
    this.#framer.push(chunk);
    this.#take();
  }

  /** Takes frames as far as possible; then waits for more bytes, or pauses the client. */
  #take(): void {
    let left = this.#options.limits.messagesPerTurn;
    while (!this.#finished && this.#options.mayTake() && !this.isCongested) {
      if (left === 0) return this.#yieldTurn();
      left -= 1;
      const frame = this.#framer.next();
      if (frame === undefined) {
        this.#setPaused(false);
        return;
      }
      this.#options.onFrame(frame);
    }
    if (!this.#finished) this.#setPaused(true);
  }

  /** A flood of messages must not keep the event loop from others, however fast it is answered. */
  #yieldTurn(): void {
    this.#setPaused(true);
    this.#yielding = true;
    setImmediate(() => {
      this.#yielding = false;
      this.takeMore();
    });
  }

  #flush(): void {
    this.#flushScheduled = false;
    const { socket, limits, nowMs } = this.#options;
    const text = this.#gathered;
    this.#gathered = "";
    if (this.#finished || text === "") return;
    if (socket.writableLength > limits.maxUnsentBytes) return this.cut();
    if (!socket.write(text, "utf8")) this.#blockedSinceMs ??= nowMs();
  }

  /** The client has closed. What it has not been sent yet is sent, in case it still reads. */
  #ended(): void {
    const { socket } = this.#options;
    if (socket.writableLength === 0 && this.#gathered === "") socket.destroy();
    else this.finish();
  }

  #drained(): void {
    this.#blockedSinceMs = undefined;
    this.#goOn();
  }

  #goOn(): void {
    this.takeMore();
    if (!this.#finished && !this.isCongested) this.#options.onWritable();
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#options.socket.pause();
    else this.#options.socket.resume();
  }
}
