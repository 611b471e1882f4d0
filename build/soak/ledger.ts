/**
 * What the servers have issued and seen, and what the app has served: every token is judged by it.
 *
 * How each count is decided:
 * - `wrongUserTokens`: the provider's own API was asked whose the access token is, at the moment it was issued. It is served
 *   for another user or provider, or nobody has issued it.
 * - `expiredTokensServed`: by the server's clock the token had ended before it was served. Two tolerances: the time its own
 *   token answer took to the app, which counts `expires_in` from then, and `clockToleranceMs`. A token was served when its
 *   answer arrived at the program, or up to `pipeToleranceMs` (and the parent's own delay) before.
 * - `refreshTokenReused`: a refresh token arrives although an earlier answer to it was acknowledged: its successor's access
 *   token was served (so it was committed), or the proxy has passed on the whole answer and the app has lived on for
 *   `commitMs`, or the same run of the app sends it again. It also counts when two requests with it are under way at once, and
 *   when it comes earlier than the documented 30 s before the end of the access token, as the app counts it.
 *   Not counted is the documented way out of doubt: every earlier answer was cut, corrupted or dropped by the proxy, or the
 *   app ended before it could keep it.
 */
import { createHash } from "node:crypto";
import type { AnswerWay } from "./chaos-link.ts";
import type { ProviderId } from "./child-contract.ts";
import type { FaultKind, Seen } from "./totals.ts";

/** Whose connection: what a program asks for. */
export interface Who {
  readonly provider: ProviderId;
  readonly user: string;
}

/** One request that carried a refresh token, as the server sees it. */
export interface Presentation {
  /** Whose refresh token it is. */
  readonly issued: Issued;
  readonly life: number;
  readonly arrivedAtMs: number;
  /** Whether the connection it came over still leads to the app. */
  readonly isOpen: () => boolean;
  outcome: "under way" | "rotated" | "dead" | "not carried out";
  way: AnswerWay | undefined;
  successor: Issued | undefined;
}

/** What one sign-in has brought about. */
interface Family {
  /** The provider has refused one of its refresh tokens for good. */
  isRefused: boolean;
  wasServed: boolean;
}

/** The tokens of one answer. */
export interface Issued extends Who {
  readonly family: Family;
  /** Beginning of the access token's SHA-256: can be shown. */
  readonly name: string;
  readonly issuedAtMs: number;
  /** By the server's clock. */
  readonly expiresAtMs: number;
  /** Of the answer that holds them, once it is on its way. */
  way: AnswerWay | undefined;
  readonly presentations: Presentation[];
  firstServedAtMs: number | undefined;
  /** A program has reported it as refused. */
  isRejected: boolean;
}

export interface NewTokens extends Who {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAtMs: number;
  /** Whose refresh token they replace; absent for those of a sign-in. */
  readonly replaced?: Issued;
}

export interface Arrival {
  readonly life: number;
  readonly isOpen: () => boolean;
}

export interface LedgerParts {
  readonly nowMs: () => number;
  readonly seen: Seen;
  readonly onFault: (kind: FaultKind, text: string) => void;
  /** The longest that this process was too busy to look, since then: milliseconds. */
  readonly busyMsSince: (sinceMs: number) => number;
}

