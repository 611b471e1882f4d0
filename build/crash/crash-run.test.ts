/** A real broker is killed here. What it may not do is counted in `ledger.ts`; that the count can be above zero is shown with sabotage. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleChild } from "./child-bundle.ts";
import { type CrashRunOptions, runCrash } from "./crash-run.ts";
import type { StepName } from "./steps.ts";
import { count, isClean, type Totals } from "./totals.ts";

/** A run takes seconds on a free machine; this is for one that is not. */
const limitMs = 120_000;

let folder = "";
let file = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dms-crash-"));
  file = await bundleChild(folder);
}, limitMs);
afterAll(() => rm(folder, { recursive: true, force: true }));

const printed: string[] = [];

function run(options: Pick<CrashRunOptions, "kills" | "steps" | "sabotage"> & { readonly seed?: number }): Promise<Totals> {
  return runCrash({ file, folder, seed: 1, workers: 2, verbose: false, print: (line) => printed.push(line), ...options });
}

/** On a busy machine a fault may stay hidden in one run: the children race. It must not in several. */
async function runUntil(what: Parameters<typeof count>[1], options: Parameters<typeof run>[0]): Promise<Totals> {
  let totals = await run(options);
  for (let tries = 1; tries < 6 && count(totals, what) === 0; tries += 1) totals = await run({ ...options, seed: 1 + tries });
  return totals;
}

describe("a broker that is killed", () => {
  it(
    "keeps what it acknowledged at every named step that is tried",
    async () => {
      const steps: [StepName, ...StepName[]] = [
        "process-started",
        "vault-opened",
        "transaction-written",
        "in-flight-committed",
        "rotated-unanswered",
        "tokens-writing",
        "tokens-committed",
        "answered",
        "sign-in-committed",
        "revocation-leaving",
        "pairing-saved",
        "vault-closing",
      ];
      const totals = await run({ kills: steps.length, steps });
      expect(totals.findings.filter(({ kind, avoidable }) => kind !== "note" && avoidable !== false)).toEqual([]);
      expect(isClean(totals)).toBe(true);
      expect(totals.kills).toBe(steps.length);
      expect([...totals.stepKills.keys()].toSorted()).toEqual(steps.toSorted());
      expect(totals.seen.rotations).toBeGreaterThan(0);
    },
    limitMs,
  );
});

describe("a broker with a deliberate fault", () => {
  it(
    "is found to lose what it acknowledged when it answers before it has written",
    async () => {
      const totals = await runUntil("acknowledgedLost", { kills: 6, steps: ["answered"], sabotage: "answer-before-commit" });
      expect(count(totals, "acknowledgedLost")).toBeGreaterThan(0);
      expect(isClean(totals)).toBe(false);
    },
    limitMs,
  );

  it(
    "is found to reuse refresh tokens when it forgets what is in flight",
    async () => {
      const steps: [StepName, ...StepName[]] = ["answer-received", "rotated-unanswered"];
      const totals = await runUntil("refreshTokenReused", { kills: 10, steps, sabotage: "forget-in-flight" });
      expect(count(totals, "refreshTokenReused")).toBeGreaterThan(0);
      expect(printed.join("\n")).not.toMatch(/access-|refresh-/);
    },
    limitMs,
  );
});
