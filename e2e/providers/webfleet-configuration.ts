/** How oidc-provider is set up to look like Webfleet. Invariant: no development default is left, since those write to the console. */
import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { ClientMetadata, Configuration, JWK } from "oidc-provider";
import type { RegisteredClient } from "./provider-contract.ts";
import { endpoints, interactionPath, vehiclesPath, type WebfleetContext } from "./webfleet-context.ts";
import type { WebfleetBehaviour } from "./webfleet-options.ts";

/** Scopes Webfleet's users can be asked for; others are ignored, as Keycloak ignores unknown optional ones. */
export const webfleetScopes = ["openid", "offline_access", "profile", "webfleet"] as const;

/** A client secret as oidc-provider holds it: it takes visible ASCII only, real secrets may be more. */
export function storedClientSecret(clientSecret: string): string {
  return Buffer.from(clientSecret, "utf8").toString("base64url");
}

/** Builds oidc-provider's configuration, with a fresh signing key. */
export async function webfleetConfiguration(context: WebfleetContext): Promise<Configuration> {
  const { behaviour, store } = context;
  return {
    adapter: store.adapterFor,
    clients: context.clients.map(clientMetadata),
    jwks: { keys: [await makeSigningKey()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    routes: endpoints,
    scopes: [...webfleetScopes],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"] },
    clientAuthMethods: ["client_secret_basic", "client_secret_post"],
    responseTypes: ["code"],
    pkce: { required: () => false },
    interactions: { url: (_ctx, interaction) => interactionPath + interaction.uid },
    // Every authorization asks anew; the page's answer carries the grant it made.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    // Keycloak gives a refresh token with or without offline_access; only its lifetime differs.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    rotateRefreshToken: () => behaviour.rotateRefreshTokens,
    ttl: {
      AccessToken: () => behaviour.accessTokenLifetimeSeconds,
      AuthorizationCode: () => behaviour.codeLifetimeSeconds,
      RefreshToken: (_ctx, token) => idleSeconds(behaviour, token),
      Grant: 366 * 24 * 60 * 60,
      IdToken: 3600,
      Interaction: 1800,
      Session: 1800,
    },
    // Refresh tokens that are no JWTs (`webfleet-refresh-tokens.ts`) are as long all the same.
    formats: { bitsOfOpaqueRandomness: (_ctx, token) => (token.kind === "RefreshToken" ? 4096 : 256) },
    findAccount: (_ctx, id) => findAccount(context, id),
    extraTokenClaims: (_ctx, token) => ("accountId" in token ? { preferred_username: token.accountId, typ: "Bearer" } : undefined),
    features: features(context),
    renderError: (ctx, out) => {
      ctx.type = "text/plain";
      ctx.body = `Request refused: ${out.error}`;
    },
  };
}

/** How long a refresh token lasts without being used. */
export function idleSeconds(behaviour: WebfleetBehaviour, { scopes }: { readonly scopes: ReadonlySet<string> }): number {
  return scopes.has("offline_access") ? behaviour.refreshTokenLifetimeSeconds : behaviour.sessionIdleSeconds;
}

function features(context: WebfleetContext): NonNullable<Configuration["features"]> {
  return {
    devInteractions: { enabled: false },
    // `token.destroy` belongs to the client the token was issued to (RFC 7009 section 2.1).
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    rpInitiatedLogout: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => context.origin + vehiclesPath,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: webfleetScopes.join(" "),
        audience: "webfleet-api",
        accessTokenFormat: "jwt",
        accessTokenTTL: context.behaviour.accessTokenLifetimeSeconds,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  };
}

function clientMetadata(client: RegisteredClient): ClientMetadata {
  // Only a native client may use any loopback port (RFC 8252 section 7.3), and oidc-provider lets it use http only.
  const native = client.redirectUris.every((uri) => /^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)[:/]/.test(uri));
  return {
    client_id: client.clientId,
    client_secret: storedClientSecret(client.clientSecret),
    client_name: client.applicationName,
    application_type: native ? "native" : "web",
    redirect_uris: [...client.redirectUris],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_basic",
    ...(client.scopes === undefined ? {} : { scope: client.scopes.join(" ") }),
  };
}

function findAccount(context: WebfleetContext, id: string): ReturnType<NonNullable<Configuration["findAccount"]>> {
  const user = context.users.find((candidate) => candidate.id === id);
  if (user === undefined) return undefined;
  return { accountId: id, claims: () => ({ sub: id, name: user.name, preferred_username: id }) };
}

async function makeSigningKey(): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  // The DOM-free typings call the export JsonWebKey; for an RSA key it has exactly JWK's fields.
  const key = privateKey.export({ format: "jwk" }) as JWK;
  return { ...key, use: "sig", alg: "RS256", kid: "webfleet-stand-in" };
}
