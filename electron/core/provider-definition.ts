/**
 * A provider as data. Everything that differs between authorization servers is a field here, so that
 * a new provider is one new object and no new code.
 */
import type { BasicEncoding, ClientAuthentication, Environment, ProviderEndpoints } from "../../shared/views.ts";

export interface ProviderDefinition {
  /** Stable word, used in keys, on the pipe and in registration files. */
  readonly id: string;
  /** As shown to people. */
  readonly name: string;
  readonly environments: Partial<Record<Environment, ProviderEndpoints>>;
  /** RFC 6749 section 2.3.1; a registration may override both. */
  readonly clientAuthentication: ClientAuthentication;
  readonly basicEncoding: BasicEncoding;
  /** RFC 7636 with S256; a registration may switch it off. */
  readonly pkce: boolean;
  /** Sent when the registration names no scope. */
  readonly defaultScope?: string;
  /** `required`: refuse a callback without `iss`; `when-present`: check it if sent; `never`: ignore it (RFC 9207). */
  readonly issuerCheck: "required" | "when-present" | "never";
  /** `seconds-or-epoch`: values above 1e9 are an absolute Unix time (above 1e12 in milliseconds). */
  readonly expiresIn: "seconds" | "seconds-or-epoch";
  /** Error codes of a well-formed refresh (HTTP 400/401) that mean the grant is dead. */
  readonly deadGrantErrors: readonly string[];
  /** How long a grant lives unless renewed. */
  readonly grantLifetime: GrantLifetime;
  /** Refresh at least this often even if nobody asks, so that the grant does not die idle. */
  readonly keepAliveDays: number;
  /** At most this many requests in any second, whatever waits; absent: `usualRequestsPerSecond` of `provider-gate.ts`. */
  readonly maxRequestsPerSecond?: number;
  readonly revocation: "rfc7009" | "none";
  /** Header in which API calls name the organisation, e.g. `X-mazda-org`. */
  readonly organisationHeader?: string;
}

export type GrantLifetime =
  /** Never sent by the provider. */
  | { readonly kind: "estimate"; readonly days: number }
  /** Sent as `refresh_expires_in` (seconds); 0 means no fixed end, but an idle timeout of about `idleDays`. */
  | { readonly kind: "refresh_expires_in"; readonly idleDays: number };
