/** The processes of an app under test, as the system lists them. */
import { spawnSync } from "node:child_process";
import { z } from "zod";

export interface ListedProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** The whole command line, as any user of the machine can read it. */
  readonly commandLine: string;
}

/** A process and everything it started, directly or not; empty if it has ended. */
export function processTree(rootPid: number): readonly ListedProcess[] {
  const all = listProcesses();
  const found = all.filter(({ pid }) => pid === rootPid);
  // Grows while it is walked: each process found brings its children. None twice: Windows keeps the id of
  // a parent that has ended, and a later process may get it.
  for (const parent of found) found.push(...all.filter((each) => each.parentPid === parent.pid && !found.includes(each)));
  return found;
}

/** Those of `pids` that still run (a zombie does not). */
export function stillRunning(pids: readonly number[]): readonly number[] {
  const wanted = new Set(pids);
  return listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => wanted.has(pid));
}

const outputLimitBytes = 16 * 1024 * 1024;

function listProcesses(): readonly ListedProcess[] {
  return process.platform === "win32" ? listOnWindows() : listOnUnix();
}

/** The properties of `Win32_Process`; a process of another user has no command line to show. */
const windowsProcesses = z.array(z.object({ ProcessId: z.int(), ParentProcessId: z.int(), CommandLine: z.string().nullable() }));

function listOnWindows(): readonly ListedProcess[] {
  const script = [
    "[Console]::OutputEncoding = [Text.Encoding]::UTF8",
    "Get-CimInstance Win32_Process | Select-Object ProcessId,ParentProcessId,CommandLine | ConvertTo-Json -Compress",
  ].join("; ");
  const { stdout, error } = spawnSync("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", script], {
    encoding: "utf8",
    maxBuffer: outputLimitBytes,
    windowsHide: true,
  });
  if (error !== undefined) throw error;
  // PowerShell may put a byte order mark before its UTF-8, which JSON does not allow.
  return windowsProcesses
    .parse(JSON.parse(stdout.replace(/^\uFEFF/, "")))
    .map((each) => ({ pid: each.ProcessId, parentPid: each.ParentProcessId, commandLine: each.CommandLine ?? "" }));
}

function listOnUnix(): readonly ListedProcess[] {
  const { stdout } = spawnSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8", maxBuffer: outputLimitBytes });
  return stdout
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !(match[3] ?? "").startsWith("Z"))
    .map((match) => ({ pid: Number(match?.[1]), parentPid: Number(match?.[2]), commandLine: match?.[4] ?? "" }));
}
