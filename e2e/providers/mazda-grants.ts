/**
 * Codes, grants and tokens of the stand-in Mazda server, in memory. Invariants: a code works once; a grant has at most one
 * live refresh token, and a spent one that comes back ends the whole grant, unless `reuseDetection` is off.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { GrantRow } from "./consent-page.ts";
import type { MazdaBehaviour } from "./mazda-options.ts";
import type { ProviderUser, RegisteredClient } from "./provider-contract.ts";
import type { ProviderCounters } from "./provider-counters.ts";
import type { RefreshTokenLedger } from "./refresh-token-ledger.ts";

/** Mazda's longest code. */
const codeLength = 32;

/** What the user approved. */
export interface Approval {
  readonly client: RegisteredClient;
  readonly user: ProviderUser;
  readonly redirectUri: string;
  /** S256 challenge (RFC 7636 section 4.2), when one was sent. */
  readonly codeChallenge?: string | undefined;
}

interface Grant {
  readonly id: string;
  readonly client: RegisteredClient;
  readonly user: ProviderUser;
  readonly startedAtMs: number;
  ended: boolean;
}
interface CodeRecord extends Approval {
  readonly expiresAtMs: number;
  /** Set when the code is redeemed. */
  grant?: Grant;
}
interface TokenRecord {
  readonly grant: Grant;
  readonly expiresAtMs: number;
}
interface RefreshTokenRecord extends TokenRecord {
  spent: boolean;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Unix time in milliseconds. */
  readonly accessTokenExpiresAtMs: number;
}

export interface Redemption {
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeVerifier: string | undefined;
}

export interface MazdaGrantsContext {
  readonly canary: string;
  readonly behaviour: MazdaBehaviour;
  readonly counters: ProviderCounters;
  readonly ledger: RefreshTokenLedger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

export class MazdaGrants {
  readonly #context: MazdaGrantsContext;
  readonly #codes = new Map<string, CodeRecord>();
  readonly #grants = new Map<string, Grant>();
  readonly #accessTokens = new Map<string, TokenRecord>();
  readonly #refreshTokens = new Map<string, RefreshTokenRecord>();
  readonly #issued: string[] = [];

  constructor(context: MazdaGrantsContext) {
    this.#context = context;
  }

  /** Makes a code of 32 characters for an approval. */
  issueCode(approval: Approval): string {
    const code = this.#secret("C", codeLength);
    this.#codes.set(code, { ...approval, expiresAtMs: this.#inSeconds(this.#context.behaviour.codeLifetimeSeconds) });
    return code;
  }

  /** Turns a code into tokens; undefined when it is unknown, used, late or not this client's. A reused code ends its grant. */
  redeemCode(redemption: Redemption): IssuedTokens | undefined {
    const record = this.#codes.get(redemption.code);
    if (record === undefined || record.client.clientId !== redemption.clientId) return undefined;
    if (record.grant !== undefined) {
      // RFC 6749 section 4.1.2: tokens issued from a code that comes back should be revoked.
      record.grant.ended = true;
      return undefined;
    }
    if (record.expiresAtMs <= this.#context.now() || record.redirectUri !== redemption.redirectUri) return undefined;
    if (this.#context.behaviour.pkce === "verified" && !verifierMatches(record.codeChallenge, redemption.codeVerifier)) return undefined;
    const grant: Grant = {
      id: randomUUID(),
      client: record.client,
      user: record.user,
      startedAtMs: this.#context.now(),
      ended: false,
    };
    record.grant = grant;
    this.#grants.set(grant.id, grant);
    this.#context.counters.codeExchanges += 1;
    return this.#issueTokens(grant, "at-exchange");
  }

  /** Rotates a refresh token; undefined when it is dead. A spent one ends its grant, where reuse is looked for. */
  refresh(refreshToken: string, clientId: string): IssuedTokens | undefined {
    const record = this.#refreshTokens.get(refreshToken);
    if (record === undefined || record.grant.client.clientId !== clientId) return undefined;
    const { behaviour } = this.#context;
    if (record.spent && behaviour.reuseDetection) {
      this.#context.counters.reuseDetections += 1;
      record.grant.ended = true;
      return undefined;
    }
    if (record.grant.ended || record.expiresAtMs <= this.#context.now()) return undefined;
    const tokens = this.#issueTokens(record.grant, "at-refresh");
    if (tokens.refreshToken !== undefined) {
      record.spent = true;
      this.#context.ledger.spent(refreshToken);
    }
    this.#context.counters.refreshes += 1;
    return tokens;
  }

  /** The user of a live access token. */
  authenticate(accessToken: string | undefined): ProviderUser | undefined {
    const record = accessToken === undefined ? undefined : this.#accessTokens.get(accessToken);
    if (record === undefined || record.grant.ended || record.expiresAtMs <= this.#context.now()) return undefined;
    return record.grant.user;
  }

  expireAccessTokens(): void {
    this.#accessTokens.clear();
  }

  /** Ends every grant and forgets every open code. */
  endAll(): void {
    this.#codes.clear();
    for (const grant of this.#grants.values()) grant.ended = true;
  }

  /** Ends one grant, as the provider's security screen does. */
  end(grantId: string): void {
    const grant = this.#grants.get(grantId);
    if (grant !== undefined) grant.ended = true;
  }

  liveGrants(): readonly GrantRow[] {
    return [...this.#grants.values()]
      .filter((grant) => !grant.ended)
      .map((grant) => ({
        id: grant.id,
        userId: grant.user.id,
        applicationName: grant.client.applicationName,
        since: new Date(grant.startedAtMs),
      }));
  }

  issuedSecrets(): readonly string[] {
    return [...this.#issued];
  }

  #issueTokens(grant: Grant, when: "at-exchange" | "at-refresh"): IssuedTokens {
    const { behaviour } = this.#context;
    const accessToken = this.#secret("A", behaviour.accessTokenLength);
    const accessTokenExpiresAtMs = this.#inSeconds(behaviour.accessTokenLifetimeSeconds);
    this.#accessTokens.set(accessToken, { grant, expiresAtMs: accessTokenExpiresAtMs });
    if (behaviour.omitRefreshToken === true || behaviour.omitRefreshToken === when) return { accessToken, accessTokenExpiresAtMs };
    const refreshToken = this.#secret("R", behaviour.refreshTokenLength);
    const expiresAtMs = this.#inSeconds(behaviour.refreshTokenLifetimeSeconds);
    this.#refreshTokens.set(refreshToken, { grant, expiresAtMs, spent: false });
    return { accessToken, refreshToken, accessTokenExpiresAtMs };
  }

  /** Canary, a letter for the kind, then random base64url characters up to `length`. */
  #secret(kind: "C" | "A" | "R", length: number): string {
    const prefix = `${this.#context.canary}${kind}`;
    const value = (prefix + randomBytes(length).toString("base64url")).slice(0, length);
    this.#issued.push(value);
    return value;
  }

  #inSeconds(seconds: number): number {
    return this.#context.now() + seconds * 1000;
  }
}

function verifierMatches(codeChallenge: string | undefined, codeVerifier: string | undefined): boolean {
  if (codeChallenge === undefined) return true;
  if (codeVerifier === undefined) return false;
  return createHash("sha256").update(codeVerifier).digest("base64url") === codeChallenge;
}
