/** Rows about what one client feels of others: a crowd on one expired token, a slow refresh, a client that stalls. */
import { timed } from "../bench-report.ts";
import { type BenchScene, cachedUser, refreshedUser } from "./bench-scene.ts";
import { LineClient } from "./line-client.ts";
import { openSession, tokenLine } from "./program.ts";
import { askTokens, type Distribution, distribution } from "./request-rows.ts";

const crowdSize = 1_000;
const sessionsPerProgram = 60;
const crowdProviderMs = 300;
const slowProviderMs = 3_000;

export interface Crowd {
  readonly clients: number;
  readonly refreshes: number;
  readonly refused: number;
  /** From the provider's answer to the last client's. */
  readonly lastAnswerMs: number;
}

/** A thousand clients ask for one expired token at once; three times, the first one with a broker that has never seen so many. */
export async function benchCrowds(scene: BenchScene): Promise<readonly Crowd[]> {
  return [await benchCrowd(scene), await benchCrowd(scene), await benchCrowd(scene)];
}

async function benchCrowd({ broker, tokenEndpoint }: BenchScene): Promise<Crowd> {
  const clients: LineClient[] = [];
  for (const program of broker.programs) {
    for (let count = 0; count < sessionsPerProgram && clients.length < crowdSize; count += 1) {
      clients.push(await openSession(broker.pipe, program));
    }
  }
  const refreshesBefore = tokenEndpoint.answeredAtMs.length;
  tokenEndpoint.delayMs = crowdProviderMs;
  await broker.expire(refreshedUser);
  let lastAtMs = 0;
  const answers = await Promise.all(
    clients.map(async (client) => {
      const answer = await client.ask(tokenLine(9, refreshedUser));
      lastAtMs = performance.now();
      return answer.includes('"accessToken"');
    }),
  );
  const answered = tokenEndpoint.answeredAtMs.slice(refreshesBefore);
  for (const client of clients) client.close();
  return {
    clients: clients.length,
    refreshes: answered.length,
    refused: answers.filter((served) => !served).length,
    lastAnswerMs: lastAtMs - (answered[0] ?? Number.NaN),
  };
}

export interface Beside {
  readonly quiet: Distribution;
  readonly beside: Distribution;
}

/** Cached tokens of one user, quiet and while another user's refresh takes three seconds. */
export async function benchBesideRefresh({ broker, program, tokenEndpoint }: BenchScene): Promise<Beside> {
  const [asker, waiter] = [await openSession(broker.pipe, program), await openSession(broker.pipe, program)];
  const [quiet, beside]: [number[], number[]] = [[], []];
  tokenEndpoint.delayMs = slowProviderMs;
  await askFor(asker, 500);
  for (let round = 0; round < 2; round += 1) {
    quiet.push(...(await askFor(asker, slowProviderMs)));
    await broker.expire(refreshedUser);
    const refreshed = waiter.ask(tokenLine(round, refreshedUser));
    // A little less, so that the refresh is under way all the time.
    beside.push(...(await askFor(asker, slowProviderMs - 200)));
    await refreshed;
  }
  for (const client of [asker, waiter]) client.close();
  return { quiet: distribution(quiet), beside: distribution(beside) };
}

/** Cached tokens, quiet and while other clients have sent half a message: one with a session, one without. */
export async function benchBesideStalled({ broker, program }: BenchScene): Promise<Beside> {
  const asker = await openSession(broker.pipe, program);
  const [quiet, beside]: [number[], number[]] = [[], []];
  await askTokens(asker, 2_000);
  for (let round = 0; round < 20; round += 1) {
    quiet.push(...(await askTokens(asker, 1_000)));
    const stalled = [await openSession(broker.pipe, program), LineClient.open(broker.pipe)];
    for (const client of stalled) client.socket.write(tokenLine(1, cachedUser).slice(0, 40));
    beside.push(...(await askTokens(asker, 1_000)));
    for (const client of stalled) client.close();
  }
  asker.close();
  return { quiet: distribution(quiet), beside: distribution(beside) };
}

async function askFor(client: LineClient, durationMs: number): Promise<readonly number[]> {
  const times: number[] = [];
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) times.push(await timed(() => client.ask(tokenLine(times.length, cachedUser))));
  return times;
}
