/**
 * Remembers which refresh tokens are spent, so that a test can say whether a client ever used one again. Invariant: it only
 * counts; what becomes of a request is decided elsewhere.
 */
import type { ProviderCounters } from "./provider-counters.ts";

export class RefreshTokenLedger {
  readonly #counters: ProviderCounters;
  /** Spent tokens, and how often each came back. */
  readonly #spent = new Map<string, number>();

  constructor(counters: ProviderCounters) {
    this.#counters = counters;
  }

  /** A refresh request with this token was read, whether or not it is then carried out. */
  presented(refreshToken: string | null | undefined): void {
    const before = this.#spent.get(refreshToken ?? "");
    if (before === undefined) return;
    this.#spent.set(refreshToken ?? "", before + 1);
    this.#counters.spentTokensPresented += 1;
    if (before > 0) this.#counters.spentTokensPresentedAgain += 1;
  }

  /** A refresh replaced this token, even if its answer was then lost. */
  spent(refreshToken: string): void {
    if (!this.#spent.has(refreshToken)) this.#spent.set(refreshToken, 0);
  }
}
