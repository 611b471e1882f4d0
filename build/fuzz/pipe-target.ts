/** Fuzzes a pipe server: several connections at once, each of any kind, each judged by all that came over it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../crash/random.ts";
import type { FuzzedPrograms } from "./child-contract.ts";
import { type Finding, noteSeen, RecentInputs, type Seen } from "./findings.ts";
import type { FuzzTarget, TargetOptions } from "./fuzz-run.ts";
import { judgeAnswers } from "./judge-answers.ts";
import { PipeClient } from "./pipe-client.ts";
import { anyConnection } from "./pipe-connections.ts";
import { line, someNonce } from "./pipe-transcripts.ts";
import { startServerProcess } from "./server-process.ts";

/** At once, so that sessions meet each other. */
const workers = 12;
const probeAgainMs = 20;

/** The pipe with a core that has nothing behind it, and with short limits. */
export function startPipeTarget(options: TargetOptions): Promise<FuzzTarget> {
  return startTarget("pipe-server-process.ts", options);
}

/** The whole broker. */
export function startBrokerTarget(options: TargetOptions): Promise<FuzzTarget> {
  return startTarget("broker-server-process.ts", options);
}

async function startTarget(fileName: string, { boundMs, sabotage, seen, connection }: TargetOptions): Promise<FuzzTarget> {
  const folder = mkdtempSync(join(tmpdir(), "dms-fuzz-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // Also when the run is interrupted; the server's process ends by itself when this one does.
  process.once("exit", removeFolder);
  const file = join(import.meta.dirname, fileName);
  const server = await startServerProcess(file, { folder, ...(sabotage && { sabotage }) }, boundMs);
  const { programs } = server;
  if (programs === undefined) throw new Error("the server's process has named no programs");
  const open = () => new PipeClient(server.address, boundMs);
  const recent = new RecentInputs(2 * workers);
  return {
    server,
    batch: (random, runs) => runBatch({ open, programs, hasEnded: server.hasEnded, seen, recent, connection }, random, runs),
    recentInputs: () => recent.list(),
    probe: () => isServed(open, programs, boundMs),
    close: async () => {
      await server.kill();
      removeFolder();
      process.off("exit", removeFolder);
    },
  };
}

interface Surroundings {
  readonly open: () => PipeClient;
  readonly programs: FuzzedPrograms;
  readonly hasEnded: () => boolean;
  readonly seen: Seen;
  readonly recent: RecentInputs;
  readonly connection: number | undefined;
}

async function runBatch(surroundings: Surroundings, random: Random, runs: number): Promise<readonly Finding[]> {
  const { open, programs, hasEnded, seen, recent, connection } = surroundings;
  const found: Finding[] = [];
  const hangs = () => found.some(({ kind }) => kind === "hang");
  // Each has numbers and a share of its own, so that what it sends does not depend on which of them is faster.
  const work = async (own: Random, share: number): Promise<void> => {
    for (let left = share; left > 0 && !hasEnded() && !hangs(); ) {
      const seed = connection ?? own.between(0, 2 ** 31);
      const client = open();
      const { used, hung } = await anyConnection(client, createRandom(seed), programs);
      left -= used;
      client.socket.destroy();
      noteSeen(seen, "connections");
      const inputs = [{ connection: seed, bytes: client.sent }];
      for (const input of inputs) recent.note(input);
      found.push(...judgeAnswers(client, programs, seen).map((fault): Finding => ({ ...fault, inputs })));
      // All of them wait when the server does: that is one hang.
      if (hung && !hasEnded() && !hangs()) found.push({ kind: "hang", text: "a connection was not answered", inputs });
    }
  };
  const shares = Array.from({ length: workers }, (_, index) => Math.floor((runs + index) / workers));
  await Promise.all(shares.map((share) => work(createRandom(random.between(0, 2 ** 31)), share)));
  return found;
}

/** A polite program proves its key and gets its token. It tries again: sessions that have just ended may still count. */
async function isServed(open: () => PipeClient, programs: FuzzedPrograms, boundMs: number): Promise<boolean> {
  const endMs = performance.now() + boundMs;
  do {
    const client = open();
    if (await getsToken(client, programs)) return true;
    await delay(probeAgainMs);
  } while (performance.now() < endMs);
  return false;
}

async function getsToken(client: PipeClient, [program]: FuzzedPrograms): Promise<boolean> {
  const { provider, users, marks } = program;
  const entered = await client.enter(program, someNonce);
  const waited =
    entered === "sent" ? await client.ask(line(2, "token.get", { provider, user: users[0] }), `"accessToken":"${marks[0]}`) : "ended";
  client.socket.destroy();
  return waited === "came";
}
