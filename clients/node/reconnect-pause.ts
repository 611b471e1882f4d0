/** How long to leave the broker alone after a failure. Pure. */
import type { BrokerFailure } from "./broker-failure.ts";

/** Nobody listens: looking again costs next to nothing, and the person who starts DMS Connect wants to go on. */
const longestWhileAbsentMs = 1_000;
const longestMs = 30_000;
/** What a person has to change is not changed by asking; but a program that runs for weeks should find out. */
const afterRefusalMs = 60_000;
/** Whoever sits on the pipe may say any number, and goes away again. */
const longestToldMs = 5 * 60_000;
/** A request whose repetition is due this soon is repeated here; a longer wait is left to whoever made it. */
const longestOwnWaitMs = 5_000;

/**
 * The pause before the next attempt to open a session.
 *
 * @param failures how many there have been one after the other, this one included
 * @param random from 0 to 1: many programs lose the broker at the same moment, and should not all come back at the same moment
 * @returns milliseconds, never less than `retryAfterSeconds` up to five minutes
 */
export function pauseMs(why: BrokerFailure, failures: number, random: number): number {
  if (!why.retryable) return afterRefusalMs;
  const longest = why.noAnswer === "not-sent" ? longestWhileAbsentMs : longestMs;
  const shortest = why.code === "rate_limited" ? 1_000 : 250;
  const doubled = Math.min(shortest * 2 ** (failures - 1), longest);
  return Math.max(doubled, toldMs(why) ?? 0) * (1 + random / 2);
}

/**
 * When a request that failed may be made once more by this library.
 *
 * @param mayRepeat whether the broker may get it twice
 * @returns milliseconds to wait, or undefined: its caller has to know
 */
export function repeatAfterMs(why: BrokerFailure, mayRepeat: boolean): number | undefined {
  if (why.noAnswer === "not-sent") return 0;
  if (!mayRepeat) return undefined;
  if (why.noAnswer === "connection-ended" || endsSession(why)) return 0;
  if (why.code !== "rate_limited" && why.code !== "provider_unavailable") return undefined;
  const told = why.retryable ? toldMs(why) : undefined;
  return told !== undefined && told <= longestOwnWaitMs ? told : undefined;
}

/** Whether the session is over although its connection may still be open: the app closes, or the program's access was changed. */
export function endsSession({ code, detail, noAnswer }: BrokerFailure): boolean {
  return noAnswer === "not-sent" || noAnswer === "connection-ended" || code === "shutting_down" || detail === "session_not_authenticated";
}

/** How long the broker asked to wait, if it did: milliseconds, from 0 to five minutes. */
export function toldMs({ retryAfterSeconds }: BrokerFailure): number | undefined {
  return retryAfterSeconds === undefined ? undefined : Math.min(Math.max(retryAfterSeconds * 1000, 0), longestToldMs);
}
