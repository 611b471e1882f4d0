/** What both stand-in providers have in common: who may use them, and how tests steer them. Invariant: both can be steered alike. */
import { z } from "zod";
import type { ProviderCounters } from "./provider-counters.ts";
import type { TokenEndpointGate } from "./token-endpoint-gate.ts";

export const registeredClientSchema = z.strictObject({
  clientId: z.string().min(1).max(40),
  clientSecret: z.string().min(1),
  redirectUris: z.array(z.url()).min(1).readonly(),
  /** Shown on the consent page, such as `MACS7`. */
  applicationName: z.string().min(1),
  /** Scopes this client may ask for; left out means any. */
  scopes: z.array(z.string()).readonly().optional(),
});
/** A DMS registered at the provider. */
export type RegisteredClient = z.infer<typeof registeredClientSchema>;

export const providerUserSchema = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  /** Organisations such as `10030/MMD`; the first is the default one. */
  organisations: z.array(z.string()).readonly().optional(),
  /** Asked for where the sign-in page is shown; left out, any is right. */
  password: z.string().min(1).optional(),
});
/** A person who can sign in. */
export type ProviderUser = z.infer<typeof providerUserSchema>;

/** A running stand-in. `Behaviour` is mutable: a change counts from the next request on. */
export interface StandInProvider<Behaviour> {
  /** Scheme, 127.0.0.1 and port. */
  readonly origin: string;
  /** The certificate to trust; only with https. */
  readonly certificatePem?: string;
  readonly behaviour: Behaviour;
  /** Holds token requests, so that tests can act while one is under way. */
  readonly tokenEndpoint: TokenEndpointGate;
  /** Every code, access token and refresh token issued so far. */
  readonly issuedSecrets: () => readonly string[];
  /** The API answers 401 to every access token issued so far; refresh tokens go on working. */
  readonly expireAccessTokens: () => void;
  /** Withdraws the signing key: every code, access token and refresh token issued so far is dead. */
  readonly revokeAll: () => void;
  /** A copy of the counters. */
  readonly counters: () => ProviderCounters;
  readonly close: () => Promise<void>;
}
