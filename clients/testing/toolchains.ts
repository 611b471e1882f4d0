/** Finds the languages' tools on this machine. Undefined where one is missing: its tests skip with a line. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";

/** The command of Python 3.8 or newer. */
export function findPython(): string | undefined {
  const wanted = ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"];
  return ["python3", "python"].find((name) => succeeds(name, wanted));
}

/** Whether there are a compiler and a virtual machine of Java 16 or newer. */
export function hasJava(): boolean {
  const major = Number(/^javac (\d+)/m.exec(outputOf("javac", ["-version"]))?.[1]);
  return major >= 16 && succeeds("java", ["-version"]);
}

/** Whether there are Mono's compiler and virtual machine. */
export function hasMono(): boolean {
  return succeeds("mcs", ["--version"]) && succeeds("mono", ["--version"]);
}

/** The command of PowerShell 7, or of Windows PowerShell. */
export function findPowerShell(): string | undefined {
  return ["pwsh", "powershell"].find((name) => succeeds(name, ["-NoProfile", "-Command", "exit 0"]));
}

/** Runs a compiler to its end and gives what it printed. Throws with that if it refuses. */
export function compile(name: string, args: readonly string[]): string {
  return execFileSync(name, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A folder for what is compiled, gone when the file's tests have run. */
export function outputFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "dms-built-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the program prints on either of its outputs; empty if it is not there. */
function outputOf(name: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(name, args, { encoding: "utf8", timeout: 60_000 });
  return `${stdout ?? ""}${stderr ?? ""}`;
}

/** Whether the program is there and ends with exit code 0. */
function succeeds(name: string, args: readonly string[]): boolean {
  return spawnSync(name, args, { stdio: "ignore", timeout: 60_000 }).status === 0;
}