/** core/refresh-policy.ts: a grant in doubt is tried again only this close to the end of its access token. */
const inDoubtTryBeforeEndMs = 30_000;
/** The app counts a token's life from when it asked for it, which is so much earlier at most, by the way of its request. */
const askedBeforeMs = 5_000;
/** An app that has a whole answer has it on disk after a few milliseconds; a busy computer is given some seconds. */
const commitMs = 5_000;
const pipeToleranceMs = 1_000;
/** Servers tell their time in whole seconds (`Date`), and the app may go by it. */
const clockToleranceMs = 1_000;

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #byAccessToken = new Map<string, Issued>();
  readonly #byRefreshToken = new Map<string, Issued>();
  readonly #newest = new Map<string, Issued>();
  readonly #lifeEndingAtMs = new Map<number, number>();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** The app was told to end, or was killed. */
  lifeEnds(life: number): void {
    this.#lifeEndingAtMs.set(life, this.#parts.nowMs());
  }

  // ---- what the servers see -------------------------------------------------------------------

  /** A refresh request has arrived, whole. Undefined for a token that nobody issued. */
  presented(refreshToken: string, { life, isOpen }: Arrival): Presentation | undefined {
    const issued = this.#byRefreshToken.get(digest(refreshToken));
    if (issued === undefined) return undefined;
    const arrived: Presentation = {
      issued,
      life,
      arrivedAtMs: this.#parts.nowMs(),
      isOpen,
      outcome: "under way",
      way: undefined,
      successor: undefined,
    };
    const before = issued.presentations.filter(({ outcome }) => outcome !== "not carried out");
    issued.presentations.push(arrived);
    if (before.length > 0) this.#judgeRepetition(issued, before, arrived);
    return arrived;
  }

  /** The server has answered with new tokens, whether or not anybody gets them. */
  issued({ accessToken, refreshToken, expiresAtMs, provider, user, replaced }: NewTokens): Issued {
    const issued: Issued = {
      provider,
      user,
      family: replaced?.family ?? { isRefused: false, wasServed: false },
      name: digest(accessToken).slice(0, 12),
      issuedAtMs: this.#parts.nowMs(),
      expiresAtMs,
      way: undefined,
      presentations: [],
      firstServedAtMs: undefined,
      isRejected: false,
    };
    if (replaced === undefined) this.#parts.seen.signIns += 1;
    else this.#parts.seen.rotations += 1;
    this.#byAccessToken.set(digest(accessToken), issued);
    this.#byRefreshToken.set(digest(refreshToken), issued);
    this.#newest.set(`${provider} ${user}`, issued);
    return issued;
  }

  // ---- what programs see ------------------------------------------------------------------------

  /** A program was handed this token. Both times are of the program: when it asked, and when it had the answer. */
  served(who: Who, accessToken: string, askedAtMs: number, answeredAtMs: number): void {
    const { onFault, seen, busyMsSince } = this.#parts;
    seen.served += 1;
    const issued = this.#byAccessToken.get(digest(accessToken));
    if (issued === undefined) return onFault("wrongUserTokens", `${shownWho(who)} was handed a token that nobody issued`);
    if (issued.provider !== who.provider || issued.user !== who.user) {
      return onFault("wrongUserTokens", `${shownWho(who)} was handed ${shown(issued)}`);
    }
    issued.firstServedAtMs ??= answeredAtMs;
    issued.family.wasServed = true;
    const servedAtMs = Math.max(askedAtMs, answeredAtMs - pipeToleranceMs - busyMsSince(askedAtMs));
    const arrivedAtMs = issued.way?.lastSeenAtMs() ?? issued.firstServedAtMs;
    const overdueMs = servedAtMs - issued.expiresAtMs - (arrivedAtMs - issued.issuedAtMs) - clockToleranceMs;
    if (overdueMs > 0) onFault("expiredTokensServed", `${shown(issued)} was served ${overdueMs} ms after its end and all tolerance`);
  }

  rejected(accessToken: string): void {
    const issued = this.#byAccessToken.get(digest(accessToken));
    if (issued !== undefined) issued.isRejected = true;
  }

  /** Whether this token was issued after that. */
  isIssuedAfter(accessToken: string, sinceMs: number): boolean {
    return (this.#byAccessToken.get(digest(accessToken))?.issuedAtMs ?? 0) > sinceMs;
  }

  /** Whether a person is asked to sign in again although the last sign-in was good and the provider has refused nothing of it. */
  isNeedless({ provider, user }: Who): boolean {
    const family = this.#newest.get(`${provider} ${user}`)?.family;
    return family?.wasServed === true && !family.isRefused;
  }

  #judgeRepetition(issued: Issued, before: readonly Presentation[], arrived: Presentation): void {
    const { nowMs, seen, onFault } = this.#parts;
    const acknowledged = before.find((earlier) => this.#isAcknowledged(earlier, arrived));
    const said = `the refresh token of ${shown(issued)} came again`;
    const leftMs = issued.expiresAtMs - nowMs();
    if (acknowledged !== undefined) {
      const sinceMs = nowMs() - acknowledged.arrivedAtMs;
      onFault("refreshTokenReused", `${said} ${sinceMs} ms after it had ${acknowledged.outcome} and the answer had arrived`);
    } else if (before.some((earlier) => earlier.life === arrived.life && isUnderWay(earlier))) {
      onFault("refreshTokenReused", `${said} while it was under way`);
    } else if (leftMs > inDoubtTryBeforeEndMs + askedBeforeMs && !issued.isRejected) {
      onFault("refreshTokenReused", `${said} while its access token lasted ${leftMs} ms`);
    } else seen.inDoubtTries += 1;
  }

  #isAcknowledged({ life, way, successor }: Presentation, again: Presentation): boolean {
    // A request that was held up on its way from an app that has ended.
    if (again.life < life) return false;
    if (successor?.firstServedAtMs !== undefined) return true;
    const deliveredAtMs = way?.deliveredAtMs();
    if (deliveredAtMs === undefined) return false;
    if (life === again.life) return true;
    const endingAtMs = this.#lifeEndingAtMs.get(life) ?? this.#parts.nowMs();
    return endingAtMs - deliveredAtMs >= commitMs;
  }
}

/** Whether the answer may still come: the app has no reason to ask again. */
function isUnderWay({ outcome, way, isOpen }: Presentation): boolean {
  return isOpen() && (outcome === "under way" || way?.deliveredAtMs() === undefined);
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function shown({ provider, user, name, issuedAtMs, expiresAtMs }: Issued): string {
  return `${shownWho({ provider, user })}'s ${name} (${Math.round((expiresAtMs - issuedAtMs) / 1000)} s)`;
}

function shownWho({ provider, user }: Who): string {
  return `${provider}/${user}`;
}
