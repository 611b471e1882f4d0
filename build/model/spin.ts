/**
 * Runs the model checker Spin: model → C source → verifier → report. Invariant: everything it writes is in the folder it
 * was given, so that no trail or C file is left beside the model.
 */
import { execFile, spawnSync } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { readSearchReport, type SearchReport } from "./search-report.ts";

/** Names and values for `#define`; `true` defines a name only. */
export type Defines = Readonly<Record<string, number | true>>;

export interface Verifier {
  readonly folder: string;
  readonly model: string;
  readonly defines: Defines;
  readonly program: string;
}

/** What `ltl` formula to check; nothing: no deadlock, and which statements are never reached. */
export type Claim = string | undefined;

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Deeper than any run of the model; a deeper one is cut off, and the search then counts as not completed. */
const longestRunSteps = 20_000;
/** A model that outgrows this should get smaller bounds. */
const memoryLimitMegabytes = 2_048;
const outputLimitBytes = 16 * 1024 * 1024;
/** Spin would ask for `gcc` by name. */
const preprocessor = "-Pcc -E -x c";

/** One sentence that says what to install, or nothing when Spin and a C compiler are here. */
export function whyNoSpin(): string | undefined {
  // Other programs are called spin, too.
  const spin = spawnSync("spin", ["-V"], { encoding: "utf8" });
  if (spin.error !== undefined || !spin.stdout.startsWith("Spin Version"))
    return "The model checker Spin is missing: install the Debian package spin (apt-get install spin).";
  if (spawnSync("cc", ["--version"]).status !== 0) {
    return "A C compiler (cc) is missing: install the Debian packages gcc and libc6-dev (apt-get install gcc libc6-dev).";
  }
  return undefined;
}

/**
 * Makes the verifier of a model.
 *
 * @param folder is made; should be empty
 * @param options.withClaims whether it checks `ltl` formulas, or deadlock and reachability
 * @param options.optimised worth its time unless an error ends the search at once
 */
export async function makeVerifier(
  modelFile: string,
  folder: string,
  defines: Defines,
  options: { readonly withClaims: boolean; readonly optimised: boolean },
): Promise<Verifier> {
  const model = basename(modelFile);
  await mkdir(folder, { recursive: true });
  await copyFile(modelFile, join(folder, model));
  await must(folder, "spin", [preprocessor, ...defineOptions(defines), "-a", model]);
  // Without partial-order reduction: slower, but nothing has to be believed about how it goes with `unless`.
  const flags = [options.optimised ? "-O2" : "-O0", "-w", "-DNOREDUCE", `-DMEMLIM=${memoryLimitMegabytes}`];
  await must(folder, "cc", [...flags, ...(options.withClaims ? [] : ["-DSAFETY", "-DNOCLAIM"]), "-o", "pan", "pan.c"]);
  return { folder, model, defines, program: join(folder, "pan") };
}

/**
 * Searches every run of the model, or as far as the first error.
 *
 * @param longestSteps longer runs are cut off: for a short story where an error is expected
 */
export async function search(verifier: Verifier, claim: Claim, longestSteps = longestRunSteps): Promise<SearchReport> {
  const args = claim === undefined ? [] : ["-a", "-n", "-N", claim];
  const { exitCode, output } = await run(verifier.folder, verifier.program, [`-m${longestSteps}`, ...args]);
  return readSearchReport(output, exitCode);
}

/** The last error's run as the model's own `printf` lines, one event each. */
export async function readStory({ folder, model, defines }: Verifier): Promise<readonly string[]> {
  const { output } = await run(folder, "spin", [preprocessor, ...defineOptions(defines), "-t", "-T", "-B", model]);
  return output.split("\n").filter((line) => /^(app|broker|clock|person|program|provider|vault): /.test(line));
}

function defineOptions(defines: Defines): readonly string[] {
  return Object.entries(defines).map(([name, value]) => (value === true ? `-D${name}` : `-D${name}=${value}`));
}

async function must(folder: string, program: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await run(folder, program, args);
  if (exitCode !== 0 || /\b[Ee]rror:/.test(output)) throw new Error(`${program} failed:\n${output}`);
}

function run(folder: string, program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd: folder, maxBuffer: outputLimitBytes }, (error, stdout, stderr) => {
      const why = error !== null && child.exitCode === null ? `${error.message}\n` : "";
      resolve({ exitCode: child.exitCode, output: `${stdout}${stderr}${why}` });
    });
  });
}
