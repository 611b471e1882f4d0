/**
 * How often a program may ask: a token bucket for each (https://en.wikipedia.org/wiki/Token_bucket), full at first and
 * holding one minute's requests. Invariant: what is refused costs nothing from the bucket.
 */

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

const minuteMs = 60_000;

export class RequestLimits {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Takes one request from the program's minute.
   *
   * @returns 0 if it may go on, else the milliseconds until it may
   */
  take(clientId: string, perMinute: number, nowMs: number): number {
    const bucket = this.#buckets.get(clientId) ?? { tokens: perMinute, filledAtMs: nowMs };
    this.#buckets.set(clientId, bucket);
    const gained = Math.max(0, nowMs - bucket.filledAtMs) * (perMinute / minuteMs);
    // The limit may have been changed since, to more or to less.
    bucket.tokens = Math.min(perMinute, bucket.tokens + gained);
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * (minuteMs / perMinute));
    bucket.tokens -= 1;
    return 0;
  }
}
