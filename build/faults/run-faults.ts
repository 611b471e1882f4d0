/**
 * `npm run faults`: makes every call on the disk fail, over a whole story, and checks what callers are told and what is kept.
 * The last line is the totals; ends with status 1 if an answer lacked code or remedy, or anything was lost, unreadable or
 * stuck. `--every-error`: each error at each call, about five times as long. `--sabotage`: breaks the product on purpose and
 * plays a part of the stories, so that the status must be 1.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportedCase } from "./child-contract.ts";
import { compileDiskFaults } from "./disk-faults.ts";
import { countingCase, everything, planRotatedTokens, planStories } from "./fault-plan.ts";
import { isSound, runCases, totalsLine, totalsOf } from "./fault-run.ts";

const folder = mkdtempSync(join(tmpdir(), "dms-faults-layer-"));
try {
  const library = compileDiskFaults(folder);
  if (library.ok) process.exitCode = (await run(library.value)) ? 0 : 1;
  else console.log(`Faults of the disk were not exercised: ${library.error}.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function run(library: string): Promise<boolean> {
  const sabotage = process.argv.includes("--sabotage");
  const options = { library, processes: Math.min(4, availableParallelism()), sabotage };
  const [counted] = await runCases([countingCase], { ...options, processes: 1, sabotage: false });
  if (counted === undefined) throw new Error("the story without faults gave no report");
  console.log(
    `One story: ${Object.entries(counted.seen)
      .map(([operation, count]) => `${operation} ${count}`)
      .join(", ")}.`,
  );
  const everyError = process.argv.includes("--every-error");
  const stories = planStories(counted.seen, sabotage ? { ...everything, ways: ["restart"], stride: 5 } : { ...everything, everyError });
  const tokens = planRotatedTokens(sabotage ? [] : ["writes-later", "stays-full", "closed-while-full"]);
  const reports = [counted, ...(await runCases([...stories, ...tokens], options))];
  for (const report of reports) printProblems(report);
  console.log(`Failures told: ${codesOf(reports)}.`);
  const totals = totalsOf(reports);
  console.log(totalsLine(totals));
  return isSound(totals);
}

function printProblems({ id, step, problems }: ReportedCase): void {
  for (const { kind, text } of problems) console.log(`${id} (${step}): ${kind}: ${text}`);
}

function codesOf(reports: readonly ReportedCase[]): string {
  const counts = new Map<string, number>();
  for (const code of reports.flatMap(({ codes }) => codes)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${code} ${count}`).join(", ");
}
