/**
 * Whether something that may happen very often is worth writing down again. Invariant: at most `maxKeys` times a minute,
 * once for each key: whoever is refused a thousand times a second must not fill the disk.
 */

const minuteMs = 60_000;

export class OnceAMinute {
  readonly #maxKeys: number;
  readonly #toldMs = new Map<string, number>();

  constructor(maxKeys = 1_000) {
    this.#maxKeys = maxKeys;
  }

  isDue(key: string, nowMs: number): boolean {
    for (const [told, atMs] of this.#toldMs) {
      // A clock that was set back counts as a new minute.
      if (nowMs - atMs >= minuteMs || nowMs < atMs) this.#toldMs.delete(told);
    }
    if (this.#toldMs.has(key) || this.#toldMs.size >= this.#maxKeys) return false;
    this.#toldMs.set(key, nowMs);
    return true;
  }
}
