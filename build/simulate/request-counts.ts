/** How many requests each provider got in any second. */

interface Lane {
  readonly recentMs: number[];
  all: number;
  most: number;
  overCap: number;
}

export class RequestCounts {
  readonly #lanes = new Map<string, Lane>();
  readonly #capPerSecond: number;

  /** @param capPerSecond more in one second than this are a storm */
  constructor(capPerSecond: number) {
    this.#capPerSecond = capPerSecond;
  }

  sent(provider: string, atMs: number): void {
    const lane = this.#lanes.get(provider) ?? { recentMs: [], all: 0, most: 0, overCap: 0 };
    this.#lanes.set(provider, lane);
    lane.all += 1;
    while (lane.recentMs[0] !== undefined && lane.recentMs[0] <= atMs - 1_000) lane.recentMs.shift();
    lane.recentMs.push(atMs);
    lane.most = Math.max(lane.most, lane.recentMs.length);
    if (lane.recentMs.length > this.#capPerSecond) lane.overCap += 1;
  }

  get all(): number {
    return this.#sum(({ all }) => all);
  }

  /** The most that one provider got in any second. */
  get mostPerSecond(): number {
    return Math.max(0, ...[...this.#lanes.values()].map(({ most }) => most));
  }

  /** Requests that were one too many in their second. */
  get storms(): number {
    return this.#sum(({ overCap }) => overCap);
  }

  #sum(of: (lane: Lane) => number): number {
    return [...this.#lanes.values()].reduce((sum, lane) => sum + of(lane), 0);
  }
}
