/**
 * The loop of every fuzzer: batches of mutated input against a server in a process of its own; after each batch a polite
 * client is served, and nothing of the batch may be left.
 *
 * Invariant: which server a batch is for, and what it sends, depends on its own seed only, so whatever was found is found
 * again with that seed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, type Random } from "../crash/random.ts";
import type { Condition, Sabotage } from "./child-contract.ts";
import type { Finding, FindingKind, FuzzTotals, Seen, SentInput } from "./findings.ts";
import type { ServerProcess } from "./server-process.ts";

/** A fuzzed server, and how to talk to it. */
export interface FuzzTarget {
  readonly server: ServerProcess;
  /** Sends `runs` mutated inputs. Ends early when the server does, or hangs. */
  readonly batch: (random: Random, runs: number) => Promise<readonly Finding[]>;
  /** What the last connections have sent. */
  readonly recentInputs: () => readonly SentInput[];
  /** Whether a polite client is served. */
  readonly probe: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export interface TargetOptions {
  /** Counts what comes back. */
  readonly seen: Seen;
  /** See `FuzzRunOptions`. */
  readonly boundMs: number;
  readonly sabotage: Sabotage | undefined;
  /** The seed of the only connection to make, again and again. */
  readonly connection: number | undefined;
}

export interface FuzzRunOptions {
  readonly runs: number;
  readonly seed: number;
  /** An answer that takes longer is a hang; what is held longer by nobody is a leak. */
  readonly boundMs: number;
  /** Servers that take turns: the one at the batch's seed modulo their number. One that comes twice is started once. */
  readonly starts: readonly [StartTarget, ...StartTarget[]];
  readonly print: (line: string) => void;
  /** Told of each finding, with the size and the seed of the batch that repeats it. */
  readonly onFinding: (finding: Finding, batch: { readonly runs: number; readonly seed: number }) => void;
}

export type StartTarget = () => Promise<FuzzTarget>;

const runsABatch = 5_000;
const batchesAReport = 20;
const lookAgainMs = 20;
/** The first clients' connections are gone by then. */
const restMs = 200;
/** More than caches and compiled code grow by after the first batches. */
const memoryGrowthBytes = 48 * 1024 * 1024;
const warmUpBatches = 5;

export async function fuzz(options: FuzzRunOptions): Promise<FuzzTotals> {
  const { runs, seed, starts, print, onFinding } = options;
  const findings: Finding[] = [];
  const watches = new Map<StartTarget, Watch>();
  let maxRss = 0;
  let done = 0;
  for (let index = 0; done < runs; index += 1) {
    const batch = { runs: Math.min(runsABatch, runs - done), seed: seed + index };
    const start = starts[batch.seed % starts.length] ?? starts[0];
    const watch = watches.get(start) ?? (await startWatch(start));
    watches.set(start, watch);
    const found = await oneBatch(options.boundMs, watch, batch);
    for (const finding of found) onFinding(finding, batch);
    findings.push(...found);
    done += batch.runs;
    maxRss = Math.max(maxRss, watch.maxRss);
    // Whatever it has become, the next batch shall meet a sound one.
    if (found.length > 0) {
      watches.delete(start);
      await watch.target.close();
    }
    if ((index + 1) % batchesAReport === 0) print(`${done} of ${runs}`);
  }
  for (const { target } of watches.values()) await target.close();
  return { runs, findings, maxRssMb: Math.ceil(maxRss / 1024 / 1024) };
}

interface Watch {
  readonly target: FuzzTarget;
  /** What the server holds when nobody is connected. */
  readonly held: Condition["held"];
  batches: number;
  warmMemory: number;
  maxRss: number;
}

async function startWatch(start: StartTarget): Promise<Watch> {
  const target = await start();
  // Twice: what the first client makes for good is there then.
  for (let count = 0; count < 2; count += 1) {
    if (!(await target.probe())) throw new Error("the server does not serve a polite client before anything was sent");
  }
  const condition = await settled(target, undefined, restMs);
  if (condition === undefined) throw new Error("the server's process does not answer");
  return { target, held: condition.held, batches: 0, warmMemory: 0, maxRss: condition.rss };
}

async function oneBatch(boundMs: number, watch: Watch, { runs, seed }: { readonly runs: number; readonly seed: number }) {
  const { target } = watch;
  // What came of them together cannot be told apart.
  const of = (kind: FindingKind, text: string): Finding => ({ kind, text, inputs: target.recentInputs() });
  const crash = async (): Promise<readonly Finding[]> => [of("crash", `the server's process ${await target.server.ended}`)];
  const found = [...(await target.batch(createRandom(seed), runs))];
  if (target.server.hasEnded()) return crash();
  if (found.some(({ kind }) => kind === "hang")) return found;
  if (!(await target.probe())) return target.server.hasEnded() ? crash() : [...found, of("hang", "a polite client was not served")];
  const condition = await settled(target, watch.held, boundMs);
  if (target.server.hasEnded()) return crash();
  if (condition === undefined) return [...found, of("hang", "the server's process does not answer")];
  watch.batches += 1;
  watch.maxRss = Math.max(watch.maxRss, condition.rss);
  found.push(...condition.bugs.map((text) => of("crash", text)));
  found.push(...condition.logLeaks.map((text) => of("leak", `the log was told: ${text}`)));
  found.push(...leftovers(watch, condition).map((text) => of("leak", text)));
  return found;
}

function leftovers(watch: Watch, { held, memoryInUse }: Condition): readonly string[] {
  const left = differences(watch.held, held);
  const found = left === "" ? [] : [`left behind: ${left}`];
  if (watch.batches === warmUpBatches) watch.warmMemory = memoryInUse;
  const grown = watch.batches > warmUpBatches ? memoryInUse - watch.warmMemory : 0;
  if (grown > memoryGrowthBytes) found.push(`memory in use has grown by ${grown} bytes`);
  return found;
}

/** Looks until nothing but `held` is held, or the time is over. Connections take a moment to be gone. */
async function settled(target: FuzzTarget, held: Condition["held"] | undefined, boundMs: number): Promise<Condition | undefined> {
  const endMs = performance.now() + boundMs;
  for (;;) {
    const condition = await target.server.condition(false);
    const isSettled = condition !== undefined && (held === undefined ? false : differences(held, condition.held) === "");
    if (condition === undefined || isSettled || performance.now() > endMs) {
      return condition === undefined ? undefined : target.server.condition(true);
    }
    await delay(lookAgainMs);
  }
}

/** What `now` has more of than `before`, in words. */
function differences(before: Condition["held"], now: Condition["held"]): string {
  const more = Object.entries(now).filter(([name, count]) => count > (before[name] ?? 0));
  return more.map(([name, count]) => `${count - (before[name] ?? 0)} ${name}`).join(", ");
}
