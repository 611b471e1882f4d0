/**
 * Plays cases in processes of their own, whose disk fails, and adds up what they report. Invariant: every case is accounted
 * for; one whose process hangs or dies counts as stuck.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type AnyCase, childVariables, type ReportedCase } from "./child-contract.ts";
import type { CaseProblem } from "./fault-case.ts";
import { createFaultOrders } from "./fault-switch.ts";

export interface RunOptions {
  /** From `compileDiskFaults`. */
  readonly library: string;
  /** How many processes at once. */
  readonly processes: number;
  /** Breaks the product on purpose. */
  readonly sabotage?: boolean;
}

/** A process that has said nothing for so long hangs: its own watchdog would have spoken before. */
const silenceMs = 60_000;
const noCalls = { open: 0, write: 0, sync: 0, rename: 0, entry: 0 };

/** Plays all `cases`; the reports come in the order in which they ended. */
export async function runCases(cases: readonly AnyCase[], options: RunOptions): Promise<readonly ReportedCase[]> {
  const share = Math.ceil(cases.length / options.processes);
  const shares = Array.from({ length: options.processes }, (_none, index) => cases.slice(index * share, (index + 1) * share));
  const reports = await Promise.all(shares.map((some) => runShare(some, options)));
  return reports.flat();
}

/** Goes on in a new process after a case that ended the last one. */
async function runShare(cases: readonly AnyCase[], options: RunOptions): Promise<readonly ReportedCase[]> {
  const reports: ReportedCase[] = [];
  while (reports.length < cases.length) {
    const left = cases.slice(reports.length);
    const { reported, ending } = await runProcess(left, options);
    reports.push(...reported);
    const unfinished = left[reported.length];
    const spoke = reported.at(-1)?.problems.some(({ kind }) => kind === "stuck") === true;
    if (unfinished !== undefined && !spoke) reports.push(stuck(unfinished, ending));
  }
  return reports;
}

function stuck({ id }: AnyCase, ending: string): ReportedCase {
  return {
    id,
    hits: 1,
    step: "",
    codes: [],
    problems: [{ kind: "stuck", text: `the process ended without a word: ${ending}` }],
    seen: noCalls,
  };
}

interface Ending {
  readonly reported: readonly ReportedCase[];
  /** Its status or signal, and what it printed on standard error. */
  readonly ending: string;
}

async function runProcess(cases: readonly AnyCase[], options: RunOptions): Promise<Ending> {
  const folder = mkdtempSync(join(memoryFolder(), "dms-faults-"));
  try {
    return await watch(start(folder, cases, options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In memory where that can be had: the faults are the layer's, and a real disk would only make every sync slow. */
function memoryFolder(): string {
  const candidate = "/dev/shm";
  try {
    accessSync(candidate, constants.R_OK | constants.W_OK | constants.X_OK);
    return candidate;
  } catch {
    return tmpdir();
  }
}

function start(folder: string, cases: readonly AnyCase[], { library, sabotage }: RunOptions) {
  const orders = join(folder, "orders");
  const watched = join(folder, "watched");
  const casesFile = join(folder, "cases.json");
  mkdirSync(watched);
  createFaultOrders(orders);
  writeFileSync(casesFile, JSON.stringify(cases));
  return spawn(process.execPath, [join(import.meta.dirname, "fault-child.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    // Nothing of the tester's own is found: no session bus, so no credential store either.
    env: {
      PATH: process.env["PATH"],
      LD_PRELOAD: library,
      [childVariables.watched]: watched,
      [childVariables.orders]: orders,
      [childVariables.cases]: casesFile,
      [childVariables.other]: folder,
      ...(sabotage === true ? { [childVariables.sabotage]: "1" } : {}),
      // Requests that go through io_uring would pass the layer by.
      UV_USE_IO_URING: "0",
      // electron-store asks the electron package where its binary is, which would start a download.
      ELECTRON_OVERRIDE_DIST_PATH: "/nowhere",
    },
  });
}

function watch(child: ReturnType<typeof start>): Promise<Ending> {
  const reported: ReportedCase[] = [];
  let errors = "";
  let silence = setTimeout(() => child.kill("SIGKILL"), silenceMs);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    clearTimeout(silence);
    silence = setTimeout(() => child.kill("SIGKILL"), silenceMs);
    // Written by fault-child.ts.
    reported.push(JSON.parse(line) as ReportedCase);
  });
  return new Promise((resolve) => {
    child.once("error", (error) => {
      errors += error.message;
    });
    child.once("close", (status, signal) => {
      clearTimeout(silence);
      resolve({ reported, ending: `${signal ?? status}: ${errors.trim()}` });
    });
  });
}

export interface FaultTotals {
  /** Cases in which a call did fail. */
  readonly faults: number;
  readonly answered: number;
  readonly lost: number;
  readonly unreadable: number;
  readonly stuck: number;
}

/** Adds up the cases in which the fault happened; of the others, only what went wrong counts. */
export function totalsOf(reports: readonly ReportedCase[]): FaultTotals {
  const having = (kind: CaseProblem["kind"]) => reports.filter(({ problems }) => problems.some((problem) => problem.kind === kind)).length;
  const faults = reports.filter(({ hits, problems }) => hits > 0 || problems.length > 0).length;
  const silent = reports.filter(({ problems }) => problems.some(({ kind }) => kind === "unanswered" || kind === "stuck")).length;
  return { faults, answered: faults - silent, lost: having("lost"), unreadable: having("unreadable"), stuck: having("stuck") };
}

/** The line a run ends with. */
export function totalsLine({ faults, answered, lost, unreadable, stuck }: FaultTotals): string {
  return `faults=${faults} answered=${answered} lost=${lost} unreadable=${unreadable} stuck=${stuck}`;
}

/** Whether nothing went wrong. */
export function isSound({ faults, answered, lost, unreadable, stuck }: FaultTotals): boolean {
  return faults > 0 && answered === faults && lost + unreadable + stuck === 0;
}
