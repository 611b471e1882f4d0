/**
 * The broker's own process at a named step: it reports the step, and ends itself if this is where it is to end.
 * Invariant: the report has left the process before the step is passed, so the parent knows of every step that was.
 */
import { writeSync } from "node:fs";
import { type ChildSettings, type StepReport, stepsDescriptor } from "./child-messages.ts";
import type { ChildStep } from "./steps.ts";

/** One process has one life: what is counted here begins and ends with it. */
let killAt: ChildSettings["killAt"];
let passed = 0;
let isReporting = false;

/** Call once, before anything that has steps. */
export function beginSteps(settings: Pick<ChildSettings, "killAt">): void {
  killAt = settings.killAt;
  isReporting = true;
}

/** Does nothing before `beginSteps`. */
export function step(name: ChildStep, about: Omit<StepReport, "step"> = {}): void {
  if (!isReporting) return;
  report(`${JSON.stringify({ step: name, ...about })}\n`);
  if (killAt?.step !== name) return;
  passed += 1;
  if (passed === killAt.occurrence) endNow();
}

function report(line: string): void {
  for (;;) {
    try {
      writeSync(stepsDescriptor, line);
      return;
    } catch (error) {
      // The parent is busy and the buffer full; anything else means that it is gone.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) process.exit(1);
    }
  }
}

/** As a power cut would: no handler runs, nothing is written out. */
function endNow(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;) {
    // The signal may take a moment, in which nothing else may happen.
  }
}
