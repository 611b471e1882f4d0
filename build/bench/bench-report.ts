/** What a bench has to tell, and the figures it is made of. */

export interface BenchReport {
  /** For people. */
  readonly lines: readonly string[];
  /** Times in milliseconds, sizes in bytes. */
  readonly figures: readonly Readonly<Record<string, number>>[];
  readonly targets: readonly BenchTarget[];
}

export interface BenchTarget {
  readonly what: string;
  readonly measured: string;
  readonly limit: string;
  readonly met: boolean;
}

/** The value below which the share `p` (0 to 1) of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
