/** Providers, keys and grants that tests share. */
import type { RegistrationInput } from "../../../shared/views.ts";
import type { ConnectionKey, Grant } from "../connection-state.ts";
import type { ProviderDefinition } from "../provider-definition.ts";

export const minuteMs = 60_000;

/** No revocation, an organisation header, two environments. */
export const mazda: ProviderDefinition = {
  id: "mazda",
  name: "Mazda",
  environments: {
    acceptance: { authorizationEndpoint: "https://acc.mazda.test/authorize", tokenEndpoint: "https://acc.mazda.test/token" },
    production: { authorizationEndpoint: "https://mazda.test/authorize", tokenEndpoint: "https://mazda.test/token" },
  },
  clientAuthentication: "basic",
  basicEncoding: "form",
  pkce: true,
  issuerCheck: "never",
  expiresIn: "seconds-or-epoch",
  deadGrantErrors: ["invalid_grant"],
  grantLifetime: { kind: "estimate", days: 21 },
  keepAliveDays: 7,
  revocation: "none",
  organisationHeader: "X-mazda-org",
};

/** Revocation by RFC 7009, one environment. */
export const webfleet: ProviderDefinition = {
  id: "webfleet",
  name: "Webfleet",
  environments: {
    production: {
      authorizationEndpoint: "https://webfleet.test/auth",
      tokenEndpoint: "https://webfleet.test/token",
      revocationEndpoint: "https://webfleet.test/revoke",
    },
  },
  clientAuthentication: "basic",
  basicEncoding: "form",
  pkce: true,
  issuerCheck: "when-present",
  expiresIn: "seconds",
  deadGrantErrors: ["invalid_grant"],
  grantLifetime: { kind: "refresh_expires_in", idleDays: 30 },
  keepAliveDays: 7,
  revocation: "rfc7009",
};

export const mazdaKey: ConnectionKey = { provider: "mazda", environment: "production", user: "mmd10030.johndoe" };
export const webfleetKey: ConnectionKey = { provider: "webfleet", environment: "production", user: "jdoe" };

export function registrationInput(changes: Partial<RegistrationInput> = {}): RegistrationInput {
  return {
    provider: "mazda",
    environment: "production",
    clientId: "client-id",
    clientSecret: "client-secret",
    redirectUris: ["http://127.0.0.1:8310/callback"],
    organisations: ["10030/MMD", "10031/MMD"],
    ...changes,
  };
}

/** A grant whose tokens are named by `name`; its access token lasts an hour. */
export function grantAt(nowMs: number, name: string, changes: Partial<Grant> = {}): Grant {
  return {
    accessToken: `access-${name}`,
    refreshToken: `refresh-${name}`,
    obtainedAtMs: nowMs,
    accessTokenExpiresAtMs: nowMs + 60 * minuteMs,
    grantExpiryIsEstimate: true,
    ...changes,
  };
}
