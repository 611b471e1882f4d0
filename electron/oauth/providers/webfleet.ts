/**
 * Webfleet, a Keycloak realm. Invariant: says only what "Accessing Webfleet OAuth APIs" says, and
 * Keycloak's known behaviour where that document is silent.
 */
import type { ProviderDefinition } from "../../core/provider-definition.ts";

const realm = "https://login.webfleet.com/auth/realms/webfleet";

export const provider: ProviderDefinition = {
  id: "webfleet",
  name: "Webfleet",
  environments: {
    production: {
      authorizationEndpoint: `${realm}/protocol/openid-connect/auth`,
      tokenEndpoint: `${realm}/protocol/openid-connect/token`,
      revocationEndpoint: `${realm}/protocol/openid-connect/revoke`,
      jwksUri: `${realm}/protocol/openid-connect/certs`,
      // A Keycloak realm's issuer is its base address.
      issuer: realm,
    },
  },
  clientAuthentication: "basic",
  basicEncoding: "form",
  pkce: true,
  // An offline token outlives the login session.
  defaultScope: "offline_access",
  // Keycloak sends `iss` since version 23, and a client's settings there may leave it out.
  issuerCheck: "when-present",
  expiresIn: "seconds",
  deadGrantErrors: ["invalid_grant"],
  // Keycloak's default idle timeout of offline tokens.
  grantLifetime: { kind: "refresh_expires_in", idleDays: 30 },
  keepAliveDays: 7,
  revocation: "rfc7009",
};
