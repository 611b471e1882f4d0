/** What the parts of the stand-in Webfleet server share. Invariant: paths here are those of Webfleet's document. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import type { OidcMemoryStore } from "./oidc-memory-store.ts";
import type { ProviderUser, RegisteredClient } from "./provider-contract.ts";
import type { ProviderCounters } from "./provider-counters.ts";
import type { RefreshTokenLedger } from "./refresh-token-ledger.ts";
import type { TokenEndpointGate } from "./token-endpoint-gate.ts";
import type { WebfleetBehaviour } from "./webfleet-options.ts";

/** The realm; oidc-provider is mounted under it, so that discovery is found below the issuer too. */
export const realmPath = "/auth/realms/webfleet";
/** Inside the realm. */
export const endpoints = {
  authorization: "/protocol/openid-connect/auth",
  token: "/protocol/openid-connect/token",
  revocation: "/protocol/openid-connect/revoke",
  jwks: "/protocol/openid-connect/certs",
  userinfo: "/protocol/openid-connect/userinfo",
} as const;
/** Sign-in and consent pages; the interaction's id follows. */
export const interactionPath = `${realmPath}/login-actions/consent/`;
export const vehiclesPath = "/api/vehicles";

export const webfleetBrand = { brand: "Webfleet", colour: "#0a5a8c" } as const;

export interface IssuedAccessToken {
  readonly userId: string;
  /** Unix time in milliseconds. */
  readonly expiresAtMs: number;
}

export interface WebfleetContext {
  readonly origin: string;
  readonly issuer: string;
  readonly clients: readonly RegisteredClient[];
  readonly users: readonly [ProviderUser, ...ProviderUser[]];
  readonly behaviour: WebfleetBehaviour;
  readonly counters: ProviderCounters;
  readonly ledger: RefreshTokenLedger;
  readonly gate: TokenEndpointGate;
  readonly store: OidcMemoryStore;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** What the API accepts. */
  readonly accessTokens: Map<string, IssuedAccessToken>;
  readonly issuedSecrets: string[];
}

export interface MountedWebfleet {
  readonly context: WebfleetContext;
  readonly provider: Provider;
  /** Answers a request whose URL is already relative to the realm. */
  readonly answerRealm: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
