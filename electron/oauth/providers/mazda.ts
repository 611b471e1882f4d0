/**
 * Mazda's DMS REST API. Invariant: says only what Mazda's "Access keys for DMS (OAuth2)" says; where
 * that document is silent or disagrees with itself, the comment names the choice.
 */
import type { ProviderDefinition } from "../../core/provider-definition.ts";

/**
 * No `grantScreensUrl`: the document mentions Mazda's security screens but gives no address, so a
 * registration's `endpoints` supplies it.
 */
export const provider: ProviderDefinition = {
  id: "mazda",
  name: "Mazda",
  environments: {
    acceptance: {
      authorizationEndpoint: "https://mappsacc.mazdaeur.com/oauth/authorize",
      // One sentence of the document names the authorize URL for refreshing: a slip.
      tokenEndpoint: "https://mappsacc.mazdaeur.com/oauth/token",
    },
    production: {
      authorizationEndpoint: "https://mapps.mazdaeur.com/oauth/authorize",
      tokenEndpoint: "https://mapps.mazdaeur.com/oauth/token",
    },
  },
  clientAuthentication: "basic",
  basicEncoding: "form",
  pkce: true,
  issuerCheck: "never",
  // "in unix time since epoch" in one place, "life time in seconds" in another.
  expiresIn: "seconds-or-epoch",
  // A revoked refresh token answers `invalid_request` instead of the standard `invalid_grant`.
  deadGrantErrors: ["invalid_grant", "invalid_request"],
  // "Usually with an expiry time of a few weeks": three, so that a person is rather warned early.
  grantLifetime: { kind: "estimate", days: 21 },
  keepAliveDays: 7,
  revocation: "none",
  organisationHeader: "X-mazda-org",
};
