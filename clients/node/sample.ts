/**
 * A small DMS program: pairs, and gets tokens. It speaks the commands of clients/conformance.md. For one that also calls
 * a provider's API see sample-dms.ts. A real program does not print tokens: it sends `headers` with its API call.
 *
 * Invariant: standard output holds tokens and states only; everything for a person goes to standard error.
 */
import { homedir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import { type BrokerFailure, notPaired } from "./broker-failure.ts";
import { type BrokerSession, createBrokerSession } from "./broker-session.ts";
import { readCredentials, writeCredentials } from "./credentials-file.ts";
import { type BrokerConnection, pairWithBroker } from "./dms-connect-client.ts";

const usage = `usage: sample pair NAME               shows the code, waits for approval, stores the credentials
       sample token PROVIDER USER     prints an access token, and nothing else
       sample rejected PROVIDER USER  reports that token as refused by the API, prints the new one
       sample session                 reads "PROVIDER USER" lines, prints "USER ok TOKEN" or "USER error WORD"
       sample watch                   prints "USER STATE" for each connection and each change, until DMS Connect ends
The credentials are kept in the file DMS_CONNECT_CREDENTIALS, else below the user's configuration folder.`;

process.exitCode = await main(process.argv.slice(2));

async function main([command, ...words]: readonly string[]): Promise<number> {
  const [first = "", second = ""] = words;
  switch (`${command} ${words.length}`) {
    case "pair 1":
      return pair(first);
    case "token 2":
      return withSession(async (broker) => printToken(await broker.tokenGet({ provider: first, user: second })));
    case "rejected 2":
      return withSession((broker) => reportToken(broker, first, second));
    case "session 0":
      return withSession(serve);
    case "watch 0":
      return withSession(watch);
    default:
      console.error(usage);
      return 2;
  }
}

async function pair(name: string): Promise<number> {
  const paired = await pairWithBroker({
    ...timeout(),
    name,
    reason: "Sample program",
    onCode: (code, seconds) => console.error(`Code: ${code}. Compare it with DMS Connect's window and approve within ${seconds} seconds.`),
  });
  if (!paired.ok) return report(paired.error);
  await writeCredentials(credentialsFile(), paired.value);
  console.error("Paired.");
  return 0;
}

async function withSession(work: (broker: BrokerSession) => Promise<number>): Promise<number> {
  const credentials = await readCredentials(credentialsFile());
  if (credentials === undefined) return report(notPaired("This program is not paired with DMS Connect."));
  const broker = createBrokerSession({ ...timeout(), credentials });
  try {
    return await work(broker);
  } finally {
    broker.close();
  }
}

async function reportToken(broker: BrokerSession, provider: string, user: string): Promise<number> {
  const token = await broker.tokenGet({ provider, user });
  return printToken(token.ok ? await broker.tokenRejected({ provider, user, tokenId: token.value.tokenId }) : token);
}

/** Answers each line when its token is there: a user whose token takes long holds up nobody. */
async function serve(broker: BrokerSession): Promise<number> {
  const answers: Promise<void>[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const [provider = "", user = ""] = line.trim().split(" ");
    answers.push(
      broker.tokenGet({ provider, user }).then((token) => {
        if (!token.ok) report(token.error);
        console.log(token.ok ? `${user} ok ${token.value.accessToken}` : `${user} error ${wordOf(token.error)}`);
      }),
    );
  }
  await Promise.all(answers);
  return 0;
}

/** A program that runs for longer would wait for the next snapshot instead of ending. */
function watch(broker: BrokerSession): Promise<number> {
  const show = ({ user, state }: BrokerConnection): void => console.log(`${user} ${state}`);
  return new Promise((resolve) => {
    let wasThere = false;
    broker.subscribe({
      onSnapshot: ({ connections }) => {
        wasThere = true;
        connections.forEach(show);
      },
      onChange: ({ connection }) => show(connection),
      onInterrupted: (why) => resolve(wasThere ? 0 : report(why)),
      onEnded: (why) => resolve(report(why)),
    });
  });
}

function printToken(token: Result<TokenGetResult, BrokerFailure>): number {
  if (!token.ok) return report(token.error);
  console.log(token.value.accessToken);
  return 0;
}

/** The broker's word, or what the library found out by itself. */
function wordOf({ code, detail, noAnswer }: BrokerFailure): string {
  return noAnswer !== undefined || detail === "broker_not_genuine" ? detail : code;
}

function report(failure: BrokerFailure): number {
  console.error(`sample: ${failure.message} ${failure.remedy} [${wordOf(failure)}]`);
  if (failure.retryAfterSeconds !== undefined) console.error(`Try again in ${failure.retryAfterSeconds} seconds.`);
  return 1;
}

function timeout(): { readonly timeoutMs?: number } {
  const seconds = Number(process.env["DMS_CONNECT_TIMEOUT_SECONDS"]);
  return seconds > 0 ? { timeoutMs: seconds * 1000 } : {};
}

function credentialsFile(): string {
  const { DMS_CONNECT_CREDENTIALS, LOCALAPPDATA, XDG_CONFIG_HOME } = process.env;
  if (DMS_CONNECT_CREDENTIALS !== undefined) return DMS_CONNECT_CREDENTIALS;
  const folder = process.platform === "win32" ? LOCALAPPDATA : XDG_CONFIG_HOME;
  return path.join(folder ?? path.join(homedir(), ".config"), "dms-connect-sample", "credentials.json");
}
