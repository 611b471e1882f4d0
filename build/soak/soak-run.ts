/**
 * A whole soak: servers, proxy, app, programs and a person, for as long as it takes. Invariant: when it settles, nothing that
 * it started is left, and every connection was looked at once more in peace.
 */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Credentials, pairWithBroker } from "../../clients/node/dms-connect-client.ts";
import { createRandom, type Random } from "../crash/random.ts";
import { AppHost } from "./app-host.ts";
import { watchBusyness } from "./busyness.ts";
import { type Pace, runChaos, usualPace } from "./chaos-schedule.ts";
import { type ProviderId, providerIds, type Sabotage } from "./child-contract.ts";
import { DmsProgram } from "./dms-program.ts";
import { findStuck } from "./last-look.ts";
import { Ledger } from "./ledger.ts";
import { Person } from "./person.ts";
import { SoakConnection } from "./soak-connection.ts";
import { type LifeSeconds, type StandIns, startStandIns } from "./stand-ins.ts";
import { type FaultKind, newTotals, summaryLine, type Totals } from "./totals.ts";

export interface SoakOptions {
  /** From `bundleChild`. */
  readonly file: string;
  /** Existing and empty; the profile and what belongs to it go there. */
  readonly folder: string;
  readonly minutes: number;
  readonly seed: number;
  /** In all; half of them at each provider. */
  readonly connections: number;
  readonly sabotages: readonly Sabotage[];
  readonly print: (line: string) => void;
  readonly verbose?: boolean;
  /** Told what to call when this process ends early. */
  readonly onApp?: (killNow: () => void) => void;
  readonly lifeSeconds?: LifeSeconds;
  readonly pace?: Pace;
  /** How long a connection is given at the end. */
  readonly settleMs?: number;
  /** Ends it early. */
  readonly isEnough?: (totals: Totals) => boolean;
}

export interface SoakOutcome {
  readonly totals: Totals;
  readonly troubles: ReadonlyMap<string, number>;
}

const usualLifeSeconds: LifeSeconds = { shortest: 20, longest: 60 };
/** Twice the longest life, and then some: back-off, a pause of the provider and a doubt may come one after the other. */
const usualSettleMs = 150_000;
const programs = 4;
const varyEveryMs = 1_000;
const lookEveryMs = 100;
const progressEveryMs = 60_000;
/** A fault that comes again and again needs no more lines than this. */
const mostLines = 100;

interface Scene {
  readonly options: SoakOptions;
  readonly random: Random;
  readonly totals: Totals;
  readonly ledger: Ledger;
  readonly standIns: StandIns;
  readonly app: AppHost;
  readonly person: Person;
  readonly connections: readonly [SoakConnection, ...SoakConnection[]];
  readonly pipe: string;
  readonly finish: () => void;
}

/** Rejects only for bugs of the soak. */
export async function runSoak(options: SoakOptions): Promise<SoakOutcome> {
  const scene = await setUp(options);
  const { app, standIns, totals } = scene;
  try {
    await app.start();
    const credentials = await pairPrograms(scene);
    await chaosPhase(scene, credentials);
    await peacefulPhase(scene, credentials);
  } finally {
    scene.finish();
    await app.quit("quit");
    await standIns.close();
  }
  return { totals, troubles: sum(standIns.all.map(({ proxy }) => proxy.troubles)) };
}

async function setUp(options: SoakOptions): Promise<Scene> {
  const { folder, file, sabotages, lifeSeconds = usualLifeSeconds, seed } = options;
  const random = createRandom(seed);
  const totals = newTotals();
  const { seen } = totals;
  const tell = teller(options.print);
  const onFault = (kind: FaultKind, text: string) => {
    totals.faults[kind] += 1;
    tell(`${kind}: ${text}`);
  };
  const onNote = (text: string) => tell(`note: ${text}`);
  const busyness = watchBusyness();
  const ledger = new Ledger({ nowMs: Date.now, seen, onFault, busyMsSince: busyness.msSince });
  const connections = newConnections(options.connections);
  const standIns = await startStandIns({
    users: usersOf(connections),
    lifeSeconds,
    ledger,
    random,
    onProblem: onNote,
  });
  const certificateFile = join(folder, "token-endpoints.pem");
  await writeFile(certificateFile, standIns.certificatePem);
  const profileFolder = join(folder, "profile");
  await mkdir(profileFolder);
  // Short: the path of a socket may have about a hundred bytes only.
  const pipe = process.platform === "win32" ? `\\\\.\\pipe\\dms-soak-${randomUUID()}` : join(folder, "p.sock");
  let isOver = false;
  const person = new Person({ random, send: (message) => app.send(message), isOver: () => isOver, onProblem: onNote });
  const app = new AppHost({
    file,
    profileFolder,
    pipe,
    certificateFile,
    providers: standIns.all.map(({ offered }) => offered),
    sabotages,
    onPage: (page) => person.pageOpened(page),
    onEnding: (life) => ledger.lifeEnds(life),
    onEnded: () => person.appEnded(),
    onBug: (text) => onFault("unhandledRejections", text),
    onNote,
  });
  options.onApp?.(() => app.killNow());
  const stopWatching = watchOwnRejections((text) => onFault("unhandledRejections", `in the soak itself: ${text}`));
  const finish = () => {
    isOver = true;
    busyness.stop();
    stopWatching();
  };
  return { options, random, totals, ledger, standIns, app, person, connections, pipe, finish };
}

