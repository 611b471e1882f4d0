/** Programs that run on: one session, many tokens. They need the command `session` of clients/conformance.md. */
import { onTokenGet, provider, refusal, tokenResult } from "../answers.ts";
import type { ProgramRun } from "../program-run.ts";
import { atMost, check, howItEnded, NotOffered, type Scenario, type Trial, type Verdict, verdict } from "../scenario.ts";
import type { BrokerScript, Call } from "../scripted-broker.ts";

/** How long the broker waits for further requests before it answers those that it has. */
const gatherMs = 500;
/** A cached token takes a millisecond; the rest is for a busy computer. */
const quickMs = 10_000;

/** Long enough to tell a client that waits from one that does not. */
const retryAfterSeconds = 2;
/** A client's timers may fire a little early by our clock. */
const toleranceMs = 100;

/** A program in its `session` command. */
interface Conversation {
  readonly run: ProgramRun;
  /** Asks for a user's token; the whole line that answers. */
  readonly ask: (user: string) => Promise<string | undefined>;
}

async function converse(trial: Trial, script: BrokerScript) {
  const broker = await trial.broker(script);
  const run = trial.program(["session"], { limitMs: trial.timing.usualMs * 2 });
  const ask = async (user: string): Promise<string | undefined> => {
    run.say(`${provider} ${user}`);
    const line = await run.line((printed) => printed.startsWith(`${user} `));
    // 2 is bad usage: the program does not know the command.
    if (line === undefined && (await run.ended).code === 2) throw new NotOffered("session");
    return line;
  };
  const conversation: Conversation = { run, ask };
  return { broker, conversation };
}

/** Tokens for users, a new one whenever asked. */
function tokensOf(trial: Trial) {
  const given = new Map<string, string>();
  return {
    answer: (call: Call): void => {
      const user = String(call.params["user"]);
      const token = trial.newToken();
      given.set(user, token);
      call.result(tokenResult(token));
    },
    right: (user: string, line: string | undefined): boolean => line?.trimEnd() === `${user} ok ${given.get(user)}`,
  };
}

async function finish(run: ProgramRun) {
  run.endInput();
  const end = await run.ended;
  return check(end.code === 0, `at the end of its input: ${howItEnded(end)}`, "End with exit code 0 when the input ends.");
}

async function reordered(trial: Trial): Promise<Verdict> {
  const tokens = tokensOf(trial);
  const waiting: Call[] = [];
  let mostWaiting = 0;
  let timer: NodeJS.Timeout | undefined;
  const answerAll = (): void => {
    mostWaiting = Math.max(mostWaiting, waiting.length);
    for (const call of waiting.splice(0).toReversed()) tokens.answer(call);
  };
  const onCall = onTokenGet((call) => {
    clearTimeout(timer);
    waiting.push(call);
    timer = setTimeout(answerAll, gatherMs);
  });
  const { conversation } = await converse(trial, { onCall });
  const users = ["anna", "ben", "carla"];
  const lines = await Promise.all(users.map(conversation.ask));
  const mixedUp = users.filter((user, index) => !tokens.right(user, lines[index]));
  const praise = mostWaiting > 1 ? "gives each user the right token" : "asks one after the other, so nothing can come out of order";
  return verdict(praise, [
    check(mixedUp.length === 0, `wrong or no answer for ${mixedUp.join(", ")}`, "Match answers by id: they may come in any order."),
    await finish(conversation.run),
  ]);
}

async function oneSession(trial: Trial): Promise<Verdict> {
  const tokens = tokensOf(trial);
  const { broker, conversation } = await converse(trial, { onCall: onTokenGet(tokens.answer) });
  const answered: boolean[] = [];
  for (const user of ["anna", "ben", "carla", "anna"]) answered.push(tokens.right(user, await conversation.ask(user)));
  const remedy = "Keep the session open and use it for all requests, whichever user they are for.";
  return verdict("uses one connection for all", [
    check(!answered.includes(false), "a token was wrong or missing", "Print USER ok TOKEN for each line."),
    atMost(broker.connections, 1, "connections", remedy),
    await finish(conversation.run),
  ]);
}

