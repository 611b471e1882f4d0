/** The command line of the soak. */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../../shared/result.ts";
import { type Sabotage, sabotages } from "./child-contract.ts";

export interface SoakCommand {
  readonly minutes: number;
  readonly seed: number;
  readonly connections: number;
  readonly sabotages: readonly Sabotage[];
  /** Tells what happens to the app, the servers and the network. */
  readonly verbose: boolean;
}

const usage = "usage: npm run soak -- [--minutes N] [--seed S] [--connections C] [--sabotage KIND,KIND] [--verbose]";
const known = {
  minutes: { type: "string", default: "1" },
  seed: { type: "string" },
  connections: { type: "string", default: "200" },
  sabotage: { type: "string" },
  verbose: { type: "boolean", default: false },
} as const;

/**
 * @param args the command line without the script's own name
 * @param newSeed used when none is given
 * @returns the options, or a sentence for the person who typed them
 */
export function readSoakOptions(args: readonly string[], newSeed: () => number): Result<SoakCommand, string> {
  const parsed = parsedOptions(args);
  if (!parsed.ok) return parsed;
  const { minutes, seed, connections, sabotage, verbose } = parsed.value;
  if (!/^(\d{1,5}|\d{0,5}\.\d{1,4})$/.test(minutes) || Number(minutes) === 0) return err(`soak: --minutes needs a number; ${usage}`);
  for (const [name, text] of Object.entries({ connections, seed: seed ?? "1" })) {
    if (!/^[1-9]\d{0,9}$/.test(text)) return err(`soak: --${name} needs a whole number; ${usage}`);
  }
  const wanted = sabotage?.split(",") ?? [];
  const kinds = sabotages.filter((kind) => wanted.includes(kind));
  if (kinds.length !== wanted.length) return err(`soak: --sabotage takes some of ${sabotages.join(",")}`);
  return ok({
    minutes: Number(minutes),
    seed: seed === undefined ? newSeed() : Number(seed),
    connections: Number(connections),
    sabotages: kinds,
    verbose,
  });
}

function parsedOptions(args: readonly string[]) {
  try {
    return ok(parseArgs({ args: [...args], options: known }).values);
  } catch (error) {
    return err(`soak: ${error instanceof Error ? error.message : "not understood"}; ${usage}`);
  }
}
