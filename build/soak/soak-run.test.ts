/** A short soak of the real app, and one with every deliberate fault: each counter has to notice its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleChild } from "./child-bundle.ts";
import { sabotages } from "./child-contract.ts";
import { runSoak, type SoakOptions, type SoakOutcome } from "./soak-run.ts";
import { faultKinds, isClean, newTotals } from "./totals.ts";

/** A run takes seconds on a free machine; this is for one that is not. */
const limitMs = 150_000;
const longestMinutes = 1;

let folder = "";
let file = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dms-soak-"));
  file = await bundleChild(folder);
}, limitMs);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

async function soak(
  options: Pick<SoakOptions, "sabotages" | "isEnough" | "settleMs" | "pace" | "lifeSeconds">,
): Promise<SoakOutcome & { readonly printed: string }> {
  const lines: string[] = [];
  const outcome = await runSoak({
    file,
    folder: await mkdtemp(join(folder, "r-")),
    minutes: longestMinutes,
    seed: 1,
    connections: 8,
    print: (line) => lines.push(line),
    ...options,
  });
  return { ...outcome, printed: lines.join("\n") };
}

describe("a soak", () => {
  it(
    "of the app as it is finds nothing, though app, servers and network fail",
    async () => {
      const { totals, printed } = await soak({
        sabotages: [],
        // Within the test's limit, so that what is stuck is named.
        settleMs: 60_000,
        lifeSeconds: { shortest: 3, longest: 5 },
        pace: { firstGapMs: [100, 400], gapMs: [4_000, 8_000], awayMs: [20, 150] },
        isEnough: ({ seen }) => seen.served > 20 && seen.rotations > 5 && seen.quits > 0 && seen.kills > 0 && seen.serverRestarts > 1,
      });
      expect({ ...totals.faults, printed }).toEqual({ ...newTotals().faults, printed });
      expect(printed).not.toMatch(/^note:/m);
      expect(totals.seen.kills).toBeGreaterThan(0);
      expect(totals.seen.rotations).toBeGreaterThan(5);
    },
    limitMs,
  );

  it(
    "of an app with deliberate faults counts each of them",
    async () => {
      const { totals, printed } = await soak({
        sabotages,
        lifeSeconds: { shortest: 1, longest: 2 },
        // Nothing but the faults: what fails in peace, too, is to be found.
        pace: { firstGapMs: [600_000, 600_001], gapMs: [600_000, 600_001], awayMs: [1, 2] },
        settleMs: 1,
        // What is stuck is found out afterwards.
        isEnough: ({ faults }) => faultKinds.every((kind) => kind === "stuckConnections" || faults[kind] > 0),
      });
      expect(faultKinds.filter((kind) => totals.faults[kind] === 0)).toEqual([]);
      expect(isClean(totals)).toBe(false);
      expect(printed).not.toMatch(/MazdaCanary/);
    },
    limitMs,
  );
});
