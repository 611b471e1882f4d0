/**
 * The stand-in Mazda authorize endpoint. Invariant: nothing is sent to a redirect URI that is not registered for the client
 * (RFC 6749 section 4.1.2.1); everything else that is wrong goes there as `error` and `state`.
 */

import { consentPage, errorPage, signInPage } from "./consent-page.ts";
import { type Answer, htmlAnswer, redirectAnswer, singleParameters } from "./http-exchange.ts";
import type { MazdaGrants } from "./mazda-grants.ts";
import type { MazdaBehaviour, mazdaAuthorizeErrors } from "./mazda-options.ts";
import type { ProviderUser, RegisteredClient } from "./provider-contract.ts";
import type { ProviderCounters } from "./provider-counters.ts";
import { isSigningIn, userSigningIn, withoutSignIn, wrongSignInSentence } from "./sign-in.ts";

export const mazdaAuthorizePath = "/oauth/authorize";
/** Not a parameter of Mazda's: lets a demo choose who is signed in. */
const signInAsParameter = "sign_in_as";

export const mazdaBrand = { brand: "Mazda", colour: "#910a2d" } as const;

export interface MazdaAuthorizeContext {
  readonly clients: readonly RegisteredClient[];
  readonly users: readonly [ProviderUser, ...ProviderUser[]];
  readonly behaviour: MazdaBehaviour;
  readonly counters: ProviderCounters;
  readonly grants: MazdaGrants;
}

interface AuthorizationRequest {
  readonly client: RegisteredClient;
  readonly user: ProviderUser;
  readonly redirectUri: string;
  readonly parameters: ReadonlyMap<string, string>;
}
type AuthorizeError = (typeof mazdaAuthorizeErrors)[number];

/**
 * Answers a GET with the sign-in or the consent page, or an error.
 *
 * @param query parameters of the authorization request (RFC 6749 section 4.1.1)
 */
export function showConsent(context: MazdaAuthorizeContext, query: URLSearchParams): Answer {
  const request = parseRequest(context, query);
  if (typeof request === "string") return htmlAnswer(400, errorPage(mazdaBrand, request));
  context.counters.authorizeRequests += 1;
  const error = context.behaviour.authorizeError ?? findError(context, request);
  if (error !== undefined) return callback(request, { error });
  return context.behaviour.signInPage && !request.parameters.has(signInAsParameter)
    ? askWhoItIs(request.parameters)
    : askForConsent(context, request);
}

function askWhoItIs(parameters: ReadonlyMap<string, string>, problem?: string): Answer {
  const page = { ...mazdaBrand, action: mazdaAuthorizePath, hiddenFields: Object.fromEntries(parameters) };
  return htmlAnswer(200, signInPage({ ...page, ...(problem === undefined ? {} : { problem }) }));
}

function askForConsent(context: MazdaAuthorizeContext, { client, user, parameters }: AuthorizationRequest): Answer {
  const scope = parameters.get("scope");
  return htmlAnswer(
    200,
    consentPage({
      ...mazdaBrand,
      question: `Dear ${user.name}, do you want to grant application '${client.applicationName}' access to the Mazda DMS web services?`,
      userId: user.id,
      details: scope === undefined ? [] : [`Scope: ${scope}`],
      action: mazdaAuthorizePath,
      hiddenFields: { ...Object.fromEntries(parameters), [signInAsParameter]: user.id },
      otherUsers: context.users
        .filter((other) => other !== user)
        .map((other) => ({ name: other.name, href: signInLink(parameters, other) })),
    }),
  );
}

/**
 * Answers the sign-in form with the consent page, and the consent form with a redirect to the client.
 *
 * @param form the authorization request again, with user name and password or with `decision`
 */
