/** Tells the demo's steps, one plain line each. Invariant: no line holds a query string, since that is where codes and states travel. */

import { stripVTControlCharacters } from "node:util";

export interface Narrator {
  /** Runs a step and prints its name and time; a failure becomes `StepFailed`. */
  readonly step: <T>(name: string, run: () => Promise<T>) => Promise<T>;
  readonly say: (line: string) => void;
}

/** A step that did not succeed; the message is one sentence with the step's name. */
export class StepFailed extends Error {
  constructor(step: string, cause: unknown) {
    super(`${step}: ${plainReason(cause)}`);
  }
}

/** Makes a narrator. */
export function createNarrator(print: (line: string) => void): Narrator {
  return {
    say: print,
    step: async (name, run) => {
      const startedMs = performance.now();
      try {
        const value = await run();
        print(`${name} (${(performance.now() - startedMs).toFixed(0)} ms)`);
        return value;
      } catch (error) {
        throw error instanceof StepFailed ? error : new StepFailed(name, error);
      }
    },
  };
}

/** @throws with `sentence` unless `condition` holds */
export function ensure(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

function plainReason(cause: unknown): string {
  const message = stripVTControlCharacters(cause instanceof Error ? cause.message : String(cause));
  const [firstLine = ""] = message.split("\n");
  // Playwright says further down what it was waiting for.
  const awaited = /^\s*- (waiting for .*)$/m.exec(message)?.[1];
  return [firstLine, awaited]
    .filter((part) => part !== undefined)
    .join(" ")
    .replaceAll(/\?[^\s"']+/g, "?…");
}
