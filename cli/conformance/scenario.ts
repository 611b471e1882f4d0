/** What a scenario is, what it may use, and how it comes to its verdict. */
import type { Order } from "./command-words.ts";
import type { ProgramEnd, ProgramRun } from "./program-run.ts";
import type { BrokerScript, ScriptedBroker } from "./scripted-broker.ts";

export interface Scenario {
  readonly name: string;
  /** What the program should do, one sentence. */
  readonly what: string;
  readonly run: (trial: Trial) => Promise<Verdict>;
}

export type Verdict =
  | { readonly outcome: "ok"; readonly reason: string }
  | { readonly outcome: "FAIL"; readonly reason: string; readonly remedy: string }
  | { readonly outcome: "skip"; readonly reason: string; readonly remedy: string };

/** Everything one scenario may use; whatever it starts is ended after it. */
export interface Trial {
  readonly timing: Timing;
  readonly credentialsFile: string;
  /** A broker on the trial's pipe, listening. */
  readonly broker: (script: BrokerScript) => Promise<ScriptedBroker>;
  /** Runs the program; throws `NotOffered` if its command line cannot express the order. */
  readonly program: (order: Order, options?: ProgramOptions) => ProgramRun;
  /** A token that was never used before; it must not appear in any error output. */
  readonly newToken: (length?: number) => string;
}

export interface ProgramOptions {
  readonly limitMs?: number;
  readonly credentialsFile?: string;
}

export interface Timing {
  /** How long the slow broker takes. The document: "Wait at least 60 seconds for `token.get`". */
  readonly slowMs: number;
  /** By when a program must have given up on a broker that says nothing more. */
  readonly silenceMs: number;
  /** By when a program must have ended where nothing makes it wait. */
  readonly usualMs: number;
}

/** The program does not offer what the scenario is about. */
export class NotOffered extends Error {
  readonly command: string;
  constructor(command: string) {
    super(`the program has no command ${command}`);
    this.command = command;
  }
}

/** Something that must hold; the sentences are for the case that it does not. */
export interface Check {
  readonly holds: boolean;
  readonly reason: string;
  readonly remedy: string;
}

export function check(holds: boolean, reason: string, remedy: string): Check {
  return { holds, reason, remedy };
}

/** `ok` with `praise` if all hold; otherwise every one that does not. */
export function verdict(praise: string, checks: readonly Check[]): Verdict {
  const failed = checks.filter(({ holds }) => !holds);
  if (failed.length === 0) return { outcome: "ok", reason: praise };
  return {
    outcome: "FAIL",
    reason: failed.map(({ reason }) => reason).join("; "),
    remedy: [...new Set(failed.map(({ remedy }) => remedy))].join(" "),
  };
}

/** It ended by itself with exit code 0 and printed the token, the whole token and nothing but the token. */
export function printedToken(end: ProgramEnd, token: string): Check {
  if (end.code !== 0) return check(false, `no token: ${howItEnded(end)}`, "Print the token and end with exit code 0.");
  const printed = end.stdout.replace(/\r?\n$/, "");
  return check(
    printed === token,
    differenceOf(printed, token),
    "Print exactly accessToken, unchanged, and nothing else, on standard output.",
  );
}

/** It ended by itself, not with 0, and printed nothing on standard output. */
export function failedCleanly(end: ProgramEnd): Check {
  if (end.trouble !== undefined || end.code === null)
    return check(false, howItEnded(end), "End with an exit code other than 0, by itself.");
  if (end.code === 0) return check(false, "ended with exit code 0", "A program that has no token must not claim success.");
  const remedy = "Print on standard output only tokens; everything for people goes to standard error.";
  return check(end.stdout.trim() === "", "printed something on standard output although there is no token", remedy);
}

/** One of the words is in the error output, so that whoever called the program can act on it. */
export function said({ stderr }: ProgramEnd, ...words: readonly string[]): Check {
  const holds = words.some((word) => stderr.includes(word));
  return check(holds, `did not say ${words.join(" or ")}`, "Print the error's word, message and remedy on standard error.");
}

export function atMost(count: number, limit: number, what: string, remedy: string): Check {
  return check(count <= limit, `${count} ${what}, where ${limit} would do`, remedy);
}

/** How a program ended that should have ended otherwise. */
export function howItEnded({ code, trouble, stderr }: ProgramEnd): string {
  if (trouble === "too-long") return "the program was still running at the time limit";
  if (trouble === "not-started") return "the program could not be started";
  const lastLine = stderr.trim().split("\n").at(-1)?.trim() ?? "";
  return `exit code ${code ?? "none"}${lastLine === "" ? ", no word on standard error" : `, "${lastLine.slice(0, 120)}"`}`;
}

function differenceOf(printed: string, token: string): string {
  if (printed === token) return "";
  if (printed.includes(token)) return "printed more than the token";
  if (printed !== "" && token.startsWith(printed)) return `printed only ${printed.length} of the token's ${token.length} characters`;
  return printed === "" ? "printed nothing" : "printed something else than the token";
}
