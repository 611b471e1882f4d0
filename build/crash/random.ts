/**
 * Random numbers that a seed repeats. Invariant: the same seed gives the same numbers on every machine.
 * Node has no generator that takes a seed; this one (mulberry32) is for schedules only, never for secrets.
 */
export interface Random {
  /** 0 ≤ value < 1. */
  readonly fraction: () => number;
  /** `from` ≤ value < `to`, whole. */
  readonly between: (from: number, to: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(values: readonly [T, ...T[]]) => T;
  readonly shuffled: <T>(values: readonly T[]) => T[];
}

/** @param seed any whole number; its lower 32 bits count */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(fraction() * (to - from));
  return {
    fraction,
    between,
    chance: (probability) => fraction() < probability,
    pick: (values) => values[between(0, values.length)] ?? values[0],
    shuffled: (values) => {
      const left = [...values];
      return values.flatMap(() => left.splice(between(0, left.length), 1));
    },
  };
}
