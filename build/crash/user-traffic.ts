/**
 * What the DMS program does for one user in one run: asks for tokens, reports refused ones, signs in and revokes, and
 * has every answer judged. Invariant: the ledger hears of a request before it is sent and of its answer after it came.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { BrokerClient, BrokerFailure } from "../../clients/node/dms-connect-client.ts";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import { providerId } from "./child-messages.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import type { Asked, Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";

export interface UserTrafficParts {
  readonly user: string;
  readonly session: BrokerClient;
  readonly events: ConnectionEvents;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly isOver: () => boolean;
  /** To be done as soon as possible, besides what chance brings. */
  readonly errand: "sign-in" | "revoke" | undefined;
}

/** A sign-in takes two round trips to the provider. */
const signInLimitMs = 3_000;
const rejectShare = 0.08;
const revokeShare = 0.015;
const signInShare = 0.015;
/** Requests for a token that lasts longer than the provider makes them, so that each of them refreshes. */
const refreshShare = 0.2;

export class UserTraffic {
  readonly #parts: UserTrafficParts;
  readonly #selector: { readonly provider: string; readonly user: string };
  #errand: UserTrafficParts["errand"];
  #isConnected: boolean;
  #newest: TokenGetResult | undefined;

  constructor(parts: UserTrafficParts) {
    this.#parts = parts;
    this.#selector = { provider: providerId, user: parts.user };
    this.#errand = parts.errand;
    // Where nobody knows, asking will tell.
    this.#isConnected = parts.ledger.standing(parts.user) === "connected";
  }

  /** Goes on until the run is over. */
  async drive(): Promise<void> {
    const { random, isOver } = this.#parts;
    while (!isOver()) {
      await this.#act();
      await delay(random.between(1, 12));
    }
  }

  /** One request, for a last look at a run that is not killed. */
  async lookOnce(): Promise<void> {
    await this.#askToken(0);
  }

  async #act(): Promise<void> {
    const { random } = this.#parts;
    if (!this.#isConnected || this.#errand === "sign-in") return this.#signIn();
    if (this.#errand === "revoke") return this.#revoke();
    const share = random.fraction();
    if (share < rejectShare) return this.#reject();
    if (share < rejectShare + revokeShare) return this.#revoke();
    if (share < rejectShare + revokeShare + signInShare) return this.#signIn();
    const minValiditySeconds = random.chance(refreshShare) ? 60 : random.between(0, 2);
    // Simultaneous requests have to share one refresh.
    await Promise.all(Array.from({ length: random.pick([1, 1, 3]) }, () => this.#askToken(minValiditySeconds)));
  }

  async #askToken(minValiditySeconds: number): Promise<void> {
    const asked = this.#parts.ledger.ask(this.#parts.user);
    this.#judge(asked, await this.#parts.session.tokenGet({ ...this.#selector, minValiditySeconds }));
  }

  async #reject(): Promise<void> {
    if (this.#newest === undefined) return;
    const { ledger, user, session } = this.#parts;
    ledger.tokenRejected(user, this.#newest.accessToken);
    const asked = ledger.ask(user);
    this.#judge(asked, await session.tokenRejected({ ...this.#selector, tokenId: this.#newest.tokenId }));
  }

  async #signIn(): Promise<void> {
    const { ledger, user, session, events, isOver } = this.#parts;
    ledger.connectBegun(user);
    const ended = events.nextSignIn(user);
    const started = await session.connectStart(this.#selector);
    if (!started.ok) return;
    const outcome = await Promise.race([ended, session.closed, delay(signInLimitMs, undefined, { ref: false })]);
    if (outcome !== "connected" || isOver()) return;
    ledger.connected(user);
    this.#errand = this.#errand === "sign-in" ? undefined : this.#errand;
    this.#isConnected = true;
  }

  async #revoke(): Promise<void> {
    const { ledger, user, session } = this.#parts;
    const asked = ledger.revokeBegun(user);
    const ended = await session.revoke(this.#selector);
    this.#isConnected = false;
    this.#newest = undefined;
    if (ended.ok) {
      ledger.revoked(asked, "ended");
      this.#errand = undefined;
    } else if (ended.error.detail === "revocation_pending") ledger.revoked(asked, "ending");
    else if (ended.error.detail === "not_connected") ledger.connectionMissing(asked, "not connected");
  }

  #judge(asked: Asked, answer: Result<TokenGetResult, BrokerFailure>): void {
    const { ledger, user } = this.#parts;
    if (answer.ok) {
      this.#newest = answer.value;
      ledger.tokenHanded(asked, answer.value.accessToken);
      return;
    }
    const { code, detail } = answer.error;
    if (detail === "broker_unreachable" || detail === "timed_out") return;
    if (detail === "not_connected") ledger.connectionMissing(asked, "not connected");
    else if (detail === "registration_missing") ledger.find("acknowledgedLost", "the registration is gone");
    else if (detail === "grant_unreadable") ledger.find("corrupt", `${user}'s grant is unreadable`);
    else if (code === "reconnect_required") ledger.reconnectRequired(user);
    else if (code === "vault_locked" || (code === "internal_error" && detail !== "vault_conflict")) {
      ledger.find("corrupt", `${user} was answered ${detail}`);
    }
    if (code === "not_connected" || code === "reconnect_required") this.#isConnected = false;
  }
}
