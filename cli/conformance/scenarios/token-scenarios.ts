/** Good answers, in forms that a careless client stumbles over. */
import { onTokenGet, provider, shuttingDownEvent, tokenResult, user } from "../answers.ts";
import { atMost, check, printedToken, type Scenario, type Trial, type Verdict, verdict } from "../scenario.ts";
import type { Call, ScriptedBroker } from "../scripted-broker.ts";

interface Delivery {
  readonly praise: string;
  readonly token: string;
  readonly answer: (call: Call) => void;
  readonly limitMs?: number;
}

/** Runs `token` once against a broker that answers as told; the token must come through with one request. */
async function delivers(trial: Trial, { praise, token, answer, limitMs }: Delivery): Promise<Verdict> {
  const broker = await trial.broker({ onCall: onTokenGet(answer) });
  const end = await trial.program(["token", provider, user], limitMs === undefined ? {} : { limitMs }).ended;
  return verdict(praise, [printedToken(end, token), ...oneRequest(broker)]);
}

function oneRequest(broker: ScriptedBroker) {
  const remedy = "Ask once and wait for the answer; a second request or connection does not make it come sooner.";
  return [
    check(broker.connections > 0, "never connected to the pipe in DMS_CONNECT_PIPE", "Connect to the pipe that DMS_CONNECT_PIPE names."),
    atMost(broker.callsOf("token.get").length, 1, "token.get requests", remedy),
    atMost(broker.connections, 1, "connections", remedy),
  ];
}

function paramsOf(broker: ScriptedBroker) {
  const params = broker.callsOf("token.get")[0]?.params ?? {};
  const holds = params["provider"] === provider && params["user"] === user;
  return check(holds, "token.get does not ask for the provider and user of the command line", "Pass provider and user on unchanged.");
}

export const tokenScenarios: readonly Scenario[] = [
  {
    name: "token",
    what: "proves its key, asks for a token and prints it",
    run: async (trial) => {
      const token = trial.newToken();
      const broker = await trial.broker({ onCall: onTokenGet((call) => call.result(tokenResult(token))) });
      const end = await trial.program(["token", provider, user]).ended;
      return verdict("prints the token", [printedToken(end, token), paramsOf(broker), ...oneRequest(broker)]);
    },
  },
  {
    name: "unknown-fields",
    what: "ignores fields it does not know, and does not rely on their order",
    run: async (trial) => {
      const token = trial.newToken();
      const news = { later: { deep: [null, { "": 1.5e3 }] }, accessTokens: ["not this one"] };
      const broker = await trial.broker({
        greeting: (right) => ({ news, ...right, since: null }),
        onCall: onTokenGet((call) => {
          const result = { news, ...Object.fromEntries(Object.entries(tokenResult(token)).toReversed()) };
          call.raw(`${JSON.stringify({ news, result, id: call.id, jsonrpc: "2.0" })}\n`);
        }),
      });
      const end = await trial.program(["token", provider, user]).ended;
      return verdict("ignores what it does not know", [printedToken(end, token), ...oneRequest(broker)]);
    },
  },
  {
    name: "unasked-messages",
    what: "is not confused by notifications and answers nobody asked for",
    run: (trial) => {
      const token = trial.newToken();
      const event = { jsonrpc: "2.0", method: "event", params: { sequence: 1, type: "kit.unknown", connection: {} } };
      const other = { jsonrpc: "2.0", id: "nobody-asked", result: tokenResult("not-the-token") };
      const unread = { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "not for you", data: {} } };
      return delivers(trial, {
        praise: "takes its own answer and nothing else",
        token,
        answer: (call) => {
          const own = { jsonrpc: "2.0", id: call.id, result: tokenResult(token) };
          call.raw([event, shuttingDownEvent, other, unread, own].map((message) => `${JSON.stringify(message)}\n`).join(""));
        },
      });
    },
  },
  {
    name: "split-answer",
    what: "puts an answer together that comes byte by byte",
    run: (trial) => {
      const token = trial.newToken();
      const answer = (call: Call): void => {
        void inPieces(call, `${JSON.stringify({ jsonrpc: "2.0", id: call.id, result: tokenResult(token) })}\n`);
      };
      return delivers(trial, { praise: "puts the pieces together", token, answer });
    },
  },
  {
    name: "long-token",
    what: "takes an answer of nearly 64 KiB",
    run: (trial) => {
      // The token is in the answer twice: by itself, and in its header.
      const token = trial.newToken(32_000);
      return delivers(trial, { praise: "prints all of it", token, answer: (call) => call.result(tokenResult(token)) });
    },
  },
  {
    name: "oversized-token",
    what: "takes a token of 1 MiB, or refuses it; never a part of it",
    run: async (trial) => {
      const token = trial.newToken(1024 * 1024);
      await trial.broker({ onCall: onTokenGet((call) => call.result(tokenResult(token))) });
      const end = await trial.program(["token", provider, user]).ended;
      if (end.code !== 0 && end.code !== null && end.stdout === "") {
        return { outcome: "ok", reason: "refuses it, as the protocol's limits allow" };
      }
      return verdict("prints all of it", [printedToken(end, token)]);
    },
  },
  {
    name: "slow-answer",
    what: "waits while the broker asks the provider, and does not ask again meanwhile",
    run: (trial) => {
      const token = trial.newToken();
      const { slowMs, usualMs } = trial.timing;
      const answer = (call: Call): void => {
        const timer = setTimeout(() => call.result(tokenResult(token)), slowMs);
        void call.gone.then(() => clearTimeout(timer));
      };
      return delivers(trial, { praise: `waits ${slowMs / 1000} seconds, with one request`, token, answer, limitMs: slowMs + usualMs });
    },
  },
];

/** Writes byte by byte; within a character of several bytes slowly, so that the client surely reads a part of it. */
export async function inPieces(call: Call, text: string): Promise<void> {
  for (const byte of Buffer.from(text, "utf8")) {
    if (!(await call.rawAndWait(Buffer.of(byte)))) return;
    if (byte >= 0x80) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
