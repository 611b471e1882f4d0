/**
 * Reads a successful token response (RFC 6749 section 5.1). Invariant: a grant comes out only of a
 * response that could be read completely; fields that nobody asked for are ignored.
 */
import { type AuthorizationServer, type Client, processRefreshTokenResponse } from "oauth4webapi";
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Grant } from "../core/connection-state.ts";
import type { ProviderDefinition } from "../core/provider-definition.ts";
import { accessTokenEnd, grantEnd } from "./token-lifetime.ts";

/** A JWT with many roles can reach several KiB; more than this is no token. */
const longestToken = 16_384;
/** VSCHAR of RFC 6749 appendix A: nothing that could break an HTTP header in which it is sent on. */
const token = z
  .string()
  .min(1)
  .max(longestToken)
  .regex(/^[\x20-\x7e]+$/);

/** Some servers send null or "" for what they don't have. */
const absent = z.union([z.null(), z.literal("")]).transform(() => undefined);

const tokenResponse = z.object({
  access_token: token,
  refresh_token: z.union([token, absent]).optional(),
  token_type: z.union([z.string(), absent]).optional(),
  scope: z.string().max(longestToken).optional().catch(undefined),
  expires_in: z.unknown().optional(),
  refresh_expires_in: z.unknown().optional(),
});
type TokenResponse = z.infer<typeof tokenResponse>;

export interface TokenResponseContext {
  readonly server: AuthorizationServer;
  readonly client: Client;
  readonly provider: ProviderDefinition;
  /** When the response arrived, Unix milliseconds. */
  readonly nowMs: number;
  /** How long it took, from sending the request. */
  readonly tookMs: number;
  /** Applies when the response names none (RFC 6749 section 5.1). */
  readonly requestedScope: string | undefined;
  /** The grant that was refreshed, if one was: its refresh token stays when none comes back. */
  readonly previous?: Grant;
}

/**
 * @param body parsed JSON of a 200 answer
 * @returns the grant; `token_type_unsupported` or `provider_response_invalid`
 */
export async function readTokenResponse(body: unknown, context: TokenResponseContext): Promise<Result<Grant>> {
  const parsed = tokenResponse.safeParse(body);
  if (!parsed.success) return err(invalid(context, firstProblem(parsed.error)));
  const tokenType = parsed.data.token_type ?? "Bearer";
  if (tokenType.toLowerCase() !== "bearer") return err(failure("token_type_unsupported", { provider: context.provider.name }));
  try {
    // Normalised first: the library insists on token_type, and would check an ID token that nobody asked for.
    await processRefreshTokenResponse(context.server, context.client, normalised(parsed.data));
  } catch {
    // The error's cause holds the tokens: dropped.
    return err(invalid(context, "not a token response"));
  }
  return ok(toGrant(parsed.data, context));
}

function normalised(response: TokenResponse): Response {
  const { access_token, refresh_token, scope } = response;
  return Response.json({
    access_token,
    token_type: "bearer",
    ...(refresh_token === undefined ? {} : { refresh_token }),
    ...(scope === undefined ? {} : { scope }),
  });
}

function toGrant(response: TokenResponse, context: TokenResponseContext): Grant {
  const { provider, nowMs, tookMs, previous } = context;
  const accessEnd = accessTokenEnd(response.expires_in, provider.expiresIn, nowMs, tookMs);
  const refreshToken = response.refresh_token ?? previous?.refreshToken;
  const scope = response.scope ?? previous?.scope ?? context.requestedScope;
  return {
    accessToken: response.access_token,
    obtainedAtMs: nowMs,
    accessTokenExpiresAtMs: accessEnd.atMs,
    ...(accessEnd.isEstimate ? { accessTokenExpiryIsEstimate: true as const } : {}),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(scope === undefined ? {} : { scope }),
    ...grantExpiry(response, context, accessEnd),
  };
}

type GrantExpiry = Pick<Grant, "grantExpiresAtMs" | "grantExpiryIsEstimate">;

function grantExpiry(
  response: TokenResponse,
  context: TokenResponseContext,
  accessEnd: { atMs: number; isEstimate: boolean },
): GrantExpiry {
  const { provider, nowMs, previous } = context;
  const isKept = response.refresh_token === undefined && previous?.refreshToken !== undefined;
  // Nothing to renew with: the grant ends with its access token.
  if (response.refresh_token === undefined && !isKept) {
    return { grantExpiresAtMs: accessEnd.atMs, grantExpiryIsEstimate: accessEnd.isEstimate };
  }
  // The old refresh token goes on, and so does its guessed life.
  if (isKept && provider.grantLifetime.kind === "estimate" && previous?.grantExpiresAtMs !== undefined) {
    return { grantExpiresAtMs: previous.grantExpiresAtMs, grantExpiryIsEstimate: previous.grantExpiryIsEstimate };
  }
  const end = grantEnd(provider.grantLifetime, response.refresh_expires_in, nowMs);
  return { grantExpiresAtMs: end.atMs, grantExpiryIsEstimate: end.isEstimate };
}

function invalid(context: TokenResponseContext, problem: string): Failure {
  return failure("provider_response_invalid", { provider: context.provider.name, problem });
}

/** Names the field, never its value. */
function firstProblem(error: z.ZodError): string {
  const field = error.issues[0]?.path.join(".") ?? "";
  return field === "" ? "not a JSON object" : `${field} missing or not valid`;
}