async function chaosPhase(scene: Scene, credentials: readonly Credentials[]): Promise<void> {
  const { options, random, totals, standIns, app, person, connections } = scene;
  const { minutes, pace = usualPace, isEnough = () => false, verbose = false } = options;
  const beganMs = performance.now();
  const onEvent = (text: string) => verbose && options.print(`${((performance.now() - beganMs) / 1000).toFixed(1)} s: ${text}`);
  const dms = credentials.map((own) => startProgram(scene, own));
  const running = dms.map((program) => program.run());
  for (const { who } of connections) person.asked(who);
  const over = new AbortController();
  const chaos = runChaos({ app, standIns: standIns.all, random, seen: totals.seen, pace, onEvent }, over.signal);
  const varying = setInterval(() => standIns.all.forEach(({ vary }) => vary()), varyEveryMs);
  const progress = setInterval(() => options.print(progressLine(totals)), progressEveryMs);
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs && !isEnough(totals)) await delay(Math.min(lookEveryMs, Math.max(1, endMs - performance.now())));
  clearInterval(progress);
  over.abort();
  await chaos;
  for (const program of dms) program.end();
  await Promise.all(running);
  clearInterval(varying);
}

/** From here on nothing disturbs the app any more. */
async function peacefulPhase(scene: Scene, credentials: readonly Credentials[]): Promise<void> {
  const { options, standIns, totals, person, connections, ledger } = scene;
  for (const { proxy } of standIns.all) proxy.calmDown();
  const [own] = credentials;
  if (own === undefined) return;
  await person.rest();
  const program = startProgram(scene, own);
  const stuck = await findStuck({ program, connections, ledger, limitMs: options.settleMs ?? usualSettleMs });
  program.end();
  totals.faults.stuckConnections += stuck.length;
  for (const { who, last } of stuck) options.print(`stuckConnections: ${who.provider}/${who.user}: ${last}`);
}

function startProgram({ pipe, connections, ledger, totals, random, standIns, person }: Scene, credentials: Credentials): DmsProgram {
  const { seen } = totals;
  return new DmsProgram({
    pipe,
    credentials,
    connections,
    ledger,
    totals,
    random,
    ownerOf: async (provider, accessToken) => standIns.all.find(({ id }) => id === provider)?.ownerOf(accessToken),
    onPersonNeeded: (connection) => {
      if (connection.needsPerson()) {
        seen.reconnects += 1;
        if (ledger.isNeedless(connection.who)) seen.needlessReconnects += 1;
      }
      person.asked(connection.who);
    },
  });
}

async function pairPrograms({ pipe }: Scene): Promise<readonly Credentials[]> {
  const all: Credentials[] = [];
  for (let number = 1; number <= programs; number += 1) {
    const paired = await pairWithBroker({ pipe, name: `Soak ${number}`, onCode: () => undefined });
    if (!paired.ok) throw new Error(`a program could not be paired: ${paired.error.detail}`);
    all.push(paired.value);
  }
  return all;
}

function newConnections(count: number): readonly [SoakConnection, ...SoakConnection[]] {
  const made = Array.from({ length: Math.ceil(count / providerIds.length) }, (_, index) =>
    providerIds.map((provider) => new SoakConnection({ provider, user: `${provider}.${index + 1}` })),
  ).flat();
  const [first, ...others] = made.slice(0, count);
  if (first === undefined) throw new Error("a soak needs a connection");
  return [first, ...others];
}

function usersOf(connections: readonly SoakConnection[]): Readonly<Record<ProviderId, readonly string[]>> {
  // Nobody ever signs in as the one who is suggested first: a provider that is not told whom would be noticed.
  const of = (id: ProviderId) => ["nobody", ...connections.filter(({ who }) => who.provider === id).map(({ who }) => who.user)];
  return { mazda: of("mazda"), webfleet: of("webfleet") };
}

function teller(print: (line: string) => void): (line: string) => void {
  let lines = 0;
  return (line) => {
    lines += 1;
    if (lines <= mostLines) print(line);
    if (lines === mostLines) print("no more of these are shown");
  };
}

function watchOwnRejections(onRejection: (text: string) => void): () => void {
  const listener = (error: unknown) => onRejection(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on("unhandledRejection", listener);
  process.on("uncaughtException", listener);
  return () => {
    process.off("unhandledRejection", listener);
    process.off("uncaughtException", listener);
  };
}

function progressLine(totals: Totals): string {
  const { quits, kills, serverRestarts, signIns, reconnects, rotations } = totals.seen;
  return `${summaryLine(totals)} (signIns=${signIns} rotations=${rotations} reconnects=${reconnects} quits=${quits} kills=${kills} serverRestarts=${serverRestarts})`;
}

function sum(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  for (const counts of all) for (const [name, count] of counts) total.set(name, (total.get(name) ?? 0) + count);
  return total;
}
