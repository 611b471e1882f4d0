/** The command line of the fuzzers. */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../../shared/result.ts";
import { type Sabotage, sabotages } from "./child-contract.ts";

export const targetNames = ["pipe", "callback"] as const;
export type TargetName = (typeof targetNames)[number];

export interface FuzzOptions {
  readonly target: TargetName;
  readonly runs: number;
  readonly seed: number;
  /** The seed of the only connection to make. */
  readonly connection: number | undefined;
  readonly findingsFolder?: string;
  readonly boundMs: number;
  readonly sabotage: Sabotage | undefined;
}

const usage =
  `usage: npm run fuzz -- ${targetNames.join("|")} [--runs N] [--seed S [--connection C]] [--findings FOLDER] ` +
  "[--bound-seconds B] [--sabotage KIND]";
const known = {
  runs: { type: "string", default: "10000" },
  seed: { type: "string" },
  connection: { type: "string" },
  findings: { type: "string" },
  "bound-seconds": { type: "string", default: "20" },
  sabotage: { type: "string" },
} as const;

/**
 * @param args the command line without the script's own name
 * @param newSeed used when none is given
 * @returns the options, or a sentence for the person who typed them
 */
export function readFuzzOptions(args: readonly string[], newSeed: () => number): Result<FuzzOptions, string> {
  const parsed = parsedOptions(args);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const target = targetNames.find((name) => name === positionals[0]);
  if (target === undefined || positionals.length > 1) return err(`fuzz: name one of ${targetNames.join(", ")}; ${usage}`);
  const { runs, seed, connection, findings, "bound-seconds": bound } = values;
  for (const [name, text] of Object.entries({ runs, "bound-seconds": bound, seed: seed ?? "1", connection: connection ?? "1" })) {
    if (!/^[1-9]\d{0,9}$/.test(text)) return err(`fuzz: --${name} needs a whole number; ${usage}`);
  }
  const sabotage = sabotages.find((kind) => kind === values.sabotage);
  if (sabotage !== values.sabotage) return err(`fuzz: --sabotage is one of ${sabotages.join(", ")}`);
  return ok({
    target,
    runs: Number(runs),
    seed: seed === undefined ? newSeed() : Number(seed),
    connection: connection === undefined ? undefined : Number(connection),
    ...(findings === undefined ? {} : { findingsFolder: findings }),
    boundMs: Number(bound) * 1000,
    sabotage,
  });
}

function parsedOptions(args: readonly string[]) {
  try {
    return ok(parseArgs({ args: [...args], options: known, allowPositionals: true }));
  } catch (error) {
    return err(`fuzz: ${error instanceof Error ? error.message : "not understood"}; ${usage}`);
  }
}
