/** Runs one of the project's programs as its own process. For tests only. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  /** Settles when `text` has appeared in what the program printed. */
  readonly prints: (text: string) => Promise<void>;
  readonly ended: Promise<Run>;
}

const projectFolder = path.resolve(import.meta.dirname, "../../..");

/** Starts `node <script> <args>`; `env` is added to a bare environment, so that nothing of the tester's own is found. */
export function startProgram(script: string, args: readonly string[], env: Readonly<Record<string, string>>): RunningProgram {
  const child = spawn(process.execPath, [path.join(projectFolder, script), ...args], {
    env: { PATH: process.env["PATH"], SystemRoot: process.env["SystemRoot"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting = new Map<string, () => void>();
  const printed = (): void => {
    for (const [text, resolve] of waiting) if ((stdout + stderr).includes(text)) resolve();
  };
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    printed();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
    printed();
  });
  const ended = once(child, "close").then(([code]: unknown[]): Run => ({ code: typeof code === "number" ? code : null, stdout, stderr }));
  return {
    ended,
    prints: (text) => {
      const appears = new Promise<void>((resolve) => waiting.set(text, resolve));
      printed();
      const endedWithout = ended.then((): never => {
        throw new Error(`the program ended without printing ${JSON.stringify(text)}: ${stdout}${stderr}`);
      });
      return Promise.race([appears, endedWithout]);
    },
  };
}

/** Runs to the end. */
export function runProgram(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  return startProgram(script, args, env).ended;
}
