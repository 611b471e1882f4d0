/**
 * The providers of the simulation, as one OAuth client: what a request meets on its way and what the servers make of it.
 *
 * Invariants: a refresh token works once, and used again it ends its family (RFC 9700 section 4.14); what the simulation knows
 * of a grant is what its server knows; every request is counted in true time.
 */
import type { ConnectionKey, Grant } from "../../electron/core/connection-state.ts";
import type { OAuthClient, RefreshOutcome, ResolvedClient } from "../../electron/core/ports.ts";
import { failure } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import type { RequestCounts } from "./request-counts.ts";
import type { SimulatedComputer } from "./simulated-computer.ts";

const dayMs = 86_400_000;

/** How a provider's tokens live. */
export interface TokenLives {
  readonly accessMs: number;
  /** The grant dies when it is not renewed for so long. */
  readonly idleMs: number;
}

export const tokenLives: Readonly<Record<string, TokenLives>> = {
  mazda: { accessMs: dayMs, idleMs: 21 * dayMs },
  webfleet: { accessMs: 3_600_000, idleMs: 30 * dayMs },
};

/** What is wrong with a provider for a while. */
export type Outage = "server-errors" | "no-answers" | "refuses-connections" | "busy" | "sign-in-page" | "name-unknown";

interface ServerGrant {
  readonly key: ConnectionKey;
  serial: number;
  accessEndsMs: number;
  /** Of the access token before: it lives out its time. */
  previousEndsMs: number;
  idleEndsMs: number;
  isRevoked: boolean;
}

export interface SimulatedProvidersOptions {
  readonly computer: SimulatedComputer;
  readonly counts: RequestCounts;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  /** Share of answers that get lost on their way back. */
  readonly lostAnswers: number;
  /** For tests: what is only an outage looks to the app as the provider's final word. */
  readonly isOutageTakenForLogout: boolean;
  /** A `Date` header has arrived. */
  readonly onServerTime: (provider: string, dateMs: number) => void;
  /** What the OAuth adapter would call now. */
  readonly nowMs: () => number;
}

export class SimulatedProviders implements OAuthClient {
  readonly #options: SimulatedProvidersOptions;
  readonly #grants = new Map<string, ServerGrant>();
  /** Provider id to what is wrong with it. */
  readonly outages = new Map<string, Outage>();

  constructor(options: SimulatedProvidersOptions) {
    this.#options = options;
  }

  /** A person has signed in: a new grant, as the token endpoint would give it. */
  signIn(key: ConnectionKey): Grant {
    const server: ServerGrant = { key, serial: 0, accessEndsMs: 0, previousEndsMs: 0, idleEndsMs: 0, isRevoked: false };
    this.#grants.set(nameOf(key), server);
    return this.#issue(server);
  }

  /** Whether the server would still renew the grant. */
  isLive(key: ConnectionKey): boolean {
    const server = this.#grants.get(nameOf(key));
    return server !== undefined && !server.isRevoked && server.idleEndsMs > this.#options.computer.trueMs;
  }

  /** Whether an API would take this access token now. */
  accepts(key: ConnectionKey, accessToken: string): boolean {
    const server = this.#grants.get(nameOf(key));
    if (server === undefined || server.isRevoked) return false;
    const serial = Number(accessToken.split("#")[1]);
    const endsMs = serial === server.serial ? server.accessEndsMs : server.previousEndsMs;
    return serial >= server.serial - 1 && accessToken === tokenOf(server.key, serial) && endsMs > this.#options.computer.trueMs;
  }

  isReachable(provider: string): boolean {
    return this.#options.computer.hasNetwork && !this.outages.has(provider);
  }

