/** How long this process was too busy to look at anything, which must not be taken for slowness of the app. */

interface Pause {
  readonly endedAtMs: number;
  readonly lastedMs: number;
}

export interface Busyness {
  /** The longest pause since then, in milliseconds; also one that is not over. */
  readonly msSince: (sinceMs: number) => number;
  readonly stop: () => void;
}

const tickMs = 50;
/** Shorter ones are usual. */
const shortestMs = 100;
const mostPauses = 1_000;

/** Looks from now on. Keeps no process alive. */
export function watchBusyness(): Busyness {
  const pauses: Pause[] = [];
  let lastTickMs = Date.now();
  const timer = setInterval(() => {
    const nowMs = Date.now();
    const lastedMs = nowMs - lastTickMs - tickMs;
    lastTickMs = nowMs;
    if (lastedMs < shortestMs) return;
    pauses.push({ endedAtMs: nowMs, lastedMs });
    if (pauses.length > mostPauses) pauses.shift();
  }, tickMs).unref();
  return {
    msSince: (sinceMs) => {
      const since = pauses.filter(({ endedAtMs }) => endedAtMs >= sinceMs).map(({ lastedMs }) => lastedMs);
      return Math.max(0, Date.now() - lastTickMs - tickMs, ...since);
    },
    stop: () => clearInterval(timer),
  };
}
