/** The clock and the randomness that core gets from the running system. */
import { randomBytes, randomInt } from "node:crypto";
import type { Clock, Randomness } from "../core/ports.ts";

export const systemClock: Clock = {
  nowMs: Date.now,
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandomness: Randomness = {
  newId: () => randomBytes(18).toString("base64url"),
  newSixDigits: () => String(randomInt(1_000_000)).padStart(6, "0"),
  newKey: () => randomBytes(32).toString("base64url"),
};
