/** The sample DMS program of `clients/node`, run as the process it is in real life. Invariant: it finds nothing of the tester's own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repositoryRoot } from "../../build/bundles.ts";
import { apiUrl, type DealerUser, organisation, type ProviderOrigins } from "./test-dealer.ts";
import type { Workplace } from "./workplace.ts";

export interface SampleProgram {
  /** What it wrote to its standard output and error so far. */
  readonly output: () => string;
  /** Settles with the first match in its output; rejects when it ends without one. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Settles with its exit status. */
  readonly ended: Promise<number | null>;
  readonly stop: () => void;
}

export interface SampleProgramOptions {
  readonly workplace: Workplace;
  readonly origins: ProviderOrigins;
  readonly user: DealerUser;
  /** Goes on, and calls the API each time the connection becomes Active. */
  readonly watch?: boolean;
  readonly onLine?: (line: string) => void;
}

/** Starts the program for one user. It pairs if it has no credentials yet, then calls the provider's demo API. */
export function startSampleProgram(options: SampleProgramOptions): SampleProgram {
  const child = spawn(process.execPath, [join(repositoryRoot, "clients/node/sample-dms.ts"), ...commandLine(options)], {
    env: { PATH: process.env["PATH"], SystemRoot: process.env["SystemRoot"], DMS_CONNECT_PIPE: options.workplace.pipe },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const checks = new Set<() => void>();
  const printLine = lineSplitter(options.onLine);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
      printLine(text);
      for (const check of checks) check();
    });
  }
  const ended = once(child, "close").then(([code]: unknown[]) => (typeof code === "number" ? code : null));
  return {
    output: () => output,
    ended,
    stop: () => void child.kill(),
    printed: (pattern) => {
      const found = new Promise<RegExpExecArray>((resolve) => {
        const check = (): void => {
          const match = pattern.exec(output);
          if (match !== null) resolve(match);
        };
        checks.add(check);
        check();
      });
      const endedWithout = ended.then((): never => {
        throw new Error(`the sample program ended early: ${output.trim().split("\n").at(-1) ?? "no output"}`);
      });
      return Promise.race([found, endedWithout]);
    },
  };
}

/** What it prints when it pairs. */
export const pairingCodeLine = /Pairing code: (\d{6})\./;

function commandLine({ workplace, origins, user, watch }: SampleProgramOptions): readonly string[] {
  const values = {
    provider: user.provider,
    environment: user.environment,
    user: user.user,
    "api-url": apiUrl(origins, user),
    credentials: workplace.credentialsFile,
    "ca-file": workplace.mazdaCertificateFile,
    ...(user.provider === "mazda" ? { organisation } : {}),
  };
  return [...Object.entries(values).map(([name, value]) => `--${name}=${value}`), ...(watch === true ? ["--watch"] : [])];
}

function lineSplitter(onLine: ((line: string) => void) | undefined): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (onLine !== undefined) for (const line of lines) onLine(line);
  };
}
