/** Runs outside commands one after another. Invariant: a step that cannot be started counts as failed. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./bundles.ts";

export interface Step {
  readonly name: string;
  /** Script below `node_modules`, run by the Node that runs this: no shell and no `.cmd` wrapper on Windows. */
  readonly script: string;
  readonly args: readonly string[];
}

/** A step's output can hold thousands of complaints. */
const outputLimitBytes = 64 * 1024 * 1024;

/**
 * Runs `step` in the repository and prints one line, with the step's output after it if it failed.
 *
 * @returns whether the step ended with status 0
 */
export function runStep(step: Step, print: (line: string) => void): boolean {
  const startedMs = performance.now();
  const run = spawnSync(process.execPath, [join(repositoryRoot, "node_modules", step.script), ...step.args], {
    cwd: repositoryRoot,
    encoding: "utf8",
    maxBuffer: outputLimitBytes,
  });
  const passed = run.status === 0;
  print(`${step.name.padEnd(20)} ${passed ? "ok" : "failed"} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  if (!passed) print([run.error?.message, run.stdout, run.stderr].filter((text) => text !== undefined && text.trim() !== "").join("\n"));
  return passed;
}
