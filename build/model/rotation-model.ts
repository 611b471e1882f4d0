/**
 * What is checked of `docs/model/rotation.pml`: its properties within two sets of bounds, and that each seeded mistake
 * breaks the property it should. README.md beside the model explains them.
 */
import { join } from "node:path";
import { repositoryRoot } from "../bundles.ts";
import { type Claim, type Defines, makeVerifier, readStory, search, type Verifier } from "./spin.ts";

export const modelFile = join(repositoryRoot, "docs/model/rotation.pml");

/** The `ltl` formulas of the model. */
export const properties = {
  durable: "no acknowledged token is lost",
  sent_once: "no refresh token is sent again while its access token lasts",
  never_stale: "no program gets an older token, or one after the end was told",
  settles: "every connection ends up Active, ReconnectRequired or gone",
} as const;
type Property = keyof typeof properties;

export interface Scenario {
  readonly name: string;
  readonly bounds: Defines;
  /** Whether every statement of the model must be reached within these bounds. */
  readonly reachesAll: boolean;
}

export const scenarios: readonly Scenario[] = [
  {
    name: "a person clicks",
    bounds: { LAST_TOKEN: 3, CRASHES: 1, TROUBLES: 2, SIGN_INS: 1, ENDINGS: 1 },
    reachesAll: true,
  },
  {
    name: "a bad day, nobody clicks",
    bounds: { LAST_TOKEN: 4, CRASHES: 3, TROUBLES: 2, SIGN_INS: 0, ENDINGS: 0 },
    reachesAll: false,
  },
];

export interface Mistake {
  readonly define: string;
  readonly breaks: Property;
  /** The smallest in which it does harm, so that its story is short. */
  readonly bounds: Defines;
}

const nothingHappens: Defines = { LAST_TOKEN: 2, CRASHES: 0, TROUBLES: 0, SIGN_INS: 0, ENDINGS: 0 };

/** Every mistake does its harm in fewer; without it, a run with NO_SINGLE_FLIGHT goes on for long before. */
const mistakeWithinSteps = 120;

export const mistakes: readonly Mistake[] = [
  { define: "ANSWER_BEFORE_COMMIT", breaks: "durable", bounds: nothingHappens },
  { define: "RESEND_AFTER_CRASH", breaks: "sent_once", bounds: { ...nothingHappens, CRASHES: 1 } },
  { define: "NO_SINGLE_FLIGHT", breaks: "sent_once", bounds: nothingHappens },
  { define: "DROP_GENERATION_CHECK", breaks: "never_stale", bounds: { ...nothingHappens, ENDINGS: 1 } },
  { define: "NO_RESUME", breaks: "settles", bounds: { ...nothingHappens, CRASHES: 1, ENDINGS: 1 } },
];

export interface CheckResult {
  readonly passed: boolean;
  /** One readable line. */
  readonly line: string;
  readonly states: number;
  /** The run that breaks a property, one event each; empty when none does. */
  readonly story: readonly string[];
}

/**
 * Checks one scenario: no deadlock first, then every property.
 *
 * @param folder for the verifiers; is made
 */
export async function checkScenario({ bounds, reachesAll }: Scenario, folder: string): Promise<readonly CheckResult[]> {
  const plain = await makeVerifier(modelFile, join(folder, "plain"), bounds, { withClaims: false, optimised: true });
  const claims = await makeVerifier(modelFile, join(folder, "claims"), bounds, { withClaims: true, optimised: true });
  const results = [await check(plain, undefined, "no deadlock", reachesAll)];
  for (const [property, sentence] of Object.entries(properties))
    results.push(await check(claims, property, `${property}: ${sentence}`, false));
  return results;
}

/**
 * Checks that a mistake is found by the property it breaks.
 *
 * @param folder for the verifier; is made
 */
export async function checkMistake({ define, breaks, bounds }: Mistake, folder: string): Promise<CheckResult> {
  const startedMs = performance.now();
  const verifier = await makeVerifier(modelFile, folder, { ...bounds, [define]: true }, { withClaims: true, optimised: false });
  const { verdict, why, states } = await search(verifier, breaks, mistakeWithinSteps);
  const passed = verdict === "violated";
  const story = passed ? await readStory(verifier) : [];
  const line = `${define} breaks ${breaks}`;
  if (passed) return { passed, line: lineOf("found", line, states, startedMs), states, story };
  return { passed, line: lineOf("MISSED", `${line}: ${verdict} ${why ?? ""}`, states, startedMs), states, story };
}

async function check(verifier: Verifier, claim: Claim, name: string, reachesAll: boolean): Promise<CheckResult> {
  const startedMs = performance.now();
  const { verdict, why, states, unreached } = await search(verifier, claim);
  const gaps = reachesAll ? unreached : [];
  const passed = verdict === "holds" && gaps.length === 0;
  if (passed) return { passed, line: lineOf("holds", name, states, startedMs), states, story: [] };
  const story = verdict === "violated" ? await readStory(verifier) : [];
  const reason = verdict === "holds" ? `never reached: ${gaps.join("; ")}` : `${verdict}: ${why ?? ""}`;
  return { passed, line: lineOf("FAILED", `${name}: ${reason}`, states, startedMs), states, story };
}

function lineOf(verdict: string, text: string, states: number, startedMs: number): string {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  return `  ${verdict.padEnd(7)} ${text.padEnd(76)} ${states.toLocaleString("en").padStart(10)} states ${seconds.padStart(5)} s`;
}
