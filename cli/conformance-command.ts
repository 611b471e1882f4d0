/**
 * `dms-connect conformance`: shows a DMS vendor what a client program gets right and wrong. See clients/conformance.md.
 *
 * Invariant: it talks to the program under test only; DMS Connect itself need not run and is never reached.
 */
import { readArguments, readWords, UsageError } from "./command-line.ts";
import { type ProgramCommand, programCommand } from "./conformance/command-words.ts";
import { endAllRuns } from "./conformance/program-run.ts";
import { runConformance, type ScenarioOutcome, scenarios } from "./conformance/run-conformance.ts";
import type { Scenario } from "./conformance/scenario.ts";
import { exitCodes } from "./exit-codes.ts";

export const conformanceUsage = `dms-connect conformance --exec CMD [--only NAME,…] [--json] [--jobs N]
       [--slow SECONDS] [--silence SECONDS] [--client-timeout SECONDS]
usage: dms-connect conformance --list`;

/** A Java program or one in an emulator needs seconds to start on a busy computer. */
const usualSeconds = 30;

/** Prints one line a scenario; 0 if none failed. */
export async function conformanceCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    exec: { type: "string" },
    only: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    jobs: { type: "string", default: "4" },
    slow: { type: "string" },
    silence: { type: "string", default: "120" },
    "client-timeout": { type: "string" },
  });
  readWords(positionals, []);
  if (values.credentials !== undefined || values.pipe !== undefined) {
    throw new UsageError("conformance gives the program a pipe and credentials of its own and takes neither --credentials nor --pipe");
  }
  if (values.list) return listScenarios();
  const command = readCommand(values.exec);
  const chosen = chooseScenarios(values.only);
  const clientTimeout = values["client-timeout"];
  const clientTimeoutSeconds = clientTimeout === undefined ? undefined : readNumber("--client-timeout", clientTimeout);
  const options = {
    command,
    timing: {
      slowMs: (values.slow === undefined ? usualSlowSeconds(clientTimeoutSeconds) : readNumber("--slow", values.slow)) * 1000,
      silenceMs: readNumber("--silence", values.silence) * 1000,
      usualMs: usualSeconds * 1000,
    },
    clientTimeoutSeconds,
    jobs: readNumber("--jobs", values.jobs),
  };
  process.once("SIGINT", interrupted);
  const outcomes = await runConformance(chosen, options, (outcome) => {
    if (!values.json) console.log(describe(outcome));
  });
  process.off("SIGINT", interrupted);
  const counts = countOutcomes(outcomes);
  if (values.json) console.log(JSON.stringify({ ...counts, scenarios: outcomes }, undefined, 2));
  else console.log(`conformance: ${counts.ok} ok, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The document wants at least 60 seconds of patience; a little less, so that a client with exactly 60 passes. */
function usualSlowSeconds(clientTimeoutSeconds: number | undefined): number {
  return clientTimeoutSeconds === undefined ? 55 : Math.min(55, Math.ceil(clientTimeoutSeconds / 2));
}

function interrupted(): never {
  endAllRuns();
  process.exit(130);
}

function listScenarios(): number {
  for (const { name, what } of scenarios) console.log(`${name.padEnd(22)} ${what}`);
  return exitCodes.ok;
}

function readCommand(exec: string | undefined): ProgramCommand {
  if (exec === undefined) throw new UsageError("--exec CMD is missing: the client program to test");
  const command = programCommand(exec);
  if (command === undefined) throw new UsageError("--exec holds no command, or a quote that is not closed");
  return command;
}

function chooseScenarios(only: string | undefined): readonly Scenario[] {
  if (only === undefined) return scenarios;
  return only.split(",").map((name) => {
    const scenario = scenarios.find((known) => known.name === name.trim());
    if (scenario === undefined) throw new UsageError(`there is no scenario named ${name}; see --list`);
    return scenario;
  });
}

function readNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`${option} must be a whole number from 1 to 9999`);
  return Number(text);
}

function describe(outcome: ScenarioOutcome): string {
  const line = `${outcome.outcome.padEnd(4)}  ${outcome.name.padEnd(22)} ${outcome.reason}`;
  return "remedy" in outcome ? `${line}\n      What to do: ${outcome.remedy}` : line;
}

function countOutcomes(outcomes: readonly ScenarioOutcome[]) {
  const count = (wanted: ScenarioOutcome["outcome"]): number => outcomes.filter(({ outcome }) => outcome === wanted).length;
  return { ok: count("ok"), failed: count("FAIL"), skipped: count("skip") };
}
