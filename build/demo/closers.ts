/**
 * What has to be ended or deleted when the demo is over. Invariant: that holds for what is still being started, too, when a
 * signal comes.
 */
import { setTimeout as delay } from "node:timers/promises";

export interface Closers {
  /** @throws when the demo is ending: then nothing more must be started, and `close` is called all the same */
  readonly add: (close: () => unknown) => void;
  /** Calls them in reverse order, until there is none and `story` has settled. */
  readonly closeAll: (story: Promise<unknown>) => Promise<void>;
}

/** For each thing that is ended or deleted. */
const closeLimitMs = 15_000;

export function createClosers(): Closers {
  const closers: (() => unknown)[] = [];
  let isEnding = false;
  return {
    add: (close) => {
      closers.push(close);
      if (isEnding) throw new Error("the demo is ending");
    },
    closeAll: async (story) => {
      isEnding = true;
      do {
        for (let close = closers.pop(); close !== undefined; close = closers.pop()) await settled(called(close));
        await settled(story);
      } while (closers.length > 0);
    },
  };
}

/** Waits for the end, good or bad, but not for ever. */
async function settled(action: Promise<unknown>): Promise<void> {
  await Promise.race([action.catch(() => undefined), delay(closeLimitMs, undefined, { ref: false })]);
}

async function called(close: () => unknown): Promise<void> {
  await close();
}
