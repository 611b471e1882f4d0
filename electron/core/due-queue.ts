/**
 * What is due when. Invariant: a binary heap in which no entry is due before the one above it, and each key stands in it once;
 * setting, moving and taking away cost O(log n).
 */

interface Entry<K> {
  readonly key: K;
  atMs: number;
}

export class DueQueue<K> {
  readonly #heap: Entry<K>[] = [];
  readonly #places = new Map<K, number>();

  get size(): number {
    return this.#heap.length;
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  /** When the first is due (Unix milliseconds); undefined when nothing is. */
  get firstAtMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  /** Makes `key` due at `atMs`, in place of when it was due before. */
  set(key: K, atMs: number): void {
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#put(this.#heap.length, { key, atMs });
      this.#rise(this.#heap.length - 1);
      return;
    }
    this.#entry(place).atMs = atMs;
    this.#rise(place);
    this.#sink(this.#places.get(key) ?? place);
  }

  delete(key: K): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const last = this.#heap.pop();
    // It was the last one itself.
    if (last === undefined || place === this.#heap.length) return;
    this.#put(place, last);
    this.#rise(place);
    this.#sink(this.#places.get(last.key) ?? place);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#places.clear();
  }

  /** Takes out the first one if it is due by `nowMs`. */
  take(nowMs: number): K | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.delete(first.key);
    return first.key;
  }

  #rise(start: number): void {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#entry(parent).atMs <= this.#entry(place).atMs) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #sink(start: number): void {
    let place = start;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      let least = place;
      if (left < this.#heap.length && this.#entry(left).atMs < this.#entry(least).atMs) least = left;
      if (right < this.#heap.length && this.#entry(right).atMs < this.#entry(least).atMs) least = right;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(a: number, b: number): void {
    const entry = this.#entry(a);
    this.#put(a, this.#entry(b));
    this.#put(b, entry);
  }

  #put(place: number, entry: Entry<K>): void {
    this.#heap[place] = entry;
    this.#places.set(entry.key, place);
  }

  #entry(place: number): Entry<K> {
    const entry = this.#heap[place];
    if (entry === undefined) throw new Error(`the heap has no place ${place}`);
    return entry;
  }
}
