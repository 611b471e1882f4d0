/** Reads what the two test runners report. Invariant: a runner that crashed or ran nothing never looks like success. */
import { readFileSync } from "node:fs";
import { z } from "zod";

export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const vitestReport = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

const playwrightReport = z.object({
  stats: z.object({ expected: z.int(), unexpected: z.int(), flaky: z.int(), skipped: z.int() }),
});

/** Totals of vitest's JSON report. A file that failed without a failed test in it (it could not be loaded) counts as one failure. */
export function vitestTotals(report: unknown): TestTotals {
  const { testResults, ...counts } = vitestReport.parse(report);
  const brokenFiles = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: counts.numPassedTests,
    failed: counts.numFailedTests + brokenFiles.length,
    skipped: counts.numPendingTests + counts.numTodoTests,
  };
}

/** Totals of Playwright's JSON report. */
export function playwrightTotals(report: unknown): TestTotals {
  const { stats } = playwrightReport.parse(report);
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
}

/**
 * The totals of one runner.
 *
 * @param exitCode its exit status; `null` when it was killed or did not start
 * @param print told why, when the runner itself counts as one failure
 */
export function runnerTotals(
  name: string,
  exitCode: number | null,
  reportFile: string,
  read: (report: unknown) => TestTotals,
  print: (line: string) => void,
): TestTotals {
  const totals = readReport(reportFile, read) ?? { passed: 0, failed: 0, skipped: 0 };
  if (totals.failed > 0) return totals;
  const ranNothing = totals.passed === 0;
  if (exitCode === 0 && !ranNothing) return totals;
  print(`${name} ${ranNothing ? "ran nothing" : `ended with status ${exitCode ?? "none"} though no test failed`}: counted as one failure.`);
  return { ...totals, failed: 1 };
}

/** `12 passed, 0 failed`, and `, 3 skipped` if any were. */
export function totalsLine(all: readonly TestTotals[]): string {
  const sum = (pick: (totals: TestTotals) => number): number => all.reduce((total, totals) => total + pick(totals), 0);
  const skipped = sum((totals) => totals.skipped);
  return `${sum((totals) => totals.passed)} passed, ${sum((totals) => totals.failed)} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

function readReport(file: string, read: (report: unknown) => TestTotals): TestTotals | undefined {
  try {
    return read(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Missing, cut short or of another form: the runner did not get to its end.
    return undefined;
  }
}
