/**
 * What a stand-in Webfleet server can be told, at the start and while it runs. Invariant: everything here is JSON, so that a
 * server in its own process can be told the same.
 */
import { z } from "zod";
import { providerUserSchema, registeredClientSchema } from "./provider-contract.ts";
import { plainTokenEndpoint, tokenEndpointBehaviourShape } from "./token-endpoint-shaping.ts";

export const webfleetBehaviourSchema = z.strictObject({
  ...tokenEndpointBehaviourShape,
  accessTokenLifetimeSeconds: z.int().min(1),
  /** Idle timeout of an offline token: each refresh gives it as long again. */
  refreshTokenLifetimeSeconds: z.int().min(1),
  /** The same for a refresh token without `offline_access`, which ends with its login session. */
  sessionIdleSeconds: z.int().min(1),
  codeLifetimeSeconds: z.int().min(1),
  /** Value of `token_type`; null leaves it out. */
  tokenType: z.string().nullable(),
  /** Value of `refresh_expires_in` for offline tokens; 0 means no fixed end. */
  offlineRefreshExpiresIn: z.number(),
  /** false keeps the refresh token at a refresh; true is what Webfleet documents. */
  rotateRefreshTokens: z.boolean(),
  /** false: a spent refresh token stays good, as in a realm without "Revoke Refresh Token". */
  reuseDetection: z.boolean(),
  /** Webfleet's are JWTs; either way a client must take them for opaque. */
  refreshTokenFormat: z.enum(["jwt", "opaque"]),
  basicCredentials: z.enum(["form-encoded", "raw"]),
  /** A status such as 503 for every revocation request, which then does nothing; null means none. */
  revocationStatus: z.int().min(400).max(599).nullable(),
  /** Sends `iss` on the callback (RFC 9207), as Keycloak does since version 23; or an issuer that is not its own. */
  sendIssuer: z.union([z.boolean(), z.url()]),
  /** Sent to the redirect URI instead of asking the user. */
  authorizeError: z.string().nullable(),
  /** Asks for user name and password first, as Keycloak does when there is no session. */
  signInPage: z.boolean(),
  /** Who is signed in; null means the first user. */
  signedInUserId: z.string().nullable(),
  /** A status such as 403 or 503 for API calls with a good token. */
  apiStatus: z.int().min(400).max(599).nullable(),
});
/** Mutable: a change counts from the next request on. */
export type WebfleetBehaviour = z.infer<typeof webfleetBehaviourSchema>;

export const webfleetOptionsSchema = z.strictObject({
  protocol: z.enum(["https", "http"]).default("http"),
  port: z.int().min(0).max(65_535).default(0),
  clients: z.array(registeredClientSchema).min(1).readonly(),
  users: z
    .array(providerUserSchema)
    .min(1)
    .readonly()
    .default([{ id: "jane.roe", name: "Jane Roe" }]),
  behaviour: webfleetBehaviourSchema.partial().default({}),
});
/** `port` 0 lets the system choose; `behaviour` changes single fields of the default one. */
export type WebfleetOptions = z.input<typeof webfleetOptionsSchema>;

/** A server that follows Webfleet's document: access tokens of an hour, codes of ten minutes, idle timeout of 30 days. */
export function documentedWebfleetBehaviour(): WebfleetBehaviour {
  return {
    ...plainTokenEndpoint(),
    accessTokenLifetimeSeconds: 3600,
    refreshTokenLifetimeSeconds: 30 * 24 * 60 * 60,
    sessionIdleSeconds: 1800,
    codeLifetimeSeconds: 600,
    tokenType: "bearer",
    offlineRefreshExpiresIn: 0,
    rotateRefreshTokens: true,
    reuseDetection: true,
    refreshTokenFormat: "jwt",
    basicCredentials: "form-encoded",
    revocationStatus: null,
    sendIssuer: true,
    authorizeError: null,
    signInPage: false,
    signedInUserId: null,
    apiStatus: null,
  };
}
