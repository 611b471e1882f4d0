/**
 * Whether something that may happen very often is worth writing down again. Invariant: at most `maxKeys` times a minute,
 * once for each key: whoever is refused a thousand times a second must not fill the disk.
 */

const minuteMs = 60_000;
const maxKeys = 64;

export class OnceAMinute {
  readonly #toldMs = new Map<string, number>();

  isDue(key: string, nowMs: number): boolean {
    for (const [told, atMs] of this.#toldMs) {
      // A clock that was set back counts as a new minute.
      if (nowMs - atMs >= minuteMs || nowMs < atMs) this.#toldMs.delete(told);
    }
    if (this.#toldMs.has(key) || this.#toldMs.size >= maxKeys) return false;
    this.#toldMs.set(key, nowMs);
    return true;
  }
}
