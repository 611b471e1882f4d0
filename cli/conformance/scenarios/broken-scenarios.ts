/** The other side is broken: it falls silent, never ends a line, or says what cannot be understood. */
import { onTokenGet, provider, tokenResult, user } from "../answers.ts";
import { check, failedCleanly, type Scenario, type Trial, type Verdict, verdict } from "../scenario.ts";
import type { BrokerScript, Call } from "../scripted-broker.ts";

const endlessBytes = 64 * 1024 * 1024;

/** The program has to fail by itself, in time. */
async function fails(trial: Trial, praise: string, script: BrokerScript, limitMs = trial.timing.usualMs): Promise<Verdict> {
  await trial.broker(script);
  const end = await trial.program(["token", provider, user], { limitMs }).ended;
  return verdict(praise, [
    failedCleanly(end),
    check(end.stderr.trim() !== "", "says nothing about it", "Say on standard error what went wrong."),
  ]);
}

/** A good answer that a client must not show anybody, because something is wrong with it. */
function answerWith(change: (answer: string) => string): BrokerScript["onCall"] {
  return (call) => call.raw(`${change(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: tokenResult("") }))}\n`);
}

async function floods(trial: Trial): Promise<Verdict> {
  let written = 0;
  const chunk = "x".repeat(64 * 1024);
  const flood = async (call: Call): Promise<void> => {
    while (written < endlessBytes && (await call.rawAndWait(chunk))) written += chunk.length;
  };
  const broker = await trial.broker({ onCall: onTokenGet((call) => void flood(call)) });
  const end = await trial.program(["token", provider, user], { limitMs: trial.timing.silenceMs }).ended;
  await broker.settled();
  const remedy = "Close when a line is longer than anything the broker sends (8 MiB).";
  return verdict("closes", [failedCleanly(end), check(written < endlessBytes, "reads a line without end into memory", remedy)]);
}

export const brokenScenarios: readonly Scenario[] = [
  {
    name: "half-a-line",
    what: "gives up when half an answer came and then nothing",
    run: (trial) => {
      const onCall = onTokenGet((call) => call.raw('{"jsonrpc":"2.0","id":'));
      return fails(trial, "gives up", { onCall }, trial.timing.silenceMs);
    },
  },
  {
    name: "silent-greeting",
    what: "gives up when session.hello is never answered",
    run: (trial) => fails(trial, "gives up", { greeting: () => undefined, onCall: () => undefined }, trial.timing.silenceMs),
  },
  { name: "endless-line", what: "closes before it has read 64 MiB that are no line", run: floods },
  {
    name: "broken-json",
    what: "does not print the token of an answer that cannot be read",
    run: (trial) => {
      const token = trial.newToken();
      const onCall = onTokenGet((call) => {
        const whole = JSON.stringify({ jsonrpc: "2.0", id: call.id, result: tokenResult(token) });
        call.raw(`${whole.replace('"tokenType":', '"tokenType"')}\n`);
        // The answer that might have been will not come any more.
        setTimeout(call.hangUp, 200);
      });
      return fails(trial, "fails and keeps the token to itself", { onCall });
    },
  },
  {
    name: "no-token-in-answer",
    what: "fails when the answer has no accessToken",
    run: (trial) => {
      const onCall = onTokenGet(answerWith((answer) => answer.replace('"accessToken":""', '"accessToken":null')));
      return fails(trial, "fails", { onCall });
    },
  },
  {
    name: "deep-nesting",
    what: "survives an answer of 100,000 brackets",
    run: (trial) => {
      const onCall = onTokenGet((call) => {
        call.raw(`${"[".repeat(100_000)}\n`);
        setTimeout(call.hangUp, 200);
      });
      return fails(trial, "fails without a crash", { onCall });
    },
  },
];
