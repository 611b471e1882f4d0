/**
 * `npm run model`: checks the model of the rotation protocol and that its seeded mistakes are found. One line a check, the
 * totals last; `--stories` also tells how each mistake does harm. Ends with status 1 if anything failed or is missing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckResult, checkMistake, checkScenario, mistakes, properties, scenarios } from "./rotation-model.ts";
import { whyNoSpin } from "./spin.ts";

const print = (line: string): void => console.log(line);

const missing = whyNoSpin();
if (missing === undefined) await runModel(process.argv.includes("--stories"));
else {
  print(missing);
  process.exitCode = 1;
}

async function runModel(tellStories: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dms-connect-model-"));
  try {
    const held = await checkScenarios(folder);
    const found = await checkMistakes(folder, tellStories);
    const all = [...held, ...found];
    const failed = all.filter(({ passed }) => !passed).length;
    print(failed === 0 ? totalsLine(held) : `model: ${failed} of ${all.length} checks failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkScenarios(folder: string): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    const bounds = Object.entries(scenario.bounds).map(([name, value]) => `${name} ${value}`);
    print(`${scenario.name} (${bounds.join(", ")})`);
    for (const result of await checkScenario(scenario, join(folder, `scenario-${index}`))) {
      tell(result, !result.passed);
      results.push(result);
    }
  }
  return results;
}

async function checkMistakes(folder: string, tellStories: boolean): Promise<readonly CheckResult[]> {
  print("seeded mistakes");
  const results: CheckResult[] = [];
  for (const mistake of mistakes) {
    const result = await checkMistake(mistake, join(folder, mistake.define));
    tell(result, tellStories);
    results.push(result);
  }
  return results;
}

function tell({ line, story }: CheckResult, withStory: boolean): void {
  print(line);
  if (withStory) for (const event of story) print(`            ${event}`);
}

/** States are counted once a scenario, though each property searches them again. */
function totalsLine(held: readonly CheckResult[]): string {
  const checksEach = held.length / scenarios.length;
  const states = held.filter((_, index) => index % checksEach === 0).reduce((total, result) => total + result.states, 0);
  const count = Object.keys(properties).length;
  return `model: ${count} properties hold, ${mistakes.length} seeded mistakes found, ${states} states`;
}
