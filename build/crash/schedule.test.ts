import { describe, expect, it } from "vitest";
import { createRandom } from "./random.ts";
import { type KillPlan, Schedule, unreachedSteps } from "./schedule.ts";
import { type StepName, stepNames, steps } from "./steps.ts";

const all = stepNames as readonly [StepName, ...StepName[]]; // there are some

function plans(seed: number, count: number): readonly KillPlan[] {
  const schedule = new Schedule(createRandom(seed), all);
  return Array.from({ length: count }, () => schedule.next());
}

function stepsOf(planned: readonly KillPlan[]): readonly StepName[] {
  return planned.flatMap((plan) => (plan.kind === "step" ? [plan.step] : []));
}

describe("the schedule", () => {
  it("has every step once before it repeats any", () => {
    expect(stepsOf(plans(1, stepNames.length)).toSorted()).toEqual([...stepNames].toSorted());
  });

  it("is the same for the same seed, and another for another", () => {
    expect(plans(7, 200)).toEqual(plans(7, 200));
    expect(plans(8, 200)).not.toEqual(plans(7, 200));
  });

  it("mixes steps with random moments, before and after the start", () => {
    const kinds = plans(3, 400)
      .slice(stepNames.length)
      .map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["step", "starting", "running"]));
  });

  it("asks for no occurrence that a step does not have", () => {
    for (const plan of plans(5, 500)) {
      if (plan.kind !== "step") continue;
      expect(plan.occurrence).toBeGreaterThanOrEqual(1);
      expect(plan.occurrence).toBeLessThanOrEqual(steps[plan.step].occurrences);
    }
  });

  it("asks again for a step that was missed, but not for ever", () => {
    const schedule = new Schedule(createRandom(1), ["answered"]);
    for (let asked = 1; asked <= 6; asked += 1) {
      expect(schedule.next()).toEqual({ kind: "step", step: "answered", occurrence: 1 });
      schedule.missed("answered");
    }
    const later = Array.from({ length: 50 }, () => schedule.next());
    expect(later.some(({ kind }) => kind !== "step")).toBe(true);
  });

  it("names the steps that were never reached, once there were kills enough", () => {
    const kills = new Map<StepName, number>([["answered", 2]]);
    expect(unreachedSteps(kills, 2, ["answered", "answering"])).toEqual(["answering"]);
    expect(unreachedSteps(kills, 1, ["answered", "answering"])).toEqual([]);
  });
});
