/**
 * The authorization code and refresh grants, and revocation, against any provider definition.
 * Invariant: requests go only to https or loopback, and no error, log or failure that comes out of here
 * holds a token, code, secret or state.
 *
 * oauth4webapi builds the requests. Their answers are read in `bounded-fetch.ts`, because its own
 * reading stops at the first `WWW-Authenticate` header, has no size limit, and keeps bodies in `cause`.
 */
import * as oauth from "oauth4webapi";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, type Result } from "../../shared/result.ts";
import type { Grant } from "../core/connection-state.ts";
import type { AuthorizationRequest, Clock, OAuthClient, RefreshOutcome, ResolvedClient, RevokeOutcome } from "../core/ports.ts";
import { authorizationCode } from "./authorization-response.ts";
import { type BoundedFetchOptions, boundedAskForTime, boundedPost, type Fetch, type ProviderAnswer } from "./bounded-fetch.ts";
import { clientCredentials } from "./client-credentials.ts";
import { allowedEndpoint } from "./endpoint-url.ts";
import { type AnsweredRequest, noAnswer, oauthError, refusal } from "./provider-failure.ts";
import { refreshOutcome } from "./refresh-outcome.ts";
import { readTokenResponse, type TokenResponseContext } from "./token-response.ts";

export interface OAuthClientOptions {
  /** shell/provider-fetch.ts in the app: it knows the system's proxy and trusted certificates. */
  readonly fetch: Fetch;
  /** Read after `onServerTime` has heard of an answer, for everything that the answer is about. */
  readonly nowMs: Clock["nowMs"];
  /**
   * Hears the `Date` header of every answer that an endpoint itself gave just now.
   *
   * @param endpoint its address
   * @param dateMs Unix time in milliseconds, in whole seconds
   */
  readonly onServerTime?: (endpoint: string, dateMs: number) => void;
  /** How long answers take is measured by it, because a server's time may move `nowMs` in between; `performance.now`. */
  readonly monotonicMs?: () => number;
  /** Longest wait for one complete answer; 30 seconds. */
  readonly timeoutMs?: number;
}

const userAgent = { "user-agent": "DMS-Connect" };
/** The time is wanted while somebody waits, and others can be asked. */
const longestAskMs = 5_000;

/** Makes the client for all providers. It keeps nothing between calls. */
export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const { fetch, nowMs, monotonicMs = () => performance.now(), onServerTime, timeoutMs = 30_000 } = options;
  const http: BoundedFetchOptions = { fetch, nowMs, monotonicMs, onServerTime, timeoutMs };
  return {
    authorizationRequest,
    exchangeCode: (client, request, callback, signal) => exchangeCode(http, client, request, callback, signal),
    refresh: (client, grant, signal) => refresh(http, client, grant, signal),
    revoke: (client, refreshToken, signal) => revoke(http, client, refreshToken, signal),
    askServerTime: (client, signal) => askServerTime({ ...http, timeoutMs: Math.min(timeoutMs, longestAskMs) }, client, signal),
  };
}

async function authorizationRequest(client: ResolvedClient, redirectUri: string): Promise<AuthorizationRequest> {
  const url = allowedEndpoint(client.endpoints.authorizationEndpoint);
  if (url === undefined) throw new Error("the authorization endpoint of a resolved client must be https or loopback");
  const state = oauth.generateRandomState();
  const parameters = { response_type: "code", client_id: client.registration.clientId, redirect_uri: redirectUri, state };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const scope = requestedScope(client);
  if (scope !== undefined) url.searchParams.set("scope", scope);
  if (!(client.registration.pkce ?? client.provider.pkce)) return { authorizationUrl: url.href, state, redirectUri };
  const codeVerifier = oauth.generateRandomCodeVerifier();
  url.searchParams.set("code_challenge", await oauth.calculatePKCECodeChallenge(codeVerifier));
  url.searchParams.set("code_challenge_method", "S256");
  return { authorizationUrl: url.href, state, codeVerifier, redirectUri };
}

async function exchangeCode(
  http: BoundedFetchOptions,
  client: ResolvedClient,
  request: AuthorizationRequest,
  callback: URLSearchParams,
  signal: AbortSignal,
): Promise<Result<Grant>> {
  const code = authorizationCode(client, callback);
  if (!code.ok) return code;
  const endpoint = allowedEndpoint(client.endpoints.tokenEndpoint);
  if (endpoint === undefined) return err(endpointNotAllowed("tokenEndpoint"));
  const { server, metadata } = protocolParties(client);
  const parameters = oauth.validateAuthResponse(server, metadata, new URLSearchParams({ code: code.value }), oauth.expectNoState);
  const answer = await post(http, endpoint, signal, (requestOptions) =>
    oauth.authorizationCodeGrantRequest(
      server,
      metadata,
      tokenEndpointCredentials(client),
      parameters,
      request.redirectUri,
      request.codeVerifier ?? oauth.nopkce,
      requestOptions,
    ),
  );
  const provider = client.provider.name;
  if (answer.kind !== "answered") return err(noAnswer(answer, provider));
  if (answer.status === 200 && answer.body.kind === "json") {
    return readTokenResponse(answer.body.value, responseContext(http, client, answer));
  }
  if (answer.status < 500 && oauthError(answer) === "invalid_grant") return err(failure("code_rejected", { provider }));
  return err(refusal(answer, provider));
}

