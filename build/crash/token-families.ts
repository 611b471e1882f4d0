/**
 * What the rotating provider knows: families of refresh tokens, one a sign-in, one generation a rotation.
 *
 * Invariants: a refresh token is good once; one that comes a second time ends its whole family, as RFC 9700 section 4.14
 * wants it; what was issued is never forgotten, so that any token can be named later.
 */
import { createHash, randomBytes } from "node:crypto";

/** One request that carried a refresh token. */
export interface Send {
  /** Number of the run it came from. */
  readonly life: number;
  readonly atMs: number;
}

export interface Generation {
  readonly family: Family;
  /** 1 for the sign-in's own tokens. */
  readonly number: number;
  /** Beginning of the access token's SHA-256: can be shown. */
  readonly name: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
  readonly expiresAtMs: number;
  /** The run whose request brought it about. */
  readonly madeInLife: number;
  readonly sends: readonly Send[];
}

export interface Family {
  /** Rises with each sign-in at this provider. */
  readonly number: number;
  readonly user: string;
  readonly generations: readonly Generation[];
  readonly ended: { readonly by: "reuse" | "revocation"; readonly atMs: number } | undefined;
}

interface GrowingGeneration extends Generation {
  readonly family: GrowingFamily;
  readonly sends: Send[];
}
interface GrowingFamily extends Family {
  readonly generations: GrowingGeneration[];
  ended: Family["ended"];
}

/** How a token is named in reports: never by itself. */
export function tokenName(accessToken: string): string {
  return createHash("sha256").update(accessToken).digest("hex").slice(0, 12);
}

export class TokenFamilies {
  readonly #lifetimeSeconds: (user: string) => number;
  readonly #families: GrowingFamily[] = [];
  readonly #codes = new Map<string, string>();
  readonly #byRefreshToken = new Map<string, GrowingGeneration>();
  readonly #byName = new Map<string, GrowingGeneration>();

  /** @param lifetimeSeconds how long a user's access tokens last */
  constructor(lifetimeSeconds: (user: string) => number) {
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  /** A code for a user who has just signed in. */
  issueCode(user: string): string {
    const code = newSecret("code");
    this.#codes.set(code, user);
    return code;
  }

  /** The first tokens of a new family; undefined for a code that is unknown or was used. */
  redeem(code: string, life: number, nowMs: number): Generation | undefined {
    const user = this.#codes.get(code);
    if (user === undefined) return undefined;
    this.#codes.delete(code);
    const family: GrowingFamily = { number: this.#families.length + 1, user, generations: [], ended: undefined };
    this.#families.push(family);
    return this.#grow(family, life, nowMs);
  }

  /** Rotates. Undefined when the token is spent, which ends its family, or its family has ended. */
  rotate(refreshToken: string, life: number, nowMs: number): Generation | undefined {
    const generation = this.#byRefreshToken.get(refreshToken);
    if (generation === undefined) return undefined;
    const { family } = generation;
    if (generation !== family.generations.at(-1)) family.ended ??= { by: "reuse", atMs: nowMs };
    return family.ended === undefined ? this.#grow(family, life, nowMs) : undefined;
  }

  /** Notes that a request carried this token, whatever becomes of it. */
  sent(generation: Generation, send: Send): void {
    this.#byRefreshToken.get(generation.refreshToken)?.sends.push(send);
  }

  /** RFC 7009. Returns the family that the token belongs to, if any. */
  revoke(refreshToken: string, nowMs: number): Family | undefined {
    const family = this.#byRefreshToken.get(refreshToken)?.family;
    if (family !== undefined) family.ended ??= { by: "revocation", atMs: nowMs };
    return family;
  }

  byRefreshToken(refreshToken: string): Generation | undefined {
    return this.#byRefreshToken.get(refreshToken);
  }

  byName(name: string): Generation | undefined {
    return this.#byName.get(name);
  }

  /** Oldest first. */
  familiesOf(user: string): readonly Family[] {
    return this.#families.filter((family) => family.user === user);
  }

  #grow(family: GrowingFamily, life: number, nowMs: number): Generation {
    const accessToken = newSecret("access");
    const expiresInSeconds = this.#lifetimeSeconds(family.user);
    const generation: GrowingGeneration = {
      family,
      number: family.generations.length + 1,
      name: tokenName(accessToken),
      accessToken,
      refreshToken: newSecret("refresh"),
      expiresInSeconds,
      expiresAtMs: nowMs + expiresInSeconds * 1000,
      madeInLife: life,
      sends: [],
    };
    family.generations.push(generation);
    this.#byRefreshToken.set(generation.refreshToken, generation);
    this.#byName.set(generation.name, generation);
    return generation;
  }
}

/** Whether `a` is of a later sign-in than `b`, or a later rotation of the same. */
export function isNewer(a: Generation, b: Generation): boolean {
  return a.family.number === b.family.number ? a.number > b.number : a.family.number > b.family.number;
}

function newSecret(kind: string): string {
  return `${kind}-${randomBytes(24).toString("base64url")}`;
}
