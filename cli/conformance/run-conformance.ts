/**
 * Runs a client program through all scenarios, each with a broker, a folder and a pipe of its own.
 *
 * Invariant: whatever a scenario started has ended, and its folder is gone, before its outcome is told.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Credentials } from "../../clients/node/session-proof.ts";
import type { ProgramCommand } from "./command-words.ts";
import { type ProgramRun, startProgram } from "./program-run.ts";
import { type Check, check, NotOffered, type Scenario, type Timing, type Trial, type Verdict, verdict } from "./scenario.ts";
import { brokenScenarios } from "./scenarios/broken-scenarios.ts";
import { optionalScenarios } from "./scenarios/optional-scenarios.ts";
import { refusalScenarios } from "./scenarios/refusal-scenarios.ts";
import { sessionScenarios } from "./scenarios/session-scenarios.ts";
import { squatterScenarios } from "./scenarios/squatter-scenarios.ts";
import { tokenScenarios } from "./scenarios/token-scenarios.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

export interface ConformanceOptions {
  readonly command: ProgramCommand;
  readonly timing: Timing;
  /** Told to the program as `DMS_CONNECT_TIMEOUT_SECONDS`, if at all. */
  readonly clientTimeoutSeconds?: number | undefined;
  /** How many scenarios run at once. */
  readonly jobs: number;
}

export type ScenarioOutcome = Verdict & { readonly name: string; readonly what: string };

const credentials: Credentials = { clientId: "conformance-kit", clientKey: randomBytes(32).toString("base64url") };

/** All scenarios, in the order in which they are told. */
export const scenarios: readonly Scenario[] = [
  ...tokenScenarios,
  ...refusalScenarios,
  ...squatterScenarios(credentials),
  ...brokenScenarios,
  ...sessionScenarios,
  ...optionalScenarios,
];

/**
 * Runs the scenarios.
 *
 * @param onOutcome told each outcome as soon as it and all before it are known
 * @returns all outcomes, in the order of `chosen`
 */
export async function runConformance(
  chosen: readonly Scenario[],
  options: ConformanceOptions,
  onOutcome: (outcome: ScenarioOutcome) => void,
): Promise<readonly ScenarioOutcome[]> {
  const usedNonces = new Set<string>();
  const outcomes: (ScenarioOutcome | undefined)[] = chosen.map(() => undefined);
  const told: ScenarioOutcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const scenario = chosen[index];
      if (scenario === undefined) return;
      const { name, what } = scenario;
      outcomes[index] = { name, what, ...(await runScenario(scenario, options, usedNonces)) };
      for (let ready = outcomes[told.length]; ready !== undefined; ready = outcomes[told.length]) {
        told.push(ready);
        onOutcome(ready);
      }
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return told;
}

async function runScenario(scenario: Scenario, options: ConformanceOptions, usedNonces: Set<string>): Promise<Verdict> {
  const folder = await mkdtemp(path.join(tmpdir(), "dms-kit-"));
  const trial = new ScenarioTrial(folder, options, usedNonces);
  try {
    await writeFile(trial.credentialsFile, `${JSON.stringify(credentials)}\n`, { mode: 0o600 });
    const judged = await scenario.run(trial);
    return judged.outcome === "skip" ? judged : overall(judged, await trial.checks());
  } catch (error) {
    if (!(error instanceof NotOffered)) throw error;
    const remedy = `To have this tested, give the program the command \`${error.command}\` of clients/conformance.md.`;
    return { outcome: "skip", reason: error.message, remedy };
  } finally {
    await trial.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Adds what holds in every scenario to what this one is about. */
function overall(judged: Verdict, checks: readonly Check[]): Verdict {
  const always = verdict(judged.reason, checks);
  if (always.outcome !== "FAIL" || judged.outcome !== "FAIL") return always.outcome === "FAIL" ? always : judged;
  return { ...judged, reason: `${judged.reason}; ${always.reason}`, remedy: `${judged.remedy} ${always.remedy}` };
}

class ScenarioTrial implements Trial {
  readonly timing: Timing;
  readonly credentialsFile: string;
  readonly #options: ConformanceOptions;
  readonly #usedNonces: Set<string>;
  readonly #folder: string;
  readonly #pipe: string;
  readonly #brokers: ScriptedBroker[] = [];
  readonly #runs: ProgramRun[] = [];
  readonly #tokens: string[] = [];

  constructor(folder: string, options: ConformanceOptions, usedNonces: Set<string>) {
    this.timing = options.timing;
    this.credentialsFile = path.join(folder, "credentials.json");
    this.#options = options;
    this.#usedNonces = usedNonces;
    this.#folder = folder;
    this.#pipe = process.platform === "win32" ? `\\\\.\\pipe\\dms-connect-kit-${randomUUID()}` : path.join(folder, "broker.sock");
  }

  readonly broker: Trial["broker"] = async (script) => {
    const broker = new ScriptedBroker({ pipe: this.#pipe, credentials, usedNonces: this.#usedNonces }, script);
    await broker.start();
    this.#brokers.push(broker);
    return broker;
  };

  readonly program: Trial["program"] = (order, { limitMs = this.timing.usualMs, credentialsFile = this.credentialsFile } = {}) => {
    const words = this.#options.command.wordsFor(order, credentialsFile);
    if (words === undefined) throw new NotOffered(order[0]);
    const { clientTimeoutSeconds } = this.#options;
    const env = {
      DMS_CONNECT_PIPE: this.#pipe,
      DMS_CONNECT_CREDENTIALS: credentialsFile,
      // Nothing of the tester's own DMS Connect may be found.
      DMS_CONNECT_PROFILE: this.#folder,
      ...(clientTimeoutSeconds !== undefined && { DMS_CONNECT_TIMEOUT_SECONDS: String(clientTimeoutSeconds) }),
    };
    const run = startProgram({ words, env, limitMs });
    this.#runs.push(run);
    if (order[0] === "token" || order[0] === "rejected") run.endInput();
    return run;
  };

  readonly newToken = (length = 64): string => {
    const token = `kit-${randomBytes(Math.ceil(length / 2)).toString("hex")}`.slice(0, length);
    this.#tokens.push(token);
    return token;
  };

  /** What must hold whatever the scenario is about. */
  async checks(): Promise<readonly Check[]> {
    for (const run of this.#runs) run.endInput();
    const ends = await Promise.all(this.#runs.map(({ ended }) => ended));
    const errors = ends.map(({ stderr }) => stderr).join("\n");
    const secrets = [...this.#tokens.map((token) => token.slice(0, 40)), credentials.clientKey];
    const leak = secrets.some((secret) => errors.includes(secret));
    const started = ends.every(({ trouble }) => trouble !== "not-started");
    const problems = this.#brokers.flatMap((broker) => broker.problems);
    return [
      check(started, "the program could not be started", "Give --exec a program and its arguments; no shell is used."),
      check(
        !leak,
        "a token or the key is in the error output",
        "Never put a token, the key or a received message into an error text or a log.",
      ),
      ...problems.map((problem) => check(false, problem, "Correct the message: docs/pipe-protocol.md, Messages and Session.")),
    ];
  }

  async dispose(): Promise<void> {
    for (const run of this.#runs) run.stop();
    await Promise.all(this.#runs.map(({ ended }) => ended));
    await Promise.all(this.#brokers.map((broker) => broker.stop()));
  }
}