  refresh = async (client: ResolvedClient, grant: Grant): Promise<RefreshOutcome> => {
    const { computer, counts } = this.#options;
    const provider = client.provider.id;
    const name = client.provider.name;
    if (!computer.hasNetwork) return { kind: "not-sent", failure: failure("network_offline") };
    const outage = this.outages.get(provider);
    counts.sent(provider, computer.trueMs);
    await this.#onTheWay(outage === "no-answers" ? 30_000 : 40 + 160 * this.#options.random());
    if (outage !== undefined && this.#options.isOutageTakenForLogout) {
      return { kind: "rejected", failure: failure("grant_dead", { provider: name }) };
    }
    switch (outage) {
      case "refuses-connections":
        return { kind: "not-sent", failure: failure("provider_unreachable", { provider: name, problem: "connection refused" }) };
      case "no-answers":
        return { kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: name }) };
      case "server-errors":
        return { kind: "refused-for-now", failure: failure("provider_busy", { provider: name, status: 502 }) };
      case "busy":
        return { kind: "refused-for-now", failure: failure("provider_busy", { provider: name, status: 429 }, { retryAfterSeconds: 20 }) };
      case "sign-in-page":
        return { kind: "refused-for-now", failure: failure("network_sign_in_needed", { provider: name }) };
      case "name-unknown":
        return { kind: "not-sent", failure: failure("network_offline") };
      case undefined:
        return this.#answer(provider, name, grant);
      default:
        return assertNever(outage);
    }
  };

  askServerTime = async (client: ResolvedClient): Promise<boolean> => {
    if (!this.#options.computer.hasNetwork) return false;
    await this.#onTheWay(100);
    this.#tellTime(client.provider.id);
    return true;
  };

  // The simulation's people sign in and out at the server itself.
  authorizationRequest = (): never => notSimulated();
  exchangeCode = (): never => notSimulated();
  revoke = (): never => notSimulated();

  #answer(provider: string, name: string, grant: Grant): RefreshOutcome {
    const server = this.#grants.get((grant.refreshToken ?? "").split("#")[0] ?? "");
    const isCurrent = server !== undefined && grant.refreshToken === tokenOf(server.key, server.serial);
    if (server === undefined || !isCurrent || !this.isLive(server.key)) {
      // Reuse of a spent token looks like theft: the whole family ends.
      if (server !== undefined) server.isRevoked = true;
      this.#tellTime(provider);
      return { kind: "rejected", failure: failure("grant_dead", { provider: name }) };
    }
    // Before the times are read, as the OAuth adapter does.
    this.#tellTime(provider);
    const next = this.#issue(server);
    const isLost = this.#options.random() < this.#options.lostAnswers;
    return isLost ? { kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: name }) } : { kind: "rotated", grant: next };
  }

  #issue(server: ServerGrant): Grant {
    const { trueMs } = this.#options.computer;
    const { accessMs, idleMs } = livesOf(server.key.provider);
    server.serial += 1;
    server.previousEndsMs = server.accessEndsMs;
    server.accessEndsMs = trueMs + accessMs;
    server.idleEndsMs = trueMs + idleMs;
    const token = tokenOf(server.key, server.serial);
    const obtainedAtMs = this.#options.nowMs();
    return {
      accessToken: token,
      refreshToken: token,
      obtainedAtMs,
      accessTokenExpiresAtMs: obtainedAtMs + accessMs,
      grantExpiresAtMs: obtainedAtMs + idleMs,
      grantExpiryIsEstimate: true,
    };
  }

  #tellTime(provider: string): void {
    this.#options.onServerTime(provider, Math.floor(this.#options.computer.trueMs / 1000) * 1000);
  }

  #onTheWay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.computer.setTimer(ms, resolve);
    });
  }
}

function livesOf(provider: string): TokenLives {
  const lives = tokenLives[provider];
  if (lives === undefined) throw new Error(`no token lives for ${provider}`);
  return lives;
}

function nameOf({ provider, user }: ConnectionKey): string {
  return `${provider}/${user}`;
}

function tokenOf(key: ConnectionKey, serial: number): string {
  return `${nameOf(key)}#${serial}`;
}

function notSimulated(): never {
  throw new Error("the simulation has no such request");
}
