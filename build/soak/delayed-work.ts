/** Work that is done later, in the order in which it came, however long each has to wait. */

interface Due {
  readonly atMs: number;
  readonly work: () => void;
}

export class DelayedWork {
  readonly #waiting: Due[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param delayMs 0: at once, unless something waits already */
  add(delayMs: number, work: () => void): void {
    const nowMs = performance.now();
    this.#waiting.push({ atMs: nowMs + delayMs, work });
    if (this.#waiting.length === 1) this.#doDue();
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #doDue(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const waitMs = first.atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#doDue(), Math.ceil(waitMs));
        return;
      }
      this.#waiting.shift();
      first.work();
    }
  }
}
