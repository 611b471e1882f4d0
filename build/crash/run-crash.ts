/**
 * `npm run crash -- --kills N`: kills a real broker again and again and counts what it forgot. Ends with one line of
 * totals, and with status 1 if something acknowledged was lost, something was corrupt or a refresh token was reused.
 *
 * Options: `--seed S` repeats a schedule as far as timing allows; `--workers W` (2); `--verbose` tells every kill;
 * `--steps a,b` kills at these steps only; `--sabotage KIND` gives the broker a deliberate fault, which has to be found.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleChild } from "./child-bundle.ts";
import { type CrashRunOptions, runCrash } from "./crash-run.ts";
import { readCrashOptions } from "./options.ts";
import { unreachedSteps } from "./schedule.ts";
import { isClean, seenLine, stepLine, summaryLine } from "./totals.ts";

const options = readCrashOptions(process.argv.slice(2), () => randomInt(1, 2 ** 31));
if (options.ok) {
  process.exitCode = await crash(options.value);
} else {
  console.error(options.error);
  process.exitCode = 2;
}

/** Returns the exit status. */
async function crash(options: Omit<CrashRunOptions, "file" | "folder" | "print">): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "dms-crash-"));
  // Also when it is interrupted; the broker's processes end by themselves when this one does.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  console.log(`crash: kills=${options.kills} seed=${options.seed} workers=${options.workers}`);
  const totals = await runCrash({ ...options, folder, file: await bundleChild(folder), print: (line) => console.log(line) });
  const unreached = unreachedSteps(totals.stepKills, totals.kills, options.steps);
  if (unreached.length > 0) console.log(`steps never reached: ${unreached.join(" ")}`);
  console.log(seenLine(totals));
  console.log(stepLine(totals));
  console.log(summaryLine(totals));
  return isClean(totals) && unreached.length === 0 ? 0 : 1;
}
