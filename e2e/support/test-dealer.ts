/**
 * The dealer of specs and demo: its users, and how its DMS is registered at both providers. Invariant: what the
 * providers are told and what the registration file says come from the same values.
 */
import type { RegistrationInput } from "../../shared/views.ts";
import { mazdaAuthorizePath } from "../providers/mazda-authorize.ts";
import type { MazdaOptions } from "../providers/mazda-options.ts";
import { endpoints, realmPath, vehiclesPath } from "../providers/webfleet-context.ts";
import type { WebfleetOptions } from "../providers/webfleet-options.ts";

export interface ProviderOrigins {
  readonly mazda: string;
  readonly webfleet: string;
}

/** One user at a provider, as the window and the pipe name the connection. */
export interface DealerUser {
  readonly provider: "mazda" | "webfleet";
  readonly providerName: string;
  readonly environment: "acceptance" | "production";
  readonly user: string;
}

export const mazdaUser: DealerUser = { provider: "mazda", providerName: "Mazda", environment: "acceptance", user: "mmd10030.johndoe" };
export const otherMazdaUser: DealerUser = { ...mazdaUser, user: "mmd10030.janeroe" };
export const webfleetUser: DealerUser = { provider: "webfleet", providerName: "Webfleet", environment: "production", user: "johndoe" };

/** The organisation the DMS works for. It is not the user's first one, so that an API's answer shows whether the header was sent. */
export const organisation = "10030/MMD";
const ownOrganisation = "10099/MMD";

/** Characters that must be escaped in HTTP Basic (RFC 6749 section 2.3.1). */
export const mazdaClientSecret = "MazdaClientSecret+:/ %é7Qx";
export const webfleetClientSecret = "WebfleetClientSecret+:/ %9kZ";
const mazdaClientId = "0a4f8b7e-3a0c-4a3c-8b8e-0a5b1f0d7e22";
const webfleetClientId = "macs7-webfleet";
const webfleetRedirectUri = "http://127.0.0.1/webfleet/callback";

/** A redirect URI of Mazda's: https, one fixed port. */
export function mazdaRedirectUri(port: number): string {
  return `https://127.0.0.1:${port}/dms/oauth/code`;
}

/** @param redirectUris as registered, compared exactly */
export function mazdaOptions(redirectUris: readonly string[]): MazdaOptions {
  return {
    clients: [{ clientId: mazdaClientId, clientSecret: mazdaClientSecret, redirectUris: [...redirectUris], applicationName: "MACS7" }],
    users: [
      { id: mazdaUser.user, name: "John Doe", organisations: [ownOrganisation, organisation] },
      { id: otherMazdaUser.user, name: "Jane Roe", organisations: [organisation] },
    ],
  };
}

/** Webfleet accepts any port of the redirect URI. */
export function webfleetOptions(): WebfleetOptions {
  return {
    clients: [
      { clientId: webfleetClientId, clientSecret: webfleetClientSecret, redirectUris: [webfleetRedirectUri], applicationName: "MACS7" },
    ],
    users: [{ id: webfleetUser.user, name: "John Doe" }],
  };
}

/** What the DMS vendor's file says: Mazda's acceptance environment and Webfleet, at these addresses. */
export function registrations(origins: ProviderOrigins, mazdaRedirectUris: readonly string[]): readonly RegistrationInput[] {
  const realm = origins.webfleet + realmPath;
  return [
    {
      provider: mazdaUser.provider,
      environment: mazdaUser.environment,
      clientId: mazdaClientId,
      clientSecret: mazdaClientSecret,
      redirectUris: mazdaRedirectUris,
      organisations: [organisation],
      endpoints: {
        authorizationEndpoint: origins.mazda + mazdaAuthorizePath,
        tokenEndpoint: `${origins.mazda}/oauth/token`,
        grantScreensUrl: `${origins.mazda}/security/tokens`,
      },
    },
    {
      provider: webfleetUser.provider,
      environment: webfleetUser.environment,
      clientId: webfleetClientId,
      clientSecret: webfleetClientSecret,
      redirectUris: [webfleetRedirectUri],
      organisations: [],
      endpoints: {
        authorizationEndpoint: realm + endpoints.authorization,
        tokenEndpoint: realm + endpoints.token,
        revocationEndpoint: realm + endpoints.revocation,
        jwksUri: realm + endpoints.jwks,
        issuer: realm,
      },
    },
  ];
}

/** The demo API of each provider. */
export function apiUrl(origins: ProviderOrigins, { provider }: DealerUser): string {
  return provider === "mazda" ? `${origins.mazda}/dms/api/v1/workorders` : origins.webfleet + vehiclesPath;
}
