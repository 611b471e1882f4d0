/**
 * A whole crash run: workers side by side, each with its own profiles, until the kills are done. Invariants: exactly as
 * many kills are made as were asked for; each kill is followed by a start that is checked.
 */
import type { Sabotage } from "./child-messages.ts";
import { runLife } from "./life.ts";
import { openProfile, type Profile } from "./profile.ts";
import { createRandom, type Random } from "./random.ts";
import { type KillPlan, Schedule } from "./schedule.ts";
import { type StepName, stepNames } from "./steps.ts";
import { count, type Finding, newTotals, type Totals } from "./totals.ts";

export interface CrashRunOptions {
  /** From `bundleChild`. */
  readonly file: string;
  /** Where profiles may be made; each is deleted when it is done with. */
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  readonly workers: number;
  /** Tells every kill. */
  readonly verbose: boolean;
  readonly print: (line: string) => void;
  /** The steps to be killed at; all of them if absent. */
  readonly steps?: readonly [StepName, ...StepName[]];
  readonly sabotage?: Sabotage | undefined;
}

/** After this many runs a worker begins a new profile: first starts are among what is tested, and audit logs stay short. */
const livesPerProfile = 50;
const progressEvery = 50;

interface Shared extends CrashRunOptions {
  readonly totals: Totals;
  readonly schedule: Schedule;
  readonly startedMs: number;
  /** Kills that were given out to workers. */
  claimed: number;
}

/** Runs until `kills` kills have been made and checked. Rejects only for bugs of the harness. */
export async function runCrash(options: CrashRunOptions): Promise<Totals> {
  const random = createRandom(options.seed);
  const [firstStep = "process-started", ...otherSteps] = stepNames;
  const schedule = new Schedule(random, options.steps ?? [firstStep, ...otherSteps]);
  const shared: Shared = { ...options, totals: newTotals(), schedule, startedMs: performance.now(), claimed: 0 };
  const workers = Array.from({ length: options.workers }, (_, index) =>
    work(shared, createRandom(options.seed + 7919 * (index + 1)), index),
  );
  await Promise.all(workers);
  return shared.totals;
}

async function work(shared: Shared, random: Random, worker: number): Promise<void> {
  while (shared.claimed < shared.kills) {
    const onFinding = (finding: Finding) => tellFinding(shared, worker, finding);
    const profile = await openProfile({ parentFolder: shared.folder, random, totals: shared.totals, onFinding });
    try {
      await useProfile(shared, profile, random, worker);
    } finally {
      await profile.close();
    }
  }
}

async function useProfile(shared: Shared, profile: Profile, random: Random, worker: number): Promise<void> {
  const { file, totals, schedule, sabotage } = shared;
  let number = 1;
  for (; number <= livesPerProfile && shared.claimed < shared.kills; number += 1) {
    shared.claimed += 1;
    const plan = schedule.next();
    const startedMs = performance.now();
    const end = await runLife({ profile, file, number, plan, random, totals, sabotage });
    if (!end.isKilled) {
      shared.claimed -= 1;
      if (plan.kind === "step") schedule.missed(plan.step);
    }
    tellLife(shared, `${worker}.${number}`, plan, `${end.isKilled ? "killed" : "closed"} after ${end.lastStep ?? "no step"}`, startedMs);
  }
  // What the last kill has done shows at the next start.
  await runLife({ profile, file, number, plan: undefined, random, totals, sabotage });
  profile.ledger.settle();
}

function tellFinding({ totals, print, verbose }: Shared, worker: number, finding: Finding): void {
  totals.findings.push(finding);
  const isExpected = finding.kind === "reconnectForced" && finding.avoidable !== true;
  if (!isExpected || verbose) print(`${finding.kind}: worker ${worker}, run ${finding.life}: ${finding.text}`);
}

function tellLife(shared: Shared, name: string, plan: KillPlan, how: string, startedMs: number): void {
  const { totals, verbose, print } = shared;
  const planned = plan.kind === "step" ? `${plan.step} #${plan.occurrence}` : `${plan.kind} +${plan.afterMs} ms`;
  if (verbose) print(`run ${name}: ${planned}: ${how}, ${(performance.now() - startedMs).toFixed(0)} ms`);
  if (totals.kills === 0 || totals.kills % progressEvery !== 0 || !how.startsWith("killed")) return;
  const seconds = (performance.now() - shared.startedMs) / 1000;
  print(
    `${totals.kills} kills in ${seconds.toFixed(1)} s: acknowledgedLost=${count(totals, "acknowledgedLost")} corrupt=${count(totals, "corrupt")} refreshTokenReused=${count(totals, "refreshTokenReused")}`,
  );
}