async function restart(trial: Trial): Promise<Verdict> {
  const tokens = tokensOf(trial);
  const { broker, conversation } = await converse(trial, { onCall: onTokenGet(tokens.answer) });
  const before = tokens.right("anna", await conversation.ask("anna"));
  await broker.stop();
  await broker.start();
  const after = tokens.right("anna", await conversation.ask("anna"));
  const again = tokens.right("ben", await conversation.ask("ben"));
  const remedy = "When the session has ended, connect, prove the key and ask again, once, without troubling the person.";
  return verdict("connects again, once, and goes on", [
    check(before, "no token before the restart", "Print USER ok TOKEN for each line."),
    check(after && again, "no token after DMS Connect was restarted", remedy),
    atMost(broker.connections, 2, "connections", remedy),
    await finish(conversation.run),
  ]);
}

/** The app restarts with a new version and says when it will be back. */
async function announcedRestart(trial: Trial): Promise<Verdict> {
  const tokens = tokensOf(trial);
  let refusedAtMs: number | undefined;
  let cameBackAtMs: number | undefined;
  const onCall = onTokenGet((call) => {
    if (call.params["user"] === "ben" && refusedAtMs === undefined) {
      refusedAtMs = performance.now();
      call.refuse(refusal("shutting_down", { retryAfterSeconds }));
      return call.finish();
    }
    if (refusedAtMs !== undefined) cameBackAtMs ??= call.atMs;
    tokens.answer(call);
  });
  const { broker, conversation } = await converse(trial, { onCall });
  const first = tokens.right("anna", await conversation.ask("anna"));
  const line = await conversation.ask("ben");
  const reported = /^ben error (shutting_down|broker_unreachable)\s*$/.test(line ?? "");
  // A program that reports it leaves the waiting to whoever asked, which is the kit.
  if (reported) await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
  const pauseMs = (cameBackAtMs ?? Number.POSITIVE_INFINITY) - (refusedAtMs ?? 0);
  const after = tokens.right("carla", await conversation.ask("carla"));
  const remedy = "On shutting_down connect again after retryAfterSeconds, or report it; then go on as before.";
  return verdict(reported ? "reports it, and goes on afterwards" : "waits as long as it is told, and goes on", [
    check(first, "no token before the restart", "Print USER ok TOKEN for each line."),
    check(reported || tokens.right("ben", line), `answered "${line?.trim() ?? "nothing"}" while DMS Connect restarted`, remedy),
    check(reported || pauseMs >= retryAfterSeconds * 1000 - toleranceMs, "did not wait as long as it was told", remedy),
    check(after, "no token after DMS Connect was restarted", remedy),
    atMost(broker.connections, 3, "connections", remedy),
    await finish(conversation.run),
  ]);
}

async function oneSlowUser(trial: Trial): Promise<Verdict> {
  const tokens = tokensOf(trial);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const onCall = onTokenGet((call) => {
    // A program may well ask for the other user first.
    if (call.params["user"] === "slow") void released.then(() => tokens.answer(call));
    else tokens.answer(call);
  });
  const { broker, conversation } = await converse(trial, { onCall });
  const first = tokens.right("anna", await conversation.ask("anna"));
  const slow = conversation.ask("slow");
  const quick = conversation.ask("ben");
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, quickMs, undefined);
  });
  const wasQuick = tokens.right("ben", await Promise.race([quick, patience]));
  clearTimeout(timer);
  const askedMeanwhile = broker.calls.some((call) => call.params["user"] === "ben");
  release();
  const all = (await Promise.all([slow, quick])).every((line, index) => tokens.right(index === 0 ? "slow" : "ben", line));
  const remedy = "Send the next request before the last one is answered, and read answers independently.";
  if (!wasQuick && !askedMeanwhile && all) {
    return { outcome: "skip", reason: "asks one after the other, so a user whose token takes long holds up the others", remedy };
  }
  return verdict("a user whose token takes long holds up nobody", [
    check(first && all, "a token was wrong or missing", "Print USER ok TOKEN for each line."),
    check(wasQuick, "a user whose token takes long holds up the others", remedy),
    await finish(conversation.run),
  ]);
}

export const sessionScenarios: readonly Scenario[] = [
  { name: "one-session", what: "keeps its session for all requests", run: oneSession },
  { name: "reordered-answers", what: "matches answers that come in another order", run: reordered },
  { name: "one-slow-user", what: "serves others while one answer takes long", run: oneSlowUser },
  { name: "restart-in-the-middle", what: "connects again once after DMS Connect was restarted", run: restart },
  { name: "announced-restart", what: "comes back when DMS Connect says that it will be there again", run: announcedRestart },
];
