import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { playwrightTotals, runnerTotals, totalsLine, vitestTotals } from "./test-totals.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dms-connect-totals-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const vitest = (
  passed: number,
  failed: number,
  files: readonly { status: string; assertionResults: readonly { status: string }[] }[] = [],
) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 2,
  numTodoTests: 1,
  testResults: files,
});
const playwright = (expected: number, unexpected: number) => ({ stats: { expected, unexpected, flaky: 0, skipped: 0 } });

async function outcome(exitCode: number | null, text?: string) {
  const file = join(folder, "report.json");
  if (text !== undefined) await writeFile(file, text);
  const lines: string[] = [];
  return { totals: runnerTotals("Playwright", exitCode, file, playwrightTotals, (line) => lines.push(line)), lines };
}

describe("the totals of a test run", () => {
  it("add up over both runners", () => {
    expect(totalsLine([vitestTotals(vitest(10, 1)), playwrightTotals(playwright(5, 2))])).toBe("15 passed, 3 failed, 3 skipped");
  });

  it("leave skipped out when none were", () => {
    expect(totalsLine([playwrightTotals(playwright(5, 0))])).toBe("5 passed, 0 failed");
  });

  it("count a file that could not be loaded as one failure, and one with a failed test not twice", () => {
    const files = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "failed" }] },
    ];
    expect(vitestTotals(vitest(4, 1, files)).failed).toBe(2);
  });

  it.each([
    ["no report", 0, undefined],
    ["a report cut short", 0, '{"stats":'],
    ["no test", 0, JSON.stringify(playwright(0, 0))],
    ["a killed runner", null, JSON.stringify(playwright(3, 0))],
    ["a runner that ends with an error", 1, JSON.stringify(playwright(3, 0))],
  ])("count %s as one failure and say so", async (_what, exitCode, text) => {
    const { totals, lines } = await outcome(exitCode, text);
    expect(totals.failed).toBe(1);
    expect(lines).toHaveLength(1);
  });

  it("stay as they are when the runner failed because tests did", async () => {
    const { totals, lines } = await outcome(1, JSON.stringify(playwright(3, 2)));
    expect(totals).toEqual({ passed: 3, failed: 2, skipped: 0 });
    expect(lines).toEqual([]);
  });
});
