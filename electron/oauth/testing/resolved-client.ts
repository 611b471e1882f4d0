/** Clients of the real provider definitions whose endpoints point to a test's own server. */
import type { RegistrationView } from "../../../shared/views.ts";
import type { Grant } from "../../core/connection-state.ts";
import type { ResolvedClient } from "../../core/ports.ts";
import type { ProviderDefinition } from "../../core/provider-definition.ts";
import { provider as mazda } from "../providers/mazda.ts";
import { provider as webfleet } from "../providers/webfleet.ts";

export interface ClientChanges {
  readonly provider?: Partial<ProviderDefinition>;
  readonly registration?: Partial<RegistrationView>;
  readonly clientSecret?: string;
  readonly issuer?: string;
}

export const mazdaClient = (origin: string, changes: ClientChanges = {}): ResolvedClient => client(mazda, origin, changes);
export const webfleetClient = (origin: string, changes: ClientChanges = {}): ResolvedClient => client(webfleet, origin, changes);

/** Noon, 22 November 2026 (UTC). */
export const testNowMs = Date.UTC(2026, 10, 22, 12);

export const oldGrant: Grant = {
  accessToken: "old-access",
  refreshToken: "old-refresh",
  scope: "old-scope",
  obtainedAtMs: testNowMs - 86_400_000,
  accessTokenExpiresAtMs: testNowMs + 1_000,
  grantExpiresAtMs: testNowMs + 5_000_000,
  grantExpiryIsEstimate: true,
};

function client(provider: ProviderDefinition, origin: string, changes: ClientChanges): ResolvedClient {
  return {
    provider: { ...provider, ...changes.provider },
    environment: "production",
    endpoints: {
      authorizationEndpoint: `${origin}/oauth/authorize`,
      tokenEndpoint: `${origin}/oauth/token`,
      revocationEndpoint: `${origin}/oauth/revoke`,
      ...(changes.issuer === undefined ? {} : { issuer: changes.issuer }),
    },
    registration: {
      provider: provider.id,
      environment: "production",
      clientId: "A0A10300-C967-9400-3559-7B5F1C5552AD",
      hasClientSecret: true,
      redirectUris: ["https://127.0.0.1:8080/dms/oauth/code"],
      organisations: [],
      ...changes.registration,
    },
    clientSecret: changes.clientSecret ?? "secret",
  };
}
