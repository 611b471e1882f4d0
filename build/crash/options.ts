/** The command line of the crash harness. */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../../shared/result.ts";
import { sabotages } from "./child-messages.ts";
import type { CrashRunOptions } from "./crash-run.ts";
import { isStepName, stepNames } from "./steps.ts";

const usage = "usage: npm run crash -- [--kills N] [--seed S] [--workers W] [--steps a,b] [--sabotage KIND] [--verbose]";

const known = {
  kills: { type: "string", default: "100" },
  seed: { type: "string" },
  workers: { type: "string", default: "2" },
  steps: { type: "string" },
  sabotage: { type: "string" },
  verbose: { type: "boolean", default: false },
} as const;

/**
 * @param args the command line without the script's own name
 * @param newSeed used when none is given
 * @returns the options, or a sentence for the person who typed them
 */
export function readCrashOptions(
  args: readonly string[],
  newSeed: () => number,
): Result<Omit<CrashRunOptions, "file" | "folder" | "print">, string> {
  const parsed = parsedOptions(args);
  if (!parsed.ok) return parsed;
  const { kills, seed, workers, verbose } = parsed.value;
  for (const [name, text] of Object.entries({ kills, workers, seed: seed ?? "1" })) {
    if (!/^[1-9]\d{0,9}$/.test(text)) return err(`crash: --${name} needs a whole number; ${usage}`);
  }
  const sabotage = sabotages.find((kind) => kind === parsed.value.sabotage);
  if (sabotage !== parsed.value.sabotage) return err(`crash: --sabotage is one of ${sabotages.join(", ")}`);
  const [first, ...others] = parsed.value.steps?.split(",") ?? [];
  const base = {
    kills: Number(kills),
    seed: seed === undefined ? newSeed() : Number(seed),
    workers: Number(workers),
    verbose,
    sabotage,
  };
  if (first === undefined) return ok(base);
  if (!isStepName(first) || !others.every(isStepName)) return err(`crash: --steps are some of ${stepNames.join(",")}`);
  return ok({ ...base, steps: [first, ...others] });
}

function parsedOptions(args: readonly string[]) {
  try {
    return ok(parseArgs({ args: [...args], options: known }).values);
  } catch (error) {
    return err(`crash: ${error instanceof Error ? error.message : "not understood"}; ${usage}`);
  }
}
