/**
 * A DMS program: asks for tokens all the time over the real pipe, uses some of them, reports some as refused, and follows the
 * states of all connections. Invariant: every token it is handed is judged, and nothing it is answered ends it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BrokerSession, createBrokerSession } from "../../clients/node/broker-session.ts";
import type { BrokerConnection, BrokerFailure, Credentials } from "../../clients/node/dms-connect-client.ts";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import type { Random } from "../crash/random.ts";
import type { ProviderId } from "./child-contract.ts";
import type { Ledger, Who } from "./ledger.ts";
import type { SoakConnection } from "./soak-connection.ts";
import type { Totals } from "./totals.ts";

export interface DmsProgramParts {
  readonly pipe: string;
  readonly credentials: Credentials;
  readonly connections: readonly [SoakConnection, ...SoakConnection[]];
  readonly ledger: Ledger;
  readonly totals: Totals;
  readonly random: Random;
  /** By the provider's API: whose token it is; undefined for 401. */
  readonly ownerOf: (provider: ProviderId, accessToken: string) => Promise<string | undefined>;
  /** The app asks for a person. */
  readonly onPersonNeeded: (connection: SoakConnection) => void;
}

/** Several windows of the DMS at once. */
const loops = 6;
const longestPauseMs = 400;
/** While DMS Connect is not there. */
const absentPauseMs = 200;
const listShare = 0.01;
const useShare = 0.04;
/** A program that reports a token although the API has taken it. */
const wrongReportShare = 0.005;
const burstShare = 0.02;
const burst = 5;
/** For most requests what is there will do; a few can only be met with a new token. */
const validitySeconds: readonly (readonly [number, number, number])[] = [
  [0.8, 0, 10],
  [0.16, 10, 30],
  [0.04, 30, 120],
];

export class DmsProgram {
  readonly #parts: DmsProgramParts;
  readonly #session: BrokerSession;
  readonly #byUser = new Map<string, SoakConnection>();
  #isOver = false;

  constructor(parts: DmsProgramParts) {
    this.#parts = parts;
    this.#session = createBrokerSession({ pipe: parts.pipe, credentials: parts.credentials });
    for (const connection of parts.connections) this.#byUser.set(userKey(connection.who), connection);
  }

  /** Settles after `end`. */
  async run(): Promise<void> {
    const stop = this.#session.subscribe({
      onSnapshot: ({ connections }) => connections.forEach((connection) => this.#follow(connection)),
      onChange: ({ connection }) => this.#follow(connection),
    });
    await Promise.all(Array.from({ length: loops }, () => this.#loop()));
    stop();
  }

  /** Answers that are waited for come no more. */
  end(): void {
    this.#isOver = true;
    this.#session.close();
  }

  /** One request for each, and the answers judged; for a last look. Returns what was answered. */
  async ask(connection: SoakConnection, minValiditySeconds: number): Promise<Result<TokenGetResult, BrokerFailure>> {
    return this.#judged(connection, () => this.#session.tokenGet({ ...connection.who, minValiditySeconds }));
  }

  async #loop(): Promise<void> {
    const { random, connections } = this.#parts;
    while (!this.#isOver) {
      const mayGoOn = await this.#act(random.pick(connections));
      await delay(mayGoOn ? random.between(1, longestPauseMs) : absentPauseMs);
    }
  }

  /** Returns whether DMS Connect was there, and meant to stay. */
  async #act(connection: SoakConnection): Promise<boolean> {
    const { random, totals } = this.#parts;
    if (random.chance(listShare)) {
      totals.seen.requests += 1;
      const listed = await this.#session.connectionList();
      return listed.ok || isThere(listed.error);
    }
    // Simultaneous requests have to share one refresh.
    const times = random.chance(burstShare) ? burst : 1;
    const minValiditySeconds = this.#anyValidity();
    const [answer] = await Promise.all(Array.from({ length: times }, () => this.ask(connection, minValiditySeconds)));
    if (answer?.ok === true) await this.#use(connection, answer.value);
    return answer?.ok !== false || isThere(answer.error);
  }

  /** Calls the provider's API with it, as programs do, and reports a 401. */
  async #use(connection: SoakConnection, token: TokenGetResult): Promise<void> {
    const { random, ownerOf, ledger } = this.#parts;
    const { who } = connection;
    const isUsed = random.chance(useShare);
    const isRefused = isUsed && (await ownerOf(who.provider, token.accessToken)) === undefined;
    if (!isRefused && !random.chance(wrongReportShare)) return;
    ledger.rejected(token.accessToken);
    if (this.#isOver) return;
    await this.#judged(connection, () => this.#session.tokenRejected({ ...who, tokenId: token.tokenId }));
  }

  async #judged(
    connection: SoakConnection,
    request: () => Promise<Result<TokenGetResult, BrokerFailure>>,
  ): Promise<Result<TokenGetResult, BrokerFailure>> {
    const { ledger, totals, onPersonNeeded } = this.#parts;
    totals.seen.requests += 1;
    const askedAtMs = Date.now();
    const answer = await request();
    if (this.#isOver) return answer;
    const answeredAtMs = Date.now();
    if (answer.ok) {
      ledger.served(connection.who, answer.value.accessToken, askedAtMs, answeredAtMs);
      noteGap(totals, connection, answeredAtMs);
      return answer;
    }
    const { code, detail } = answer.error;
    connection.refused(detail);
    totals.refusals.set(detail, (totals.refusals.get(detail) ?? 0) + 1);
    if (code === "reconnect_required" || code === "not_connected") onPersonNeeded(connection);
    return answer;
  }

  #follow({ provider, user, state }: BrokerConnection): void {
    const connection = this.#byUser.get(`${provider} ${user}`);
    if (state === "ReconnectRequired" && connection !== undefined && !this.#isOver) this.#parts.onPersonNeeded(connection);
  }

  #anyValidity(): number {
    const { random } = this.#parts;
    let share = random.fraction();
    for (const [part, from, to] of validitySeconds) {
      if (share < part) return random.between(from, to);
      share -= part;
    }
    return 0;
  }
}

function isThere({ noAnswer, code }: BrokerFailure): boolean {
  return noAnswer === undefined && code !== "shutting_down";
}

function noteGap({ seen, longestGap }: Totals, connection: SoakConnection, nowMs: number): void {
  const gap = connection.served(nowMs);
  if (gap === undefined || gap.lastedMs <= seen.longestGapMs) return;
  seen.longestGapMs = gap.lastedMs;
  longestGap.text = `${userKey(connection.who)} was refused with ${gap.refusals.join(", ")}`;
}

function userKey({ provider, user }: Who): string {
  return `${provider} ${user}`;
}
