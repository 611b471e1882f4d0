/**
 * What was acknowledged to the DMS program, and what the broker may therefore never go back on.
 *
 * Invariants: an answer is judged by what was acknowledged when its request was sent; only the provider's own record says
 * whether a refresh token was spent. What the broker's process reports as stored serves to explain, never to excuse.
 */
import { type Family, type Generation, isNewer, type Send, type TokenFamilies, tokenName } from "./token-families.ts";
import type { Finding, FindingKind, Seen } from "./totals.ts";

/**
 * `connected`: acknowledged. `ended`: a revocation was acknowledged. `ending`: acknowledged as begun. `open`: something
 * was asked for and not answered, or nothing ever was; both outcomes are right.
 */
export type Standing = "connected" | "ended" | "ending" | "open";

interface UserEntry {
  standing: Standing;
  /** Newest tokens the program was handed, or has been told of. */
  acknowledged: Generation | undefined;
  /** The same when the current run began. */
  acknowledgedBefore: Generation | undefined;
  /** Newest that the broker's process says it has stored. */
  stored: Generation | undefined;
  /** Reported as refused by the API, in this run. */
  rejected: Generation | undefined;
}

/** What held when a request was sent. */
export interface Asked {
  readonly user: string;
  readonly standing: Standing;
  readonly acknowledged: Generation | undefined;
  readonly atMs: number;
}

export interface LedgerParts {
  readonly families: TokenFamilies;
  readonly find: (finding: Finding) => void;
  readonly seen: Seen;
  readonly nowMs: () => number;
}

