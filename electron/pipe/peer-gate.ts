/**
 * Who may connect to the Unix socket: programs of the broker's own user, and nobody else. The folder (0700) and the socket
 * (0600) keep others out already; this still holds where those were opened by mistake.
 *
 * Invariant: where the system tells who connected, nobody is served who is another user, or whose user cannot be read.
 */
import type { Socket } from "node:net";
import type { Log } from "../core/ports.ts";
import { loadPeerReader } from "./peer-reader.ts";

/** Writing to the log takes time, which a flood of connections must not cost. */
const notePeriodMs = 60_000;

export interface PeerGate {
  /** Whether to serve this connection. */
  readonly admits: (socket: Socket) => boolean;
  /** The file of the process that connected, where the system tells it. */
  readonly programPath: (socket: Socket) => string | undefined;
  /** Tells the log what it was not told yet. */
  readonly close: () => void;
}

export interface PeerGateOptions {
  readonly log: Log;
  readonly nowMs: () => number;
  /**
   * Whose programs are served. root is nobody special here: it can read the broker's memory anyway, so refusing it protects
   * nothing, but a program started with sudo by mistake must not become a program of this user.
   */
  readonly ownUserId?: number | undefined;
}

/** Loads what the system offers. Where it offers nothing, everybody whom the socket lets in is served, and the log says so once. */
export async function openPeerGate({ log, nowMs, ownUserId = process.geteuid?.() }: PeerGateOptions): Promise<PeerGate> {
  // There the access list of the pipe decides, and Node does not tell who connected.
  if (process.platform === "win32") return { admits: () => true, programPath: () => undefined, close: () => undefined };
  const reader = await loadPeerReader();
  if (reader === undefined) {
    log.warn("pipe.peers_not_checked", { platform: process.platform });
    return { admits: () => true, programPath: () => undefined, close: () => undefined };
  }
  const refusals = new RefusalCount(log, nowMs);
  return {
    admits: (socket) => {
      const userId = reader.userId(socket);
      if (userId !== undefined && userId === ownUserId) return true;
      refusals.add(userId === undefined ? "unreadable" : "otherUser");
      return false;
    },
    programPath: reader.programPath,
    close: () => refusals.tell(),
  };
}

class RefusalCount {
  readonly #log: Log;
  readonly #nowMs: () => number;
  #toldMs = Number.NEGATIVE_INFINITY;
  #count = { otherUser: 0, unreadable: 0 };

  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  add(kind: "otherUser" | "unreadable"): void {
    this.#count[kind] += 1;
    if (this.#nowMs() - this.#toldMs >= notePeriodMs) this.tell();
  }

  tell(): void {
    if (this.#count.otherUser + this.#count.unreadable === 0) return;
    this.#toldMs = this.#nowMs();
    this.#log.warn("pipe.peers_refused", this.#count);
    this.#count = { otherUser: 0, unreadable: 0 };
  }
}
