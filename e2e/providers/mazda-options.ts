/**
 * What a stand-in Mazda server can be told, at the start and while it runs. Invariant: everything here but the clock is
 * JSON, so that a server in its own process can be told the same.
 */
import { z } from "zod";
import { providerUserSchema, registeredClientSchema } from "./provider-contract.ts";
import { plainTokenEndpoint, tokenEndpointBehaviourShape } from "./token-endpoint-shaping.ts";

const daySeconds = 24 * 60 * 60;

/** The errors of Mazda's document, and both spellings of the last one. */
export const mazdaAuthorizeErrors = [
  "invalid_request",
  "unauthorized_client",
  "access_denied",
  "unsupported_response_type",
  "invalid_scope",
  "server_error",
  "temporary_unavailable",
  "temporarily_unavailable",
] as const;

export const mazdaBehaviourSchema = z.strictObject({
  ...tokenEndpointBehaviourShape,
  /** How `expires_in` is written; `raw` is sent as it is, whatever JSON it is. */
  expiresIn: z.union([
    z.enum(["seconds", "epoch", "epoch-ms", "string", "epoch-string", "epoch-ms-string", "absent"]),
    z.strictObject({ raw: z.unknown() }),
  ]),
  accessTokenLifetimeSeconds: z.number(),
  refreshTokenLifetimeSeconds: z.number(),
  codeLifetimeSeconds: z.number(),
  /** Where no `refresh_token` is sent (true: nowhere); at a refresh the old one then stays good. */
  omitRefreshToken: z.union([z.boolean(), z.enum(["at-exchange", "at-refresh"])]),
  /** false: a spent refresh token stays good, as at servers that rotate without looking. */
  reuseDetection: z.boolean(),
  /** Value of `token_type`; null leaves it out, as Mazda's document does. */
  tokenType: z.string().nullable(),
  accessTokenLength: z.int().min(48),
  refreshTokenLength: z.int().min(48),
  /** The `error` for a refresh token that is dead. Mazda says invalid_request. */
  deadRefreshTokenError: z.enum(["invalid_request", "invalid_grant"]),
  basicCredentials: z.enum(["form-encoded", "raw"]),
  /** false accepts any loopback redirect URI. */
  strictRedirectUri: z.boolean(),
  /** `verified` checks the verifier whenever a challenge was sent; `refused` answers a challenge with invalid_request. */
  pkce: z.enum(["verified", "ignored", "refused"]),
  /** Sent to the redirect URI instead of asking the user. */
  authorizeError: z.enum(mazdaAuthorizeErrors).nullable(),
  /** Asks for user name and password first. */
  signInPage: z.boolean(),
  /** Who is signed in; null means the first user. */
  signedInUserId: z.string().nullable(),
  /** A status such as 403 or 503 for API calls with a good token. */
  apiStatus: z.int().min(400).max(599).nullable(),
});
/** Mutable: a change counts from the next request on. */
export type MazdaBehaviour = z.infer<typeof mazdaBehaviourSchema>;

export const mazdaOptionsSchema = z.strictObject({
  protocol: z.enum(["https", "http"]).default("https"),
  port: z.int().min(0).max(65_535).default(0),
  /** Starts every code and token, so that tests can search for leaks. */
  canary: z
    .string()
    .regex(/^[A-Za-z0-9]{1,12}$/)
    .default("MazdaCanary"),
  clients: z.array(registeredClientSchema).min(1).readonly(),
  users: z
    .array(providerUserSchema)
    .min(1)
    .readonly()
    .default([{ id: "mmd10030.johndoe", name: "John Doe", organisations: ["10030/MMD"] }]),
  behaviour: mazdaBehaviourSchema.partial().default({}),
});
/** `port` 0 lets the system choose; `behaviour` changes single fields of the default one. */
export type MazdaOptions = z.input<typeof mazdaOptionsSchema>;

/** A server that follows Mazda's document. */
export function documentedMazdaBehaviour(): MazdaBehaviour {
  return {
    ...plainTokenEndpoint(),
    expiresIn: "seconds",
    accessTokenLifetimeSeconds: daySeconds,
    refreshTokenLifetimeSeconds: 21 * daySeconds,
    codeLifetimeSeconds: 60,
    omitRefreshToken: false,
    reuseDetection: true,
    tokenType: null,
    accessTokenLength: 1024,
    refreshTokenLength: 1024,
    deadRefreshTokenError: "invalid_request",
    basicCredentials: "form-encoded",
    strictRedirectUri: true,
    pkce: "verified",
    authorizeError: null,
    signInPage: false,
    signedInUserId: null,
    apiStatus: null,
  };
}