/** core/refresh-policy.ts: a grant in doubt is tried again only this close to the end of its access token. */
const inDoubtTryBeforeEndMs = 30_000;

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #users = new Map<string, UserEntry>();
  readonly #attempts = new Map<string, number>();
  readonly #sends = new Map<string, { readonly generation: Generation; readonly life: number; count: number }>();
  readonly #storedNames = new Set<string>();
  readonly #killedLives = new Set<number>();
  readonly #reconnected = new Set<Family>();
  #life = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  lifeBegan(life: number): void {
    this.#life = life;
    for (const entry of this.#users.values()) {
      entry.acknowledgedBefore = entry.acknowledged;
      entry.rejected = undefined;
    }
  }

  lifeKilled(): void {
    this.#killedLives.add(this.#life);
  }

  standing(user: string): Standing {
    return this.#entry(user).standing;
  }

  // ---- what the program asks and is answered ------------------------------------------------

  ask(user: string): Asked {
    const { standing, acknowledged } = this.#entry(user);
    return { user, standing, acknowledged, atMs: this.#parts.nowMs() };
  }

  tokenHanded(asked: Asked, accessToken: string): void {
    const entry = this.#entry(asked.user);
    const generation = this.#parts.families.byName(tokenName(accessToken));
    this.#parts.seen.tokensHanded += 1;
    if (generation === undefined) return this.find("corrupt", `${asked.user} was handed a token that nobody issued`);
    const said = `${asked.user} was handed ${shown(generation)}`;
    if (generation.family.user !== asked.user) return this.find("corrupt", `${said} of ${generation.family.user}`);
    const { ended } = generation.family;
    if (asked.standing === "ended" || asked.standing === "ending") this.find("acknowledgedLost", `${said} after its revocation`);
    else if (ended?.by === "revocation" && ended.atMs < asked.atMs) this.find("acknowledgedLost", `${said}, revoked at the provider`);
    else if (asked.acknowledged !== undefined && isNewer(asked.acknowledged, generation)) {
      this.find("acknowledgedLost", `${said} after ${shown(asked.acknowledged)} had been acknowledged`);
    }
    if (entry.acknowledged === undefined || isNewer(generation, entry.acknowledged)) entry.acknowledged = generation;
    entry.standing = "connected";
  }

  /** The connection is not there. */
  connectionMissing(asked: Asked, how: string): void {
    if (asked.standing === "connected") this.find("acknowledgedLost", `${asked.user} is ${how} after ${shownOr(asked.acknowledged)}`);
    this.#forget(this.#entry(asked.user));
  }

  tokenRejected(user: string, accessToken: string): void {
    this.#entry(user).rejected = this.#parts.families.byName(tokenName(accessToken));
  }

  connectBegun(user: string): void {
    const entry = this.#entry(user);
    if (entry.standing !== "connected") entry.standing = "open";
  }

  connected(user: string): void {
    const first = this.#parts.families.familiesOf(user).at(-1)?.generations[0];
    if (first === undefined) return this.find("corrupt", `${user} is connected without a sign-in`);
    const entry = this.#entry(user);
    if (entry.acknowledged === undefined || isNewer(first, entry.acknowledged)) entry.acknowledged = first;
    entry.standing = "connected";
    this.#parts.seen.signIns += 1;
  }

  /** Returns what `revoked` has to be told. */
  revokeBegun(user: string): Asked {
    const asked = this.ask(user);
    this.#entry(user).standing = "open";
    return asked;
  }

  revoked(asked: Asked, outcome: "ended" | "ending"): void {
    const entry = this.#entry(asked.user);
    this.#parts.seen.revocations += 1;
    const families = this.#parts.families.familiesOf(asked.user);
    const isTold = families.some(({ ended }) => ended !== undefined && ended.atMs >= asked.atMs);
    const family = asked.acknowledged?.family;
    const isOver = family === undefined || family.ended !== undefined || this.#reconnected.has(family);
    if (outcome === "ended" && !isTold && !isOver) {
      this.find("acknowledgedLost", `${asked.user}'s revocation was acknowledged and the provider never told`);
    }
    this.#forget(entry);
    entry.standing = outcome;
  }

  /** The broker says that somebody has to sign in again. */
  reconnectRequired(user: string): void {
    const entry = this.#entry(user);
    const family = entry.stored?.family ?? entry.acknowledged?.family ?? this.#parts.families.familiesOf(user).at(-1);
    if (family === undefined) return this.find("corrupt", `${user} must reconnect and was never connected`);
    if (this.#reconnected.has(family)) return;
    this.#reconnected.add(family);
    const lost = family.generations.find((generation) => this.#wasUnderWay(generation, entry));
    const text = `${user} must reconnect, family ${family.number} with ${family.generations.length} generations`;
    if (lost !== undefined) {
      this.#parts.find({ kind: "reconnectForced", avoidable: false, life: this.#life, text: `${text}; ${shown(lost)} was under way` });
    } else if (this.#hasLostAttempt(family)) {
      const avoidable = { kind: "reconnectForced", avoidable: true, life: this.#life } as const;
      this.#parts.find({ ...avoidable, text: `${text}, although the provider had not rotated` });
    } else this.find("acknowledgedLost", `${text}, and no refresh was under way at a kill`);
    this.#forget(entry);
  }

  // ---- what the provider sees -----------------------------------------------------------------

  /** A refresh request has arrived, with a token of `generation`. */
  refreshSent(generation: Generation, { life, atMs }: Send): void {
    const { user } = generation.family;
    const entry = this.#entry(user);
    const id = `${life}:${generation.name}`;
    const sends = this.#sends.get(id) ?? { generation, life, count: 0 };
    sends.count += 1;
    this.#sends.set(id, sends);
    const said = `${user} sent the refresh token of ${shown(generation)}`;
    const before = life === this.#life ? entry.acknowledgedBefore : undefined;
    if (before !== undefined && isNewer(before, generation)) {
      this.find("acknowledgedLost", `${said} after ${shown(before)} had been acknowledged`);
    }
    if (generation.sends.length === 0) return;
    const successor = generation.family.generations[generation.number];
    const leftMs = generation.expiresAtMs - atMs;
    if (successor !== undefined && this.#isStored(successor)) this.find("refreshTokenReused", `${said} though the next was stored`);
    else if (generation.sends.some((send) => send.life === life)) this.find("refreshTokenReused", `${said} twice in one run`);
    else if (leftMs > inDoubtTryBeforeEndMs && entry.rejected !== generation) {
      this.find("refreshTokenReused", `${said} again while its access token lasted ${(leftMs / 1000).toFixed(1)} s`);
    } else this.#parts.seen.inDoubtTries += 1;
  }

  // ---- what the broker's process reports --------------------------------------------------------

  attemptStored(life: number, name: string): void {
    const id = `${life}:${name}`;
    this.#attempts.set(id, (this.#attempts.get(id) ?? 0) + 1);
  }

  tokensStored(name: string): void {
    const generation = this.#parts.families.byName(name);
    if (generation === undefined) return;
    this.#storedNames.add(name);
    const entry = this.#entry(generation.family.user);
    if (entry.stored === undefined || isNewer(generation, entry.stored)) entry.stored = generation;
  }

  /** At the end, when no request can arrive any more: each attempt may have sent its token once. */
  settle(): void {
    for (const [id, { generation, life, count }] of this.#sends) {
      const attempts = this.#attempts.get(id) ?? 0;
      const said = `${generation.family.user} sent the refresh token of ${shown(generation)} ${count} times in run ${life}`;
      if (count > attempts) this.find("refreshTokenReused", `${said}, in ${attempts} stored attempts`);
    }
  }

  find(kind: Exclude<FindingKind, "reconnectForced">, text: string): void {
    this.#parts.find({ kind, life: this.#life, text });
  }

  #entry(user: string): UserEntry {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const entry: UserEntry = {
      standing: "open",
      acknowledged: undefined,
      acknowledgedBefore: undefined,
      stored: undefined,
      rejected: undefined,
    };
    this.#users.set(user, entry);
    return entry;
  }

  #forget(entry: UserEntry): void {
    entry.standing = "open";
    entry.acknowledged = undefined;
    entry.acknowledgedBefore = undefined;
  }

  #isStored(generation: Generation): boolean {
    return this.#storedNames.has(generation.name);
  }

  /** Rotated by the provider, and the broker was killed before it could keep the answer. */
  #wasUnderWay(generation: Generation, { acknowledged }: UserEntry): boolean {
    const isAcknowledged = acknowledged !== undefined && !isNewer(generation, acknowledged);
    return generation.number > 1 && !isAcknowledged && !this.#isStored(generation) && this.#killedLives.has(generation.madeInLife);
  }

  /** A refresh of the family's newest tokens had begun in a run that was killed. */
  #hasLostAttempt(family: Family): boolean {
    const newest = family.generations.at(-1);
    return newest !== undefined && [...this.#killedLives].some((life) => this.#attempts.has(`${life}:${newest.name}`));
  }
}

function shown({ family, number, name }: Generation): string {
  return `generation ${family.number}.${number} (${name})`;
}

function shownOr(generation: Generation | undefined): string {
  return generation === undefined ? "a sign-in" : shown(generation);
}
