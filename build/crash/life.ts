/**
 * One run of the broker on a profile: started, checked, kept busy, and killed as planned. Invariant: when it settles, the
 * process is gone, everything it reported is in the ledger, and nothing of this run is still waiting.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Sabotage, StepReport, WorkDone } from "./child-messages.ts";
import { type BrokerProcess, type ChildEnd, startBroker } from "./child-process.ts";
import { lookAround, runProgram } from "./dms-program.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";
import type { KillPlan } from "./schedule.ts";
import { checkStart } from "./start-check.ts";
import { type Errand, type ProviderStep, type StepName, steps } from "./steps.ts";
import type { Totals } from "./totals.ts";

export interface LifeParts {
  readonly profile: Profile;
  readonly file: string;
  readonly number: number;
  /** Undefined for a run that is looked at and closed in order. */
  readonly plan: KillPlan | undefined;
  readonly random: Random;
  readonly totals: Totals;
  readonly sabotage: Sabotage | undefined;
}

export interface LifeEnd {
  readonly isKilled: boolean;
  /** The last step that was passed, for the curious. */
  readonly lastStep: StepName | undefined;
}

/** Far above what a start takes. */
const startLimitMs = 20_000;
/** Within this time a run comes by its step, or is closed in order. */
const stepLimitMs = 6_000;
/** What compose waits for a provider at its end, and something on top. */
const closeLimitMs = 8_000;
/** Some traffic first, so that there is something to close. */
const longestBeforeCloseMs = 120;

/** Runs it to its end. */
export async function runLife(parts: LifeParts): Promise<LifeEnd> {
  const { profile, number, totals } = parts;
  profile.ledger.lifeBegan(number);
  let lastStep: StepName | undefined;
  const broker = start(parts, (report) => {
    lastStep = report.step;
    noteStored(profile, number, report);
  });
  watchProvider(parts, broker, (step) => {
    lastStep = step;
  });
  const timers = new AbortController();
  const killAfter = (afterMs: number) => void cancellable(afterMs, timers.signal).then((isDue) => isDue && broker.kill());
  if (parts.plan?.kind === "starting") killAfter(parts.plan.afterMs);
  const overdue = cancellable(startLimitMs, timers.signal).then((isDue) => isDue && giveUp(profile, broker, "start"));
  const report = await broker.ready;
  let program: Promise<void> | undefined;
  if (report !== undefined) {
    totals.seen.starts += 1;
    checkStart(profile, report);
    if (parts.plan?.kind === "running") killAfter(parts.plan.afterMs);
    program = keepBusy(parts, broker, timers.signal);
  }
  const end = await broker.ended;
  timers.abort();
  await Promise.all([program, overdue]);
  profile.onProviderStep = () => false;
  return judgeEnd(parts, end, lastStep);
}

function start({ profile, file, number, plan, sabotage, totals }: LifeParts, onStep: (report: StepReport) => void): BrokerProcess {
  const isChildStep = plan?.kind === "step" && steps[plan.step].place === "child";
  const settings = {
    profileFolder: profile.folder,
    pipe: profile.pipe,
    providerOrigin: profile.provider.origin,
    life: number,
    safeStorageKey: profile.safeStorageKey,
    ...(isChildStep ? { killAt: { step: plan.step, occurrence: plan.occurrence } } : {}),
    ...(sabotage === undefined ? {} : { sabotage }),
  };
  return startBroker(file, settings, { onStep, onDone: (done) => noteDone(profile, totals, done) });
}

function noteDone(profile: Profile, { seen }: Totals, { work, failure, problem }: WorkDone): void {
  // A vault that has been closed meanwhile takes nothing any more.
  if (failure === "vault_locked") return;
  // A backup or a key change may fail, if it is said: everything is as before then. Registrations have no reason to.
  const severity = work.kind === "register" ? "corrupt" : "note";
  if (failure !== undefined) return profile.ledger.find(severity, `${work.kind} was answered ${failure} (${problem})`);
  if (work.kind === "back-up") seen.backups += 1;
  if (work.kind === "rekey") seen.rekeys += 1;
  if (work.kind !== "register") return;
  seen.registrations += 1;
  profile.savedRevision = Math.max(profile.savedRevision, work.revision);
}

function noteStored({ ledger }: Profile, life: number, { step, token }: StepReport): void {
  if (token === undefined) return;
  if (step === "in-flight-committed") ledger.attemptStored(life, token);
  if (step === "tokens-committed" || step === "sign-in-committed") ledger.tokensStored(token);
}

function watchProvider({ profile, plan }: LifeParts, broker: BrokerProcess, onStep: (step: ProviderStep) => void): void {
  let passed = 0;
  profile.onProviderStep = (step) => {
    if (broker.isOver()) return false;
    onStep(step);
    if (plan?.kind !== "step" || plan.step !== step) return false;
    passed += 1;
    if (passed !== plan.occurrence) return false;
    broker.kill();
    return true;
  };
}

async function keepBusy(parts: LifeParts, broker: BrokerProcess, ended: AbortSignal): Promise<void> {
  const { profile, plan, random, totals } = parts;
  const errand: Errand = plan?.kind === "step" ? steps[plan.step].errand : "traffic";
  const programParts = { profile, broker, random, seen: totals.seen, errand };
  if (plan === undefined) {
    await lookAround(programParts);
    return closeInOrder(profile, broker, ended);
  }
  const program = runProgram(programParts);
  const closesItself = errand === "close" || (plan.kind === "running" && random.chance(0.1));
  if (closesItself && (await cancellable(random.between(0, longestBeforeCloseMs), ended))) broker.send({ kind: "close" });
  if (await cancellable(stepLimitMs, ended)) await closeInOrder(profile, broker, ended);
  await program;
}

async function closeInOrder(profile: Profile, broker: BrokerProcess, ended: AbortSignal): Promise<void> {
  broker.send({ kind: "close" });
  if (await cancellable(closeLimitMs, ended)) giveUp(profile, broker, "close");
}

function giveUp(profile: Profile, broker: BrokerProcess, what: string): void {
  profile.ledger.find("corrupt", `the broker did not ${what} in time`);
  broker.kill();
}

function judgeEnd({ profile, plan, number, totals }: LifeParts, end: ChildEnd, lastStep: StepName | undefined): LifeEnd {
  if (end.isKilled) {
    profile.ledger.lifeKilled();
    totals.kills += 1;
    if (plan?.kind === "step") totals.stepKills.set(plan.step, (totals.stepKills.get(plan.step) ?? 0) + 1);
  } else if (end.exitCode !== 0) {
    profile.ledger.find("corrupt", `run ${number} ended by itself with ${end.exitCode}: ${end.errors.trim()}`);
  }
  return { isKilled: end.isKilled, lastStep };
}

/** Waits; says whether the time has passed, and not been cancelled. */
async function cancellable(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
