/**
 * A disk that fails at every single call, over a whole connect-refresh-revoke story. A part of what `npm run faults` does: every
 * write and sync fails once, and every fifth call of every kind in each of the other ways.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnyCase, ReportedCase } from "./child-contract.ts";
import { compileDiskFaults } from "./disk-faults.ts";
import { countingCase, everything, planRotatedTokens, planStories } from "./fault-plan.ts";
import { isSound, runCases, totalsLine, totalsOf } from "./fault-run.ts";
import type { OperationCounts } from "./fault-switch.ts";

const folder = mkdtempSync(join(tmpdir(), "dms-faults-layer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const layer = compileDiskFaults(folder);
if (!layer.ok) console.log(`Faults of the disk were not exercised: ${layer.error}.`);

const timeoutMs = 240_000;

describe.skipIf(!layer.ok)("on a failing disk", { timeout: timeoutMs }, () => {
  let counted: OperationCounts;
  let withoutFault: readonly string[];

  beforeAll(async () => {
    const reports = await run([countingCase]);
    withoutFault = problemsOf(reports);
    counted = reports[0]?.seen ?? { open: 0, write: 0, sync: 0, rename: 0, entry: 0 };
  }, timeoutMs);

  it("a story without a fault has no problem, and the layer sees calls of every kind", () => {
    expect(withoutFault).toEqual([]);
    expect(Object.values(counted).every((count) => count > 0)).toBe(true);
  });

  it("each write and each sync may fail once, and the story goes on", async () => {
    const reports = await play(planStories(counted, { ...everything, operations: ["write", "sync"], ways: ["resume"] }));
    expect(problemsOf(reports)).toEqual([]);
    const totals = totalsOf(reports);
    expect(isSound(totals)).toBe(true);
    // The last calls of a story are not the same number each time: entries of the audit log are written together.
    expect(totals.faults).toBeGreaterThan(0.9 * reports.length);
  });

  it("a file that cannot be opened at the start leaves the vault locked with code and remedy, and the next start opens it", async () => {
    const reports = await play(planStories(counted, { ...everything, operations: ["open"], ways: ["restart"] }));
    expect(problemsOf(reports)).toEqual([]);
    const locked = reports.filter(({ step, codes }) => step === "start" && codes[0] === "vault_write_failed");
    expect(locked.length).toBeGreaterThan(0);
  });

  it("the state that was acknowledged is there after a restart", async () => {
    const reports = await play(planStories(counted, { ...everything, ways: ["restart"], stride: 5 }));
    expect(problemsOf(reports)).toEqual([]);
    expect(isSound(totalsOf(reports))).toBe(true);
  });

  it("everything asked while a fault lasts is answered, and work resumes when it ends", async () => {
    const reports = await play(planStories(counted, { ...everything, ways: ["lasting"], stride: 5 }));
    expect(problemsOf(reports)).toEqual([]);
    expect(isSound(totalsOf(reports))).toBe(true);
    expect(reports.flatMap(({ codes }) => codes)).toContain("vault_write_failed");
  });

  it("a full disk never loses a rotated token silently", async () => {
    const reports = await play(planRotatedTokens(["writes-later", "closed-while-full"]));
    expect(problemsOf(reports)).toEqual([]);
    expect(totalsOf(reports)).toEqual({ faults: 10, answered: 10, lost: 0, unreadable: 0, stuck: 0 });
    const [written] = reports;
    expect(written?.codes).toEqual(["vault_write_failed"]);
  });

  it("a broker that takes the disk's errors for successes is found out", async () => {
    const cases = planStories(counted, { ...everything, operations: ["sync"], ways: ["restart"], stride: 5 });
    const totals = totalsOf(await run(cases, true));
    expect(totals.lost).toBeGreaterThan(0);
    expect(isSound(totals)).toBe(false);
  });
});

async function play(cases: readonly AnyCase[]): Promise<readonly ReportedCase[]> {
  const reports = await run(cases);
  console.log(`${cases.length} stories on a failing disk: ${totalsLine(totalsOf(reports))}`);
  return reports;
}

function run(cases: readonly AnyCase[], sabotage = false): Promise<readonly ReportedCase[]> {
  if (!layer.ok) throw new Error(layer.error);
  return runCases(cases, { library: layer.value, processes: 2, sabotage });
}

function problemsOf(reports: readonly ReportedCase[]): readonly string[] {
  return reports.flatMap(({ id, step, problems }) => problems.map(({ kind, text }) => `${id} (${step}): ${kind}: ${text}`));
}
