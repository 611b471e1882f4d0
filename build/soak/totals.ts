/** What a whole soak counted, and the line it ends with. */

/** Each of them is zero, or the soak has failed. */
export const faultKinds = [
  "wrongUserTokens",
  "expiredTokensServed",
  "refreshTokenReused",
  "stuckConnections",
  "unhandledRejections",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What shows that the soak was one. */
export interface Seen {
  /** Of programs, of any kind. */
  requests: number;
  /** Tokens that programs were handed. */
  served: number;
  /** As the servers see them, whether or not the app got the answer. */
  signIns: number;
  /** How often the app asked for a person for a connection that had been served. */
  reconnects: number;
  /** Those of them that came although the provider would have renewed. */
  needlessReconnects: number;
  rotations: number;
  /** Refresh tokens that were sent once more because the answer to the first request had been lost. */
  inDoubtTries: number;
  quits: number;
  kills: number;
  serverRestarts: number;
  outages: number;
  busyTimes: number;
  /** How long a connection that needed no person went without a token, while programs asked for one. */
  longestGapMs: number;
  longestQuitMs: number;
}

export interface Totals {
  readonly faults: Record<FaultKind, number>;
  readonly seen: Seen;
  /** How programs were refused, by detail. */
  readonly refusals: Map<string, number>;
  readonly longestGap: { text: string };
}

export function newTotals(): Totals {
  return {
    faults: { wrongUserTokens: 0, expiredTokensServed: 0, refreshTokenReused: 0, stuckConnections: 0, unhandledRejections: 0 },
    seen: {
      requests: 0,
      served: 0,
      signIns: 0,
      reconnects: 0,
      needlessReconnects: 0,
      rotations: 0,
      inDoubtTries: 0,
      quits: 0,
      kills: 0,
      serverRestarts: 0,
      outages: 0,
      busyTimes: 0,
      longestGapMs: 0,
      longestQuitMs: 0,
    },
    refusals: new Map(),
    longestGap: { text: "none" },
  };
}

/** The last line of a run. */
export function summaryLine({ seen, faults }: Totals): string {
  return [`requests=${seen.requests}`, `served=${seen.served}`, ...faultKinds.map((kind) => `${kind}=${faults[kind]}`)].join(" ");
}

/** The lines before it. */
export function detailLines({ seen, refusals, longestGap }: Totals, troubles: ReadonlyMap<string, number>): readonly string[] {
  const { requests: _requests, served: _served, longestGapMs, longestQuitMs, ...counts } = seen;
  const lasted = [`longestGapSeconds=${seconds(longestGapMs)}`, `longestQuitSeconds=${seconds(longestQuitMs)}`];
  return [
    `seen: ${[...pairs(Object.entries(counts)), ...lasted].join(" ")}`,
    `network: ${pairs([...troubles]).join(" ")}`,
    `refusals: ${pairs([...refusals]).join(" ")}`,
    `longest gap: ${longestGap.text}`,
  ];
}

/** A run of more than this must have met every kind of restart. */
const surelyMinutes = 2;

/** Why the run proves nothing; empty if it does. */
export function shortcomings({ seen }: Totals, troubles: ReadonlyMap<string, number>, minutes: number): readonly string[] {
  const needed = { served: seen.served, ...(minutes > surelyMinutes ? { ...ofALongRun(seen), ...ofNetwork(troubles) } : {}) };
  return Object.entries(needed)
    .filter(([, count]) => count === 0)
    .map(([name]) => `no ${name}`);
}

function ofALongRun({ quits, kills, serverRestarts, rotations, reconnects }: Seen) {
  return { quits, kills, serverRestarts, rotations, reconnects };
}

function ofNetwork(troubles: ReadonlyMap<string, number>) {
  return {
    "cut-request": troubles.get("cut-request") ?? 0,
    "cut-answer": troubles.get("cut-answer") ?? 0,
    "corrupt-answer": troubles.get("corrupt-answer") ?? 0,
    close: troubles.get("close") ?? 0,
  };
}

/** Whether nothing happened that must not happen. */
export function isClean({ faults }: Totals): boolean {
  return faultKinds.every((kind) => faults[kind] === 0);
}

function pairs(entries: readonly (readonly [string, number])[]): readonly string[] {
  return entries.toSorted(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name}=${count}`);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
