/** Every bound of the pipe, in one place. docs/pipe-protocol.md tells programs about them. */
import { maxMessageBytes } from "../../shared/pipe-protocol.ts";

/** When programs should come back after the app has closed, where nobody says otherwise (docs/pipe-protocol.md, "After a failure"). */
export const usualRetryAfterSeconds = 5;

export interface PipeLimits {
  readonly maxMessageBytes: number;
  /** Longest answer. Only lists of connections come near it. */
  readonly maxAnswerBytes: number;
  readonly maxPendingRequests: number;
  /** Messages a session may have taken in one turn of the event loop: then it is the others' turn. */
  readonly messagesPerTurn: number;
  readonly maxSessions: number;
  readonly maxSessionsPerProgram: number;
  /** From connecting to having proved the key; a waiting pairing stops this clock. */
  readonly authenticationMs: number;
  /** Without a request; half a message, or a byte now and then, is none. */
  readonly idleMs: number;
  /** How long a client may leave written bytes unread. */
  readonly stalledWriteMs: number;
  readonly maxUnsentBytes: number;
  /** How long a closing session waits for the other side to close too. */
  readonly endGraceMs: number;
  readonly sweepMs: number;
}

export const pipeLimits: PipeLimits = {
  maxMessageBytes,
  // About 25,000 connections at 300 bytes: more than any dealer has.
  maxAnswerBytes: 8 * 1024 * 1024,
  // More than a DMS server has threads; less than one program could fill memory with.
  maxPendingRequests: 256,
  // About a third of a millisecond of work; a longer turn would be felt by others, a shorter one costs a flood its speed.
  messagesPerTurn: 32,
  maxSessions: 1024,
  maxSessionsPerProgram: 64,
  // Two round trips on one computer take a millisecond; the rest is for a computer that just woke up.
  authenticationMs: 5_000,
  idleMs: 10 * 60_000,
  stalledWriteMs: 30_000,
  // 256 answers of 64 KiB: a client that asks for everything at once and then reads is not cut.
  maxUnsentBytes: 16 * 1024 * 1024,
  endGraceMs: 1_000,
  sweepMs: 5_000,
};
