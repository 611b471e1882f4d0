/**
 * What happens to the app, the servers and the network, and when. Invariants: in the first round each kind happens once; the
 * app and each server are restarted by one thing at a time; when it settles everything is up again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../crash/random.ts";
import type { AppHost } from "./app-host.ts";
import type { StandIn } from "./stand-ins.ts";
import type { Seen } from "./totals.ts";

export interface Pace {
  /** Between the beginnings of two events, in the first round and after it. */
  readonly firstGapMs: Span;
  readonly gapMs: Span;
  /** How long something is away. */
  readonly awayMs: Span;
}
type Span = readonly [from: number, to: number];

export const usualPace: Pace = { firstGapMs: [4_000, 9_000], gapMs: [6_000, 25_000], awayMs: [100, 6_000] };

export interface ChaosParts {
  readonly app: AppHost;
  readonly standIns: readonly StandIn[];
  readonly random: Random;
  readonly seen: Seen;
  readonly pace: Pace;
  readonly onEvent: (text: string) => void;
}

interface Kind {
  /** What it keeps to itself meanwhile. */
  readonly of: string;
  readonly happen: () => Promise<void>;
}

/** Goes on until `signal` is aborted, and then until what is under way is over. */
export async function runChaos(parts: ChaosParts, signal: AbortSignal): Promise<void> {
  const { random, pace } = parts;
  const kinds = kindsOf(parts);
  const underWay = new Map<string, Promise<void>>();
  const firstRound = random.shuffled(kinds);
  for (;;) {
    // The app twice as often as each other: it is what this is about.
    const kind = firstRound.shift() ?? random.pick([...kinds, ...kinds.filter(({ of }) => of === "app")]);
    if (!(await waited(random, firstRound.length > 0 ? pace.firstGapMs : pace.gapMs, signal))) break;
    await underWay.get(kind.of);
    underWay.set(kind.of, kind.happen());
  }
  await Promise.all(underWay.values());
}

function kindsOf(parts: ChaosParts): readonly [Kind, ...Kind[]] {
  const { standIns } = parts;
  return [
    { of: "app", happen: () => quit(parts) },
    { of: "app", happen: () => kill(parts) },
    ...standIns.flatMap((standIn): readonly Kind[] => [
      { of: standIn.id, happen: () => restart(parts, standIn) },
      { of: `${standIn.id} load`, happen: () => beBusy(parts, standIn) },
    ]),
    { of: "network", happen: () => breakNetwork(parts) },
  ];
}

async function quit({ app, random, seen, pace, onEvent }: ChaosParts): Promise<void> {
  onEvent("the app quits");
  const tookMs = await app.quit(random.pick(["quit", "restart"]));
  onEvent("the app has quit");
  seen.quits += 1;
  seen.longestQuitMs = Math.max(seen.longestQuitMs, tookMs);
  await delay(random.between(...pace.awayMs));
  await startAgain(app, onEvent);
}

async function kill({ app, random, seen, pace, onEvent }: ChaosParts): Promise<void> {
  onEvent("the app is killed");
  await app.kill();
  seen.kills += 1;
  await delay(random.between(...pace.awayMs));
  await startAgain(app, onEvent);
}

async function startAgain(app: AppHost, onEvent: ChaosParts["onEvent"]): Promise<void> {
  onEvent("the app starts");
  await app.start();
  onEvent("the app is ready");
}

async function restart({ random, seen, pace, onEvent }: ChaosParts, { tokenEndpoint, id }: StandIn): Promise<void> {
  onEvent(`${id} restarts`);
  await tokenEndpoint.close();
  await delay(random.between(...pace.awayMs));
  await tokenEndpoint.open();
  onEvent(`${id} is back`);
  seen.serverRestarts += 1;
}

async function beBusy({ random, seen, pace, onEvent }: ChaosParts, { tokenEndpoint, id }: StandIn): Promise<void> {
  onEvent(`${id} is busy`);
  tokenEndpoint.setBusy(true);
  await delay(random.between(...pace.awayMs));
  tokenEndpoint.setBusy(false);
  onEvent(`${id} has time again`);
  seen.busyTimes += 1;
}

async function breakNetwork({ standIns, random, seen, pace, onEvent }: ChaosParts): Promise<void> {
  onEvent("the network breaks");
  for (const { proxy } of standIns) proxy.setBroken(true);
  await delay(random.between(...pace.awayMs));
  for (const { proxy } of standIns) proxy.setBroken(false);
  onEvent("the network is whole");
  seen.outages += 1;
}

/** Returns false when `signal` was aborted before. */
async function waited(random: Random, span: Span, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(random.between(...span), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
