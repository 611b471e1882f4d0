/** The broker refuses, or goes away: what the program tells, and what it does next. */
import { onTokenGet, provider, refusal, tokenResult, user } from "../answers.ts";
import {
  atMost,
  type Check,
  check,
  failedCleanly,
  printedToken,
  type Scenario,
  said,
  type Trial,
  type Verdict,
  verdict,
} from "../scenario.ts";
import type { Call, ScriptedBroker } from "../scripted-broker.ts";
import { inPieces } from "./token-scenarios.ts";

/** Long enough to tell a client that waits from one that does not. */
const retryAfterSeconds = 2;
/** A client's timers may fire a little early by our clock. */
const toleranceMs = 100;
/** Texts that only whole UTF-8 sequences survive: two, three and four bytes long. */
const remedyOfManyBytes = "Öffnen Sie DMS Connect und fragen Sie Jürgen – 山田さん 🔑.";

const doNotRetry = "Don't repeat a request that is not retryable; tell the person.";
const beGentle = "Connect again once, and ask once more; then tell the person.";

/**
 * A word that says "later": the program waits as long as it was told, or leaves that to whoever called it.
 *
 * @param end what becomes of the connection then
 */
async function later(trial: Trial, word: string, end?: (call: Call) => void): Promise<Verdict> {
  const token = trial.newToken();
  const broker = await trial.broker({
    onCall: onTokenGet((call) => {
      if (broker.callsOf("token.get").length > 1) return call.result(tokenResult(token));
      call.refuse(refusal(word, { retryAfterSeconds }));
      end?.(call);
    }),
  });
  const ended = await trial.program(["token", provider, user]).ended;
  const [first, second] = broker.callsOf("token.get");
  const pauseMs = first === undefined || second === undefined ? Number.POSITIVE_INFINITY : second.atMs - first.atMs;
  const waited = check(
    pauseMs >= retryAfterSeconds * 1000 - toleranceMs,
    `asked again after ${(pauseMs / 1000).toFixed(1)} seconds instead of ${retryAfterSeconds}`,
    "Wait at least retryAfterSeconds before you ask again, or give up and say so.",
  );
  if (second !== undefined) return verdict(`waits ${retryAfterSeconds} seconds and asks again`, [waited, printedToken(ended, token)]);
  const lostLogin = check(
    !/reconnect_required|not_connected/.test(ended.stderr),
    "calls it a lost sign-in",
    "provider_unavailable, rate_limited and shutting_down pass by themselves: keep the connection as it is.",
  );
  return verdict("reports it; whoever calls it has to wait", [failedCleanly(ended), said(ended, word), lostLogin]);
}

function once(broker: ScriptedBroker): Check {
  return atMost(broker.callsOf("token.get").length, 1, "token.get requests", doNotRetry);
}

function knowsToConnect(broker: ScriptedBroker): Check {
  return check(broker.callsOf("token.get").length > 0, "never asked for a token", "Prove the key, then send token.get.");
}

/** A word that only a person can do something about; the answer says more than older clients know. */
async function final(trial: Trial, word: string): Promise<Verdict> {
  const data = refusal(word, { detail: "kit_a_cause_of_tomorrow", connectionId: `${provider}/production/${user}` });
  const broker = await trial.broker({ onCall: onTokenGet((call) => call.refuse(data)) });
  const end = await trial.program(["token", provider, user]).ended;
  return verdict("reports it and does not retry", [knowsToConnect(broker), failedCleanly(end), said(end, word), once(broker)]);
}

export const refusalScenarios: readonly Scenario[] = [
  {
    name: "not-connected",
    what: "reports that the user never signed in, and opens no sign-in page by itself",
    run: (trial) => final(trial, "not_connected"),
  },
  {
    name: "reconnect-required",
    what: "reports that the user has to sign in again, and does not retry",
    run: (trial) => final(trial, "reconnect_required"),
  },
  { name: "rate-limited", what: "waits as long as it is told", run: (trial) => later(trial, "rate_limited") },
  { name: "provider-unavailable", what: "does not take it for a lost sign-in", run: (trial) => later(trial, "provider_unavailable") },
  {
    name: "shutting-down",
    what: "comes back when the app says that it will be there again, or reports it",
    run: (trial) => later(trial, "shutting_down", (call) => call.finish()),
  },
  {
    name: "split-utf8",
    what: "shows the remedy of not_permitted as it is, though it comes byte by byte",
    run: async (trial) => {
      const data = refusal("not_permitted", { message: "Zugriff verweigert.", remedy: remedyOfManyBytes });
      const answer = (id: string | number) =>
        `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_001, message: data.message, data } })}\n`;
      const broker = await trial.broker({ onCall: onTokenGet((call) => void inPieces(call, answer(call.id))) });
      const end = await trial.program(["token", provider, user]).ended;
      const shown = check(
        end.stderr.includes(remedyOfManyBytes),
        "the remedy does not appear unchanged on standard error",
        "Show data.remedy. Decode UTF-8 only once a line is whole, and write UTF-8.",
      );
      return verdict("shows it unharmed", [failedCleanly(end), said(end, "not_permitted"), shown, once(broker)]);
    },
  },
  {
    name: "close-in-the-middle",
    what: "connects again once when the broker goes away with the request, or reports it; never hammers",
    run: async (trial) => {
      const token = trial.newToken();
      const broker = await trial.broker({
        onCall: onTokenGet((call) => (call.connection === 1 ? call.hangUp() : call.result(tokenResult(token)))),
      });
      const end = await trial.program(["token", provider, user]).ended;
      const connections = atMost(broker.connections, 3, "connections", beGentle);
      if (end.code === 0) return verdict("connects again and prints the token", [printedToken(end, token), connections]);
      return verdict("reports it; it could have connected again", [failedCleanly(end), said(end, "broker_unreachable"), connections]);
    },
  },
  {
    name: "close-every-time",
    what: "gives up on a broker that goes away with each request",
    run: async (trial) => {
      const broker = await trial.broker({ onCall: onTokenGet((call) => call.hangUp()) });
      const end = await trial.program(["token", provider, user]).ended;
      return verdict("gives up and says so", [
        knowsToConnect(broker),
        failedCleanly(end),
        said(end, "broker_unreachable"),
        atMost(broker.connections, 3, "connections", beGentle),
      ]);
    },
  },
  {
    name: "nobody-listens",
    what: "says that DMS Connect is not running",
    run: async (trial) => {
      const end = await trial.program(["token", provider, user]).ended;
      return verdict("says so", [failedCleanly(end), said(end, "broker_unreachable")]);
    },
  },
  {
    name: "no-credentials",
    what: "asks for nothing before it is paired",
    run: async (trial) => {
      const broker = await trial.broker({ onCall: onTokenGet((call) => call.result(tokenResult(trial.newToken()))) });
      const end = await trial.program(["token", provider, user], { credentialsFile: `${trial.credentialsFile}.none` }).ended;
      const remedy = "Without credentials there is nothing to prove: say that the program has to be paired.";
      return verdict("says so and asks for nothing", [failedCleanly(end), atMost(broker.calls.length, 0, "requests", remedy)]);
    },
  },
];
