/** Rows about requests on a quiet broker: one at a time, with a connection each, and pipelined. */
import { percentile, timed } from "../bench-report.ts";
import { type BenchScene, cachedUser } from "./bench-scene.ts";
import { LineClient } from "./line-client.ts";
import { expectToken, fetchToken, fetchTokenAtOnce, openSession, tokenLine } from "./program.ts";

export interface Distribution {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly samples: number;
}

/** As many as the broker lets one session have under way. */
const window = 256;

export function distribution(samples: readonly number[]): Distribution {
  return { p50Ms: percentile(samples, 0.5), p99Ms: percentile(samples, 0.99), samples: samples.length };
}

/** One cached token after the other on an open session, beside both baselines; in turn, so that a busy computer slows all. */
export async function benchOpenSession({ broker, program, echo, bareEcho }: BenchScene) {
  const clients = [LineClient.open(echo.path), LineClient.open(bareEcho.path), await openSession(broker.pipe, program)];
  await inTurn(clients.map(asking), { rounds: 20, each: 250 });
  const [echoed, bare, served] = await inTurn(clients.map(asking), { rounds: 200, each: 100 });
  for (const client of clients) client.close();
  return { echo: echoed, bareEcho: bare, broker: served };
}

/** Times `count` cached tokens, one after the other. */
export async function askTokens(client: LineClient, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  const ask = asking(client);
  for (let index = 0; index < count; index += 1) times.push(await timed(ask));
  return times;
}

function asking(client: LineClient): () => Promise<void> {
  let id = 0;
  return async () => {
    id += 1;
    expectToken(await client.ask(tokenLine(id, cachedUser)));
  };
}

/** A connection for each token. */
export async function benchConnections({ broker, program, echo, oidcAgent }: BenchScene) {
  const works = [
    async () => {
      const client = LineClient.open(echo.path);
      expectToken(await client.ask(tokenLine(1, cachedUser)));
      client.close();
    },
    () => fetchTokenAtOnce(echo.path, program, cachedUser),
    () => fetchTokenAtOnce(broker.pipe, program, cachedUser),
    () => fetchToken(broker.pipe, program, cachedUser),
    ...(oidcAgent === undefined ? [] : [oidcAgent.fetchToken]),
  ];
  await inTurn(works, { rounds: 10, each: 100 });
  const [echoed, echoProved, atOnce, stepwise, peer] = await inTurn(works, { rounds: 100, each: 25 });
  return { echo: echoed, echoProved, atOnce, stepwise, oidcAgent: peer };
}

/** Requests a second with 256 always under way. */
export async function benchPipelined({ broker, program, echo, bareEcho }: BenchScene) {
  const clients = [LineClient.open(echo.path), LineClient.open(bareEcho.path), await openSession(broker.pipe, program)];
  const seconds = clients.map(() => 0);
  const rounds = 8;
  const each = 25_000;
  for (const client of clients) await askPipelined(client, each);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, client] of clients.entries()) {
      const ms = await timed(() => askPipelined(client, each));
      seconds[index] = (seconds[index] ?? 0) + ms / 1000;
    }
  }
  for (const client of clients) client.close();
  const [echoed, bare, served] = seconds.map((sum) => (rounds * each) / sum);
  return { echo: echoed, bareEcho: bare, broker: served };
}

/** Asks `count` cached tokens with as many under way as may be; what was answered in one turn is replaced in one write. */
export async function askPipelined(client: LineClient, count: number, underWay: number = window): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  let answered = 0;
  let refill: NodeJS.Immediate | undefined;
  const fill = (): void => {
    refill = undefined;
    let lines = "";
    for (; sent < count && sent - answered < underWay; sent += 1) lines += tokenLine(sent, cachedUser);
    if (lines !== "") client.socket.write(lines);
  };
  client.onLine((line) => {
    expectToken(line);
    answered += 1;
    if (answered === count) resolve();
    else refill ??= setImmediate(fill);
  });
  fill();
  await promise;
}

async function inTurn(
  works: readonly (() => Promise<void>)[],
  { rounds, each }: { readonly rounds: number; readonly each: number },
): Promise<readonly Distribution[]> {
  const times = works.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, work] of works.entries()) {
      for (let count = 0; count < each; count += 1) times[index]?.push(await timed(work));
    }
  }
  return times.map(distribution);
}
