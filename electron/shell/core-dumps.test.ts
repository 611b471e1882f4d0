import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { dumpingOptions, turnCoreDumpsOff, turnReportsOff } from "./core-dumps.ts";

const prlimit = "/usr/bin/prlimit";
const canLimit = process.platform === "linux" && existsSync(prlimit);
if (!canLimit) process.stderr.write("not exercised: core limits (this is not Linux, or prlimit is missing)\n");

const modulePath = JSON.stringify(pathToFileURL(join(import.meta.dirname, "core-dumps.ts")).href);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-dumps-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function coreLimitOf(processId: number): readonly (string | undefined)[] {
  return (/^Max core file size\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${processId}/limits`, "utf8")) ?? []).slice(1);
}

/** A running process that may dump core as far as this machine lets it; it is ended with the test. */
function startSleeper(cwd: string): ChildProcess & { readonly pid: number } {
  const child = spawn("sleep", ["600"], { cwd, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const { pid } = child;
  if (pid === undefined) throw new Error("sleep did not start");
  const [, hard = "0"] = coreLimitOf(pid);
  execFileSync(prlimit, ["--pid", String(pid), `--core=${hard}:${hard}`]);
  return Object.assign(child, { pid });
}

async function crash(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGSEGV");
  await ended;
}

function coreFiles(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith("core"));
}

/** Runs `script` in a Node of its own; gives its standard output. */
function runNode(script: string, options: { readonly args?: readonly string[]; readonly cwd?: string } = {}): string {
  const run = spawnSync(process.execPath, [...(options.args ?? []), "--input-type=module", "-e", script], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // Without the options of the test run; Windows starts no Node without its system folder.
    env: { SystemRoot: process.env["SystemRoot"] },
    encoding: "utf8",
    timeout: 15_000,
  });
  return run.stdout;
}

describe.skipIf(!canLimit)("core dumps", () => {
  it("are off for a process whose limits were read back", () => {
    const child = startSleeper(temporaryFolder());
    expect(turnCoreDumpsOff({ processId: child.pid })).toBe("off");
    expect(coreLimitOf(child.pid)).toEqual(["1", "1"]);
  });

  it("leave no file when the process crashes, where they did before", async ({ skip }) => {
    const [open, closed] = [temporaryFolder(), temporaryFolder()];
    await crash(startSleeper(open));
    const child = startSleeper(closed);
    turnCoreDumpsOff({ processId: child.pid });
    await crash(child);
    expect(coreFiles(closed)).toEqual([]);
    if (coreFiles(open).length === 0) skip("not exercised: this machine writes no core file beside a crashed process in any case");
  });

  it("are off for the caller itself, what it has started and what it starts later", () => {
    const script = `
      import { spawn } from "node:child_process";
      import { readFileSync } from "node:fs";
      import { turnCoreDumpsOff } from ${modulePath};
      const limits = (id) => /Max core file size.*/.exec(readFileSync("/proc/" + id + "/limits", "utf8"))[0].split(/ {2,}/).slice(1, 3);
      const earlier = spawn("sleep", ["600"]);
      const outcome = turnCoreDumpsOff();
      const later = spawn("sleep", ["600"]);
      console.log(JSON.stringify([outcome, ...[process.pid, earlier.pid, later.pid].map(limits)]));
      earlier.kill("SIGKILL");
      later.kill("SIGKILL");`;
    expect(JSON.parse(runNode(script))).toEqual(["off", ["1", "1"], ["1", "1"], ["1", "1"]]);
  });

  it("count as off where the limit was 0 already", () => {
    const child = startSleeper(temporaryFolder());
    execFileSync(prlimit, ["--pid", String(child.pid), "--core=0:0"]);
    expect(turnCoreDumpsOff({ processId: child.pid, prlimitPath: "/nowhere/prlimit" })).toBe("off");
  });

  it("are told as left on when the limit did not change", () => {
    const child = startSleeper(temporaryFolder());
    execFileSync(prlimit, ["--pid", String(child.pid), "--core=0:unlimited"]);
    expect(turnCoreDumpsOff({ processId: child.pid, prlimitPath: "/nowhere/prlimit" })).toBe("prlimit_missing");
    expect(turnCoreDumpsOff({ processId: child.pid, prlimitPath: "/bin/false" })).toBe("refused");
  });
});

describe("core dumps on other systems", () => {
  it.each(["darwin", "win32"] as const)("are left alone: %s", (platform) => {
    expect(turnCoreDumpsOff({ platform })).toBe("not_on_this_system");
  });
});

describe("Node's reports", () => {
  const args = ["--report-uncaught-exception", "--report-on-signal", "--report-on-fatalerror"];
  const fail = `throw new Error("a bug");`;
  const off = `import { turnDumpsOff } from ${modulePath}; console.log(turnDumpsOff().reports);`;

  it("are not written although the command line asked for them", () => {
    const [before, after] = [temporaryFolder(), temporaryFolder()];
    runNode(fail, { args, cwd: before });
    expect(readdirSync(before)).toHaveLength(1);
    expect(runNode(off + fail, { args, cwd: after })).toBe("off\n");
    expect(readdirSync(after)).toEqual([]);
  });

  it("carry no environment if anything writes one after all", () => {
    const script = `${off} console.log("environmentVariables" in process.report.getReport());`;
    expect(runNode(script)).toBe("off\nfalse\n");
  });

  it("that cannot be changed do not stop the start", () => {
    const report = { reportOnFatalError: true, reportOnSignal: true, reportOnUncaughtException: true, excludeEnv: false };
    expect(turnReportsOff(Object.freeze(report))).toBe("refused");
  });
});

describe("options that write memory to files", () => {
  it("are named", () => {
    const args = ["--heapsnapshot-near-heap-limit=3", "--abort-on-uncaught-exception --heapsnapshot-signal=SIGUSR2", "--title=x"];
    expect(dumpingOptions(args)).toEqual(["--heapsnapshot-near-heap-limit", "--abort-on-uncaught-exception", "--heapsnapshot-signal"]);
    const script = `import { turnDumpsOff } from ${modulePath}; console.log(turnDumpsOff().dumpingOptions);`;
    expect(runNode(script, { args: ["--heapsnapshot-near-heap-limit=1"] })).toBe("--heapsnapshot-near-heap-limit\n");
    expect(runNode(script)).toBe("none\n");
  });
});

/** What would write the app's memory to a file or send it away. */
const dumpers =
  /crashReporter\s*\.|\{[^}]*\bcrashReporter\b[^}]*\}|--report-on|writeHeapSnapshot|getHeapSnapshot|HeapSnapshotNearHeapLimit|\.writeReport\(|process\.abort\(/;

function filesThatDump(root: string, folders: readonly string[]): readonly string[] {
  const files = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }));
  return files
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => dumpers.test(readFileSync(path, "utf8")))
    .map((path) => relative(root, path));
}

describe("the product's code", () => {
  it("never starts the crash reporter and writes no report or heap snapshot", () => {
    expect(filesThatDump(join(import.meta.dirname, "../.."), ["electron", "shared", "renderer", "clients", "cli", "build"])).toEqual([]);
  });

  it.each([
    `import { app, crashReporter } from "electron";`,
    `electron.crashReporter.start({ submitURL: "" });`,
    `spawn(process.execPath, ["--report-on-signal"]);`,
    `v8.writeHeapSnapshot();`,
    `process.report.writeReport();`,
  ])("would be found: %s", (line) => {
    const root = temporaryFolder();
    mkdirSync(join(root, "electron"));
    writeFileSync(join(root, "electron/planted.ts"), line);
    expect(filesThatDump(root, ["electron"])).toEqual([join("electron", "planted.ts")]);
  });
});
