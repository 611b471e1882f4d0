/**
 * Which faults are tried. Invariants: every call of a story is made to fail at least once in each of the three ways a fault
 * can go (passing, then the same run; passing, then a restart; lasting for a while); every error meets every operation.
 */
import type { StoryCase } from "./fault-case.ts";
import { type FaultError, faultErrors, type Operation, type OperationCounts, operations } from "./fault-switch.ts";
import type { RotatedTokenCase } from "./rotated-token-case.ts";

type Way = "resume" | "restart" | "lasting";
const ways: readonly Way[] = ["resume", "restart", "lasting"];

export interface Breadth {
  readonly operations: readonly Operation[];
  readonly ways: readonly Way[];
  /** Each error at each call, instead of the next one of the list. */
  readonly everyError: boolean;
  /** 1: every call; 5: every fifth. */
  readonly stride: number;
}

export const everything: Breadth = { operations, ways, everyError: false, stride: 1 };

/** A story without a fault: its calls are counted. */
export const countingCase: StoryCase = { kind: "story", id: "count", fault: undefined, afterwards: "resume" };

/** Faults for each call that a story without faults makes. */
export function planStories(counted: OperationCounts, { operations: kinds, ways, everyError, stride }: Breadth): readonly StoryCase[] {
  return ways.flatMap((way, wayIndex) =>
    kinds.flatMap((operation) =>
      // Each way begins elsewhere in the list of errors, so that a call meets another one each time.
      callNumbers(counted[operation], stride).flatMap((nth, index) =>
        (everyError ? faultErrors : [errorAt(index + wayIndex)]).map((error) => storyCase(way, operation, nth, error)),
      ),
    ),
  );
}

/** Every error while a rotated token is about to be written. */
export function planRotatedTokens(courses: readonly RotatedTokenCase["course"][]): readonly RotatedTokenCase[] {
  return courses.flatMap((course) =>
    faultErrors.map((error): RotatedTokenCase => ({ kind: "rotated-token", id: `rotated-${course}-${error}`, error, course })),
  );
}

function storyCase(way: Way, operation: Operation, nth: number, error: FaultError): StoryCase {
  return {
    kind: "story",
    id: `${operation}-${nth}-${error}-${way}`,
    fault: { operations: [operation], nth, error, sticky: way === "lasting" },
    // What lasts is looked into both ways in turn.
    afterwards: way === "restart" || (way === "lasting" && nth % 2 === 0) ? "restart" : "resume",
  };
}

function callNumbers(count: number, stride: number): readonly number[] {
  return Array.from({ length: Math.ceil(count / stride) }, (_none, index) => 1 + index * stride);
}

function errorAt(index: number): FaultError {
  return faultErrors[index % faultErrors.length] ?? "EIO";
}
