/**
 * When each run is to be ended. Invariants: every step comes once before any is repeated; a step that a run did not come
 * by is asked for again; the same seed gives the same plans in the same order.
 */
import type { Random } from "./random.ts";
import { type StepName, stepNames, steps } from "./steps.ts";

export type KillPlan =
  | { readonly kind: "step"; readonly step: StepName; readonly occurrence: number }
  /** Some time after the process was started, whether or not it is ready by then. */
  | { readonly kind: "starting"; readonly afterMs: number }
  /** Some time after it was ready. */
  | { readonly kind: "running"; readonly afterMs: number };

/** About what a start takes; the process is ended somewhere in it. */
const startMs = 160;
/** Long enough for some dozens of requests and several refreshes. */
const runningMs = 400;
/** Shares of the plans that follow the first round. */
const stepShare = 0.45;
const startingShare = 0.1;
/** A step that was not reached this often is not reachable: the summary says so. */
const mostTries = 6;

export class Schedule {
  readonly #random: Random;
  readonly #steps: readonly [StepName, ...StepName[]];
  readonly #due: StepName[];
  readonly #tries = new Map<StepName, number>();

  /** @param allowed the steps to use; a single one gives runs that all end there */
  constructor(random: Random, allowed: readonly [StepName, ...StepName[]]) {
    this.#random = random;
    this.#steps = allowed;
    this.#due = random.shuffled(allowed);
  }

  next(): KillPlan {
    const due = this.#due.shift();
    if (due !== undefined) return { kind: "step", step: due, occurrence: 1 };
    const share = this.#random.fraction();
    if (share < stepShare) return this.#repeatedStep();
    if (share < stepShare + startingShare) return { kind: "starting", afterMs: this.#random.between(0, startMs) };
    return { kind: "running", afterMs: this.#random.between(0, runningMs) };
  }

  /** The run ended without coming by its step. */
  missed(step: StepName): void {
    const tries = (this.#tries.get(step) ?? 0) + 1;
    this.#tries.set(step, tries);
    if (tries < mostTries) this.#due.unshift(step);
  }

  #repeatedStep(): KillPlan {
    const step = this.#random.pick(this.#steps);
    return { kind: "step", step, occurrence: this.#random.between(1, steps[step].occurrences + 1) };
  }
}

/** The steps that should have ended a run and never did; none while there were fewer kills than steps. */
export function unreachedSteps(
  stepKills: ReadonlyMap<StepName, number>,
  kills: number,
  allowed: readonly StepName[] = stepNames,
): readonly StepName[] {
  return kills < allowed.length ? [] : allowed.filter((step) => !stepKills.has(step));
}
