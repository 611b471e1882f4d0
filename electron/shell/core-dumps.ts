/**
 * Keeps the app's memory, which holds tokens, out of files: no core dumps, no diagnostic reports.
 *
 * Invariant: nothing here throws or keeps the app from starting; what could not be switched off is told as a word for the
 * log. Electron's crash reporter needs no switch: Crashpad runs only after its `start` was called (electron_main_delegate.cc
 * "we wait for JS to call …" and electron_api_crash_reporter.cc), and nothing here calls it.
 *
 * macOS and Windows get no core limit: Node has no call for it, and `launchctl limit` would change the whole session.
 * Both write no memory dumps unless an administrator asked for them (`ulimit -c`; `LocalDumps` of Windows Error Reporting).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export type CoreDumpOutcome =
  /** For this process and all it has started; later ones inherit it. */
  | "off"
  /** A process that was started before this one kept its limit. */
  | "off_here_only"
  | "prlimit_missing"
  | "refused"
  | "not_on_this_system";

export interface DumpOutcome {
  readonly coreDumps: CoreDumpOutcome;
  readonly reports: "off" | "refused";
  /** Options of this start that make Node write memory to files, separated by spaces; they cannot be taken back. */
  readonly dumpingOptions: string;
}

/** Switches off what can be, as early as possible. The words are for the log. Takes a few milliseconds on Linux. */
export function turnDumpsOff(): DumpOutcome {
  return {
    coreDumps: turnCoreDumpsOff(),
    reports: turnReportsOff(process.report),
    dumpingOptions: dumpingOptions([...process.execArgv, process.env["NODE_OPTIONS"] ?? ""]).join(" ") || "none",
  };
}

export interface CoreDumpOptions {
  readonly platform?: NodeJS.Platform;
  readonly prlimitPath?: string;
  /** The process to protect, with its descendants. */
  readonly processId?: number;
}

/**
 * 1 byte, not 0: the kernel writes no file for either, but hands the dump to a collector behind a pipe (systemd-coredump,
 * ABRT, apport) whatever the limit is, except at 1 (fs/coredump.c, `cprm.limit == 1`).
 */
const noCoreDumpBytes = 1;

/**
 * Sets the soft and hard core limit of a process and its descendants, and reads them back. Linux only, by util-linux's
 * `prlimit`. Descendants count because Electron's zygotes, the parents of all windows, run before the app's code does.
 */
export function turnCoreDumpsOff(options: CoreDumpOptions = {}): CoreDumpOutcome {
  const { platform = process.platform, prlimitPath = "/usr/bin/prlimit", processId = process.pid } = options;
  if (platform !== "linux") return "not_on_this_system";
  if (!existsSync(prlimitPath)) return isOff(processId) ? "off" : "prlimit_missing";
  const children = descendants(processId);
  const [own, ...others] = [processId, ...children].map((each) => limitCore(prlimitPath, each));
  if (own !== true) return "refused";
  return others.every(Boolean) ? "off" : "off_here_only";
}

/** A limit that is 0 already cannot be raised to 1 and is left as it is. */
function limitCore(prlimitPath: string, processId: number): boolean {
  const limit = `--core=${noCoreDumpBytes}:${noCoreDumpBytes}`;
  spawnSync(prlimitPath, ["--pid", String(processId), limit], { env: {}, stdio: "ignore", timeout: 2_000 });
  // A process that has ended dumps nothing any more.
  return isOff(processId) || !existsSync(`/proc/${processId}`);
}

function isOff(processId: number): boolean {
  const [, soft, hard] = /^Max core file size\s+(\S+)\s+(\S+)/m.exec(readOrNothing(`/proc/${processId}/limits`)) ?? [];
  return [soft, hard].every((limit) => limit !== undefined && Number(limit) <= noCoreDumpBytes);
}

function descendants(processId: number): readonly number[] {
  const children = tasksOf(processId).flatMap((task) =>
    readOrNothing(`/proc/${processId}/task/${task}/children`)
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function tasksOf(processId: number): readonly string[] {
  try {
    return readdirSync(`/proc/${processId}/task`);
  } catch {
    return [];
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

type ReportSwitches = Pick<NodeJS.ProcessReport, "reportOnFatalError" | "reportOnSignal" | "reportOnUncaughtException" | "excludeEnv">;

/** Node's diagnostic reports hold the command line, environment and stacks. Takes back what an option of this start switched on. */
export function turnReportsOff(report: ReportSwitches): DumpOutcome["reports"] {
  try {
    report.reportOnFatalError = false;
    report.reportOnSignal = false;
    report.reportOnUncaughtException = false;
    report.excludeEnv = true;
    return "off";
  } catch {
    return "refused";
  }
}

const dumpingOption = /--(?:heapsnapshot-[\w-]+|abort[-_]on[-_]uncaught[-_]exception|heap-prof)\b/g;

/** The options among `args` that write memory to files: heap snapshots, or an abort in place of an error. */
export function dumpingOptions(args: readonly string[]): readonly string[] {
  return args.flatMap((argument) => argument.match(dumpingOption) ?? []);
}