export function answerConsentForm(context: MazdaAuthorizeContext, form: URLSearchParams): Answer {
  const decision = form.get("decision");
  const request = parseRequest(context, form);
  if (typeof request === "string") return htmlAnswer(400, errorPage(mazdaBrand, request));
  const error = findError(context, request);
  if (error !== undefined) return callback(request, { error });
  if (isSigningIn(form)) return answerSignIn(context, request, form);
  if (decision !== "approve") {
    context.counters.refusals += 1;
    return callback(request, { error: "access_denied" });
  }
  context.counters.approvals += 1;
  const { client, user, redirectUri, parameters } = request;
  const code = context.grants.issueCode({ client, user, redirectUri, codeChallenge: parameters.get("code_challenge") });
  return callback(request, { code });
}

function answerSignIn(context: MazdaAuthorizeContext, request: AuthorizationRequest, form: URLSearchParams): Answer {
  const user = userSigningIn(context.users, form);
  if (user === undefined) return askWhoItIs(request.parameters, wrongSignInSentence);
  return askForConsent(context, { ...request, user });
}

/** Returns the request, or a sentence for the error page when it must not be sent back to the client. */
function parseRequest(context: MazdaAuthorizeContext, query: URLSearchParams): AuthorizationRequest | string {
  const parameters = singleParameters(withoutSignIn(query));
  if (parameters === undefined) return "A parameter is repeated.";
  const client = context.clients.find((candidate) => candidate.clientId === parameters.get("client_id"));
  if (client === undefined) return "The API key is unknown.";
  const redirectUri = parameters.get("redirect_uri");
  if (redirectUri === undefined || !redirectUriAllowed(context.behaviour, client, redirectUri))
    return "The redirect URI is not registered.";
  const signedIn = parameters.get(signInAsParameter) ?? context.behaviour.signedInUserId;
  const user = context.users.find((candidate) => candidate.id === signedIn) ?? context.users[0];
  return { client, user, redirectUri, parameters };
}

function findError(context: MazdaAuthorizeContext, { client, parameters }: AuthorizationRequest): AuthorizeError | undefined {
  const responseType = parameters.get("response_type");
  if (responseType === undefined) return "invalid_request";
  if (responseType !== "code") return "unsupported_response_type";
  const scopes = parameters.get("scope")?.split(" ") ?? [];
  if (client.scopes !== undefined && scopes.some((scope) => client.scopes?.includes(scope) !== true)) return "invalid_scope";
  if (!parameters.has("code_challenge") || context.behaviour.pkce === "ignored") return undefined;
  if (context.behaviour.pkce === "refused") return "invalid_request";
  return parameters.get("code_challenge_method") === "S256" ? undefined : "invalid_request";
}

function redirectUriAllowed(behaviour: MazdaBehaviour, client: RegisteredClient, redirectUri: string): boolean {
  if (client.redirectUris.some((registered) => registered === redirectUri || registered === withoutPort(registered, redirectUri)))
    return true;
  if (behaviour.strictRedirectUri || !URL.canParse(redirectUri)) return false;
  return new URL(redirectUri).hostname === "127.0.0.1";
}

/**
 * `requested` without its port when `registered` is a loopback URI without one, which stands for any port
 * (RFC 8252 section 7.3). Works on the text, so that the rest stays an exact comparison.
 */
function withoutPort(registered: string, requested: string): string | undefined {
  if (!/^https?:\/\/(?:127\.0\.0\.1|\[::1\])(?:\/|$)/.test(registered)) return undefined;
  return requested.replace(/^(https?:\/\/(?:127\.0\.0\.1|\[::1\])):\d{1,5}(?=\/|$)/, "$1");
}

function callback(request: AuthorizationRequest, fields: Readonly<Record<string, string>>): Answer {
  const location = new URL(request.redirectUri);
  for (const [name, value] of Object.entries(fields)) location.searchParams.append(name, value);
  const state = request.parameters.get("state");
  if (state !== undefined) location.searchParams.append("state", state);
  return redirectAnswer(location.href);
}

function signInLink(parameters: ReadonlyMap<string, string>, user: ProviderUser): string {
  const query = new URLSearchParams([...parameters].filter(([name]) => name !== signInAsParameter));
  query.set(signInAsParameter, user.id);
  return `${mazdaAuthorizePath}?${query.toString()}`;
}
