/**
 * What happens to a dealer's workstation in a quarter of a year: nights and weekends, outages, pulled cables, wrong clocks, a
 * stopped virtual machine, restarts.
 */
import type { Random } from "../crash/random.ts";
import type { Outage } from "./simulated-provider.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const yearMs = 365 * dayMs;

export type Happening =
  | { readonly kind: "sleep"; readonly ms: number; readonly networkAfterMs: number }
  | { readonly kind: "stopped-machine"; readonly ms: number }
  /** The wall clock is off by so much from now on. */
  | { readonly kind: "wall-clock"; readonly offMs: number }
  /** Power goes, and comes back with a clock that is off by so much. */
  | { readonly kind: "restart"; readonly offMs: number }
  | { readonly kind: "cable"; readonly isIn: boolean }
  | { readonly kind: "saving"; readonly isOn: boolean }
  | { readonly kind: "outage"; readonly provider: string; readonly outage: Outage | undefined };

export interface Dated {
  /** Since the start, in milliseconds. */
  readonly atMs: number;
  readonly happening: Happening;
}

/** Every happening of so many days that begin on a Monday at midnight, in order. */
export function calendar(days: number, random: Random): readonly Dated[] {
  const all: Dated[] = [];
  const add = (atMs: number, happening: Happening) => void all.push({ atMs, happening });
  for (let day = 0; day < days; day += 1) {
    const midnightMs = day * dayMs;
    ordinaryNight(day, midnightMs, random, add);
    if (random.chance(0.3)) outage(midnightMs, random, add);
    if (random.chance(0.2)) pulledCable(midnightMs, random, add);
    if (random.chance(0.2)) add(midnightMs + 13 * hourMs + random.between(0, hourMs), { kind: "restart", offMs: 0 });
    if (random.chance(0.1)) {
      add(midnightMs + 15 * hourMs, { kind: "saving", isOn: true });
      add(midnightMs + 17 * hourMs, { kind: "saving", isOn: false });
    }
  }
  for (const [day, happening] of oddities) {
    if (day < days) add(day * dayMs + 10 * hourMs, happening);
  }
  return all.toSorted((a, b) => a.atMs - b.atMs);
}

const outages = ["server-errors", "no-answers", "refuses-connections", "busy", "sign-in-page", "name-unknown"] as const;

type Add = (atMs: number, happening: Happening) => void;

/** Days on which something rare happens at ten in the morning. */
const oddities: readonly (readonly [number, Happening])[] = [
  [1.0, { kind: "wall-clock", offMs: 10 * yearMs }],
  [1.1, { kind: "wall-clock", offMs: 0 }],
  [8.0, { kind: "wall-clock", offMs: -10 * yearMs }],
  [8.2, { kind: "wall-clock", offMs: 0 }],
  // A dead battery: the clock begins in 2009.
  [15.0, { kind: "restart", offMs: -17 * yearMs }],
  [15.1, { kind: "wall-clock", offMs: 0 }],
  // Set to local time by mistake, and never mended before the next day.
  [22.0, { kind: "wall-clock", offMs: 2 * hourMs }],
  [23.0, { kind: "wall-clock", offMs: 0 }],
  [29.0, { kind: "restart", offMs: 10 * yearMs }],
  [29.1, { kind: "wall-clock", offMs: 0 }],
  [36.0, { kind: "stopped-machine", ms: 30 * dayMs }],
  // Company holidays.
  [71.0, { kind: "sleep", ms: 9 * dayMs, networkAfterMs: 20_000 }],
];

/** Most computers sleep at night and on weekends; some are left on. */
function ordinaryNight(day: number, midnightMs: number, random: Random, add: Add): void {
  const isWeekend = day % 7 >= 5;
  if (isWeekend && random.chance(0.8)) add(midnightMs + hourMs, { kind: "sleep", ms: 22 * hourMs, networkAfterMs: 10_000 });
  if (!isWeekend && random.chance(0.7))
    add(midnightMs + 19 * hourMs, { kind: "sleep", ms: 11 * hourMs, networkAfterMs: random.between(0, 30_000) });
  // A lid that is closed over lunch.
  if (!isWeekend && random.chance(0.3)) add(midnightMs + 12 * hourMs, { kind: "sleep", ms: 40 * minuteMs, networkAfterMs: 3_000 });
}

function outage(midnightMs: number, random: Random, add: Add): void {
  const provider = random.pick(["mazda", "webfleet"]);
  const kind = random.pick<Outage>(outages);
  const fromMs = midnightMs + random.between(8 * hourMs, 17 * hourMs);
  add(fromMs, { kind: "outage", provider, outage: kind });
  add(fromMs + random.between(minuteMs, 3 * hourMs), { kind: "outage", provider, outage: undefined });
}

function pulledCable(midnightMs: number, random: Random, add: Add): void {
  const fromMs = midnightMs + random.between(8 * hourMs, 17 * hourMs);
  add(fromMs, { kind: "cable", isIn: false });
  add(fromMs + random.between(10_000, 2 * hourMs), { kind: "cable", isIn: true });
}
