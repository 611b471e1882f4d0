/**
 * The process on the failing disk: plays the cases of a file and prints one line of JSON for each. Invariant: nothing else
 * is printed there; after a case that hangs the process ends, since what it left running could disturb the next.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type AnyCase, childVariables, type ReportedCase } from "./child-contract.ts";
import { type CaseSurroundings, runStoryCase } from "./fault-case.ts";
import { FaultSwitch } from "./fault-switch.ts";
import { makeDatabaseForgetful } from "./forgetful-database.ts";
import { runRotatedTokenCase } from "./rotated-token-case.ts";

const surroundings: CaseSurroundings = {
  disk: new FaultSwitch(variable(childVariables.orders)),
  watchedFolder: variable(childVariables.watched),
  otherFolder: variable(childVariables.other),
};
if (process.env[childVariables.sabotage] !== undefined) makeDatabaseForgetful();
// Written by the process that started this one.
const cases = JSON.parse(readFileSync(variable(childVariables.cases), "utf8")) as readonly AnyCase[];
for (const one of cases) {
  const reported: ReportedCase = await (one.kind === "story" ? runStoryCase(one, surroundings) : runRotatedTokenCase(one, surroundings));
  rmSync(join(surroundings.watchedFolder, one.id), { recursive: true, force: true });
  process.stdout.write(`${JSON.stringify(reported)}\n`);
  if (reported.problems.some(({ kind }) => kind === "stuck")) break;
}
// Connections that fetch keeps open would hold the process for a while.
process.exit(0);

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
