/** Waits for something outside no longer than is good for whoever waits. */
import type { Clock } from "./ports.ts";

/**
 * @param limitMs milliseconds
 * @returns what `work` gives, or `otherwise` once the limit has passed; `work` goes on
 */
export function withLimit<T>({ setTimer }: Pick<Clock, "setTimer">, work: Promise<T>, limitMs: number, otherwise: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const stopTimer = setTimer(limitMs, () => resolve(otherwise));
  return Promise.race([work, promise]).finally(stopTimer);
}
