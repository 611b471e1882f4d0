/** The built `dms-connect` command, run as the process it is in real life. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryRoot } from "../../build/bundles.ts";
import type { Workplace } from "./workplace.ts";

export interface CommandLineOutcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  readonly workplace: Workplace;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `dms-connect` with `args` on the profile of a workplace; nobody is at its terminal. */
export async function runCommandLine(args: readonly string[], { workplace, env }: CommandLineOptions): Promise<CommandLineOutcome> {
  const child = spawn(process.execPath, [join(repositoryRoot, "dist/cli/dms-connect.mjs"), ...args], {
    env: { ...process.env, ...env, DMS_CONNECT_PROFILE: workplace.profile, DMS_CONNECT_PIPE: workplace.pipe },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => {
      printed[name] += text;
    });
  }
  await once(child, "close");
  return { exitCode: child.exitCode, ...printed };
}
