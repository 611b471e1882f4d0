/** `npm run check`: types, lint with the layer rules, unused code, format. Ends with status 1 if any step failed. */
import { runStep, type Step } from "./run-steps.ts";

const typescript = "typescript/bin/tsc";

const steps: readonly Step[] = [
  { name: "types", script: typescript, args: ["--noEmit", "-p", "tsconfig.json"] },
  { name: "types: renderer", script: typescript, args: ["--noEmit", "-p", "renderer/tsconfig.json"] },
  { name: "types: core", script: typescript, args: ["--noEmit", "-p", "electron/core/tsconfig.json"] },
  { name: "lint and layers", script: "oxlint/bin/oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "unused code", script: "knip/bin/knip.js", args: ["--no-progress"] },
  { name: "format", script: "@biomejs/biome/bin/biome", args: ["check", "--no-errors-on-unmatched"] },
];

// Every step runs, so that one run shows everything there is to mend.
const failed = steps.filter((step) => !runStep(step, (line) => console.log(line)));
console.log(failed.length === 0 ? "check: ok" : `check: ${failed.length} of ${steps.length} steps failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
