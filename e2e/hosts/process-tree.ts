/** The processes of an app under test, as the system lists them. */
import { spawnSync } from "node:child_process";

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
  // Grows while it is walked: each process found brings its children.
  for (const parent of found) found.push(...all.filter(({ parentPid }) => parentPid === parent.pid));
  return found;
}

/** Those of `pids` that still run (a zombie does not). */
export function stillRunning(pids: readonly number[]): readonly number[] {
  const wanted = new Set(pids);
  return listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => wanted.has(pid));
}

function listProcesses(): readonly ListedProcess[] {
  if (process.platform === "win32") throw new Error("not implemented on Windows: listing processes");
  const { stdout } = spawnSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
  return stdout
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !(match[3] ?? "").startsWith("Z"))
    .map((match) => ({ pid: Number(match?.[1]), parentPid: Number(match?.[2]), commandLine: match?.[4] ?? "" }));
}
