/** What only some programs offer on the command line: reporting a 401, and pairing. */
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { provider, refusal, tokenResult, user } from "../answers.ts";
import type { ProgramEnd } from "../program-run.ts";
import {
  atMost,
  type Check,
  check,
  failedCleanly,
  NotOffered,
  printedToken,
  type Scenario,
  said,
  type Trial,
  type Verdict,
  verdict,
} from "../scenario.ts";
import type { Call } from "../scripted-broker.ts";

const badUsage = 2;
const code = "402913";

/** Skips where the program says that it does not know the command. */
function offered(command: string, asked: boolean, end: ProgramEnd): void {
  if (!asked && end.code === badUsage) throw new NotOffered(command);
}

async function rejectedToken(trial: Trial): Promise<Verdict> {
  const [old, fresh] = [trial.newToken(), trial.newToken()];
  const broker = await trial.broker({
    onCall: (call) => {
      if (call.method === "token.get") return call.result(tokenResult(old, "t-old"));
      if (call.method === "token.rejected" && call.params["tokenId"] === "t-old") return call.result(tokenResult(fresh, "t-new"));
      call.refuse(refusal("invalid_request"));
    },
  });
  const end = await trial.program(["rejected", provider, user]).ended;
  offered("rejected", broker.connections > 0, end);
  const rejected = broker.callsOf("token.rejected");
  return verdict("reports it once, with tokenId, and uses the new token", [
    check(rejected.length > 0, "never sent token.rejected", "When the API answers 401, send token.rejected."),
    atMost(rejected.length, 1, "token.rejected requests", "Report a token once, then repeat the API call once."),
    printedToken(end, fresh),
  ]);
}

interface Pairing {
  readonly waits: Promise<Call>;
  readonly end: Promise<ProgramEnd>;
  readonly sawCode: Promise<string | undefined>;
}

/** Starts `pair`, up to the moment when the person has to decide. */
async function startPairing(trial: Trial, credentialsFile: string): Promise<Pairing> {
  let hasCome: (call: Call) => void = () => undefined;
  const wait = new Promise<Call>((resolve) => {
    hasCome = resolve;
  });
  const broker = await trial.broker({
    onCall: (call) => {
      if (call.method === "pairing.request") return call.result({ pairingId: "p-1", code, expiresInSeconds: 180 });
      if (call.method === "pairing.wait" && call.params["pairingId"] === "p-1") return hasCome(call);
      call.refuse(refusal("invalid_request"));
    },
  });
  const run = trial.program(["pair", "Conformance Kit"], { credentialsFile });
  const waits = Promise.race([
    wait,
    run.ended.then((end): never => {
      offered("pair", broker.connections > 0, end);
      throw new NotPaired(end);
    }),
  ]);
  // Looked at later, where it is awaited.
  waits.catch(() => undefined);
  return { waits, end: run.ended, sawCode: run.shows(new RegExp(code.split("").join("[ -]?"))) };
}

/** The program ended before the person could decide. */
class NotPaired extends Error {
  readonly end: ProgramEnd;
  constructor(end: ProgramEnd) {
    super("the program ended before pairing.wait");
    this.end = end;
  }
}

/** The code must be on the screen while the person decides; a moment is enough for a program that shows it before waiting. */
async function codeWasShown({ sawCode }: Pairing, limitMs: number): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  const shown = await Promise.race([sawCode, late]);
  clearTimeout(timer);
  return check(shown !== undefined, "did not show the six-digit code", "Show the code before you wait, and flush what you print.");
}

async function paired(trial: Trial, decide: (call: Call) => void, judge: (end: ProgramEnd, file: string) => Verdict): Promise<Verdict> {
  const file = `${trial.credentialsFile}.paired`;
  const pairing = await startPairing(trial, file);
  try {
    const call = await pairing.waits;
    const shown = await codeWasShown(pairing, 5_000);
    decide(call);
    const judged = judge(await pairing.end, file);
    return shown.holds || judged.outcome === "FAIL" ? judged : verdict("", [shown]);
  } catch (error) {
    if (error instanceof NotPaired) return verdict("", [failedBeforePairing(error.end)]);
    throw error;
  }
}

function failedBeforePairing({ stderr }: ProgramEnd): Check {
  const remedy = "Send pairing.request, show the code, send pairing.wait on the same connection.";
  return check(false, `ended before pairing.wait${stderr === "" ? "" : `: ${stderr.trim().split("\n").at(-1)}`}`, remedy);
}

function storedCredentials(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

const isOwnersOnly = (file: string): boolean => process.platform === "win32" || (statSync(file).mode & 0o077) === 0;

async function pairApproved(trial: Trial): Promise<Verdict> {
  const credentials = { clientId: "kit-paired", clientKey: randomBytes(32).toString("base64url") };
  return paired(
    trial,
    (call) => call.result(credentials),
    (end, file) => {
      const stored = JSON.stringify(storedCredentials(file)) === JSON.stringify(credentials);
      const form = 'Write {"clientId", "clientKey"} as JSON to the file in DMS_CONNECT_CREDENTIALS.';
      const quiet = !`${end.stdout}${end.stderr}`.includes(credentials.clientKey);
      return verdict("shows the code and keeps the key for its user alone", [
        check(end.code === 0, `ended with exit code ${end.code ?? "none"}`, "End with exit code 0 when the pairing was approved."),
        check(stored, "the credentials file does not hold what pairing.wait handed out", form),
        check(!stored || isOwnersOnly(file), "others can read the credentials file", "Make the file with mode 0600."),
        check(quiet, "printed the key", "The key is a secret: print it nowhere."),
      ]);
    },
  );
}

async function pairDenied(trial: Trial): Promise<Verdict> {
  const data = refusal("not_paired", { detail: "pairing_denied", message: "The pairing was denied.", remedy: "Ask the person." });
  return paired(
    trial,
    (call) => call.refuse(data),
    (end, file) => {
      const remedy = "Store nothing, say not_paired, and don't ask again by yourself.";
      return verdict("reports it and stores nothing", [
        failedCleanly(end),
        said(end, "not_paired", "pairing_denied"),
        check(storedCredentials(file) === undefined, "stored credentials although the person said no", remedy),
      ]);
    },
  );
}

export const optionalScenarios: readonly Scenario[] = [
  { name: "rejected-token", what: "reports a token that the API refused, and uses the new one", run: rejectedToken },
  { name: "pair", what: "shows the code, and stores the key where only its user can read it", run: pairApproved },
  { name: "pair-denied", what: "takes no for an answer", run: pairDenied },
];