async function refresh(http: BoundedFetchOptions, client: ResolvedClient, grant: Grant, signal: AbortSignal): Promise<RefreshOutcome> {
  const { refreshToken } = grant;
  if (refreshToken === undefined) {
    return { kind: "rejected", failure: failure("grant_not_renewable", { provider: client.provider.name }) };
  }
  const endpoint = allowedEndpoint(client.endpoints.tokenEndpoint);
  if (endpoint === undefined) return { kind: "not-sent", failure: endpointNotAllowed("tokenEndpoint") };
  const { server, metadata } = protocolParties(client);
  const answer = await post(http, endpoint, signal, (requestOptions) =>
    oauth.refreshTokenGrantRequest(server, metadata, tokenEndpointCredentials(client), refreshToken, requestOptions),
  );
  return refreshOutcome(answer, client.provider, (body, answered) =>
    readTokenResponse(body, { ...responseContext(http, client, answered), previous: grant }),
  );
}

async function revoke(
  http: BoundedFetchOptions,
  client: ResolvedClient,
  refreshToken: string,
  signal: AbortSignal,
): Promise<RevokeOutcome> {
  if (client.endpoints.revocationEndpoint === undefined) throw new Error("revoke needs a provider with a revocation endpoint");
  const endpoint = allowedEndpoint(client.endpoints.revocationEndpoint);
  if (endpoint === undefined) return { kind: "try-later", failure: endpointNotAllowed("revocationEndpoint") };
  const { provider, registration } = client;
  // As the definition says, not as a registration's switch for the token endpoint says: Webfleet documents Basic only here.
  const credentials = clientCredentials(
    provider.clientAuthentication,
    registration.basicEncoding ?? provider.basicEncoding,
    client.clientSecret,
  );
  const { server, metadata } = protocolParties(client);
  const answer = await post(http, endpoint, signal, (requestOptions) =>
    oauth.revocationRequest(server, metadata, credentials, refreshToken, requestOptions),
  );
  // Also for a token it does not know (RFC 7009 section 2.2).
  if (answer.kind === "answered" && answer.status === 200) return { kind: "done" };
  return { kind: "try-later", failure: revocationFailure(answer, provider.name) };
}

async function askServerTime(http: BoundedFetchOptions, client: ResolvedClient, signal: AbortSignal): Promise<boolean> {
  const endpoint = allowedEndpoint(client.endpoints.tokenEndpoint);
  return endpoint !== undefined && boundedAskForTime(http, endpoint.href, userAgent, signal);
}

function revocationFailure(answer: ProviderAnswer, provider: string): Failure {
  const pending = failure("revocation_pending", { provider });
  if (answer.kind === "aborted") return pending;
  if (answer.kind !== "answered") return noAnswer(answer, provider);
  const refused = refusal(answer, provider);
  return refused.code === "provider_busy" || refused.code === "client_rejected" ? refused : pending;
}

/** Lets oauth4webapi build the request and sends it within our own limits. */
async function post(
  http: BoundedFetchOptions,
  endpoint: URL,
  signal: AbortSignal,
  build: (options: oauth.TokenEndpointRequestOptions & oauth.RevocationRequestOptions) => Promise<Response>,
): Promise<ProviderAnswer> {
  let answer: ProviderAnswer | undefined;
  await build({
    [oauth.customFetch]: async (url, init) => {
      answer = await boundedPost(http, url, { headers: init.headers, body: init.body.toString() }, signal);
      return new Response();
    },
    // `allowedEndpoint` has let http through for loopback only.
    [oauth.allowInsecureRequests]: endpoint.protocol === "http:",
    headers: userAgent,
  });
  if (answer === undefined) throw new Error("oauth4webapi sent no request");
  return answer;
}

function protocolParties(client: ResolvedClient): { readonly server: oauth.AuthorizationServer; readonly metadata: oauth.Client } {
  const { endpoints, registration } = client;
  return {
    server: {
      // The library wants one; the check of `iss` is in `authorization-response.ts`.
      issuer: endpoints.issuer ?? new URL(endpoints.authorizationEndpoint).origin,
      token_endpoint: endpoints.tokenEndpoint,
      ...(endpoints.revocationEndpoint === undefined ? {} : { revocation_endpoint: endpoints.revocationEndpoint }),
    },
    metadata: { client_id: registration.clientId },
  };
}

function tokenEndpointCredentials(client: ResolvedClient): oauth.ClientAuth {
  const { provider, registration, clientSecret } = client;
  return clientCredentials(
    registration.clientAuthentication ?? provider.clientAuthentication,
    registration.basicEncoding ?? provider.basicEncoding,
    clientSecret,
  );
}

function responseContext(
  { nowMs }: BoundedFetchOptions,
  client: ResolvedClient,
  { tookMs }: Pick<AnsweredRequest, "tookMs">,
): TokenResponseContext {
  const { server, metadata } = protocolParties(client);
  return { server, client: metadata, provider: client.provider, nowMs: nowMs(), tookMs, requestedScope: requestedScope(client) };
}

/** Undefined when none is set: the parameter is then left out. */
function requestedScope(client: ResolvedClient): string | undefined {
  const scope = (client.registration.scope ?? client.provider.defaultScope ?? "").trim();
  return scope === "" ? undefined : scope;
}

function endpointNotAllowed(field: string): Failure {
  return failure("registration_invalid", { field, problem: "must be an https address" });
}
