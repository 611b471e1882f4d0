/**
 * What stands before oidc-provider's authorization endpoint, to answer as Keycloak does. Invariant: an error is sent to a
 * redirect URI only when oidc-provider would send one there.
 */
import type { IncomingMessage } from "node:http";
import type { Provider } from "oidc-provider";
import { webfleetScopes } from "./webfleet-configuration.ts";
import { endpoints, type WebfleetContext } from "./webfleet-context.ts";

export const sessionCookieName = "_session";

/**
 * Rewrites a realm request for oidc-provider: strips the session cookie, so that every authorization asks for consent anew
 * and any user can sign in; and completes authorization requests with what Keycloak implies.
 *
 * @param realm path of the realm, which is cut off
 */
export function rewriteRealmRequest(request: IncomingMessage, realm: string): void {
  const cookies = request.headers.cookie?.split("; ").filter((cookie) => !cookie.startsWith(sessionCookieName));
  if (cookies !== undefined) request.headers.cookie = cookies.join("; ");
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const path = url.pathname.slice(realm.length);
  if (request.method === "GET" && path === endpoints.authorization) impliedParameters(url.searchParams);
  request.url = path + url.search;
  // oidc-provider finds its mount path by comparing the two.
  Object.assign(request, { originalUrl: url.pathname + url.search });
}

function impliedParameters(query: URLSearchParams): void {
  // Default scopes are always assigned; oidc-provider grants nothing without a scope.
  const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "" && scope !== "webfleet");
  if (query.getAll("scope").length < 2) query.set("scope", [...scopes, "webfleet"].join(" "));
  // oidc-provider drops offline_access without it (OpenID Connect Core section 11); Keycloak does not ask for it.
  if (!query.has("prompt")) query.set("prompt", "consent");
}

/** Answers errors that are asked for, refuses unknown scopes as Keycloak does, and sends the `iss` it is told to. */
export function shapeAuthorizationEndpoint(provider: Provider, context: WebfleetContext): void {
  provider.use(async (ctx, next) => {
    if (ctx.path === endpoints.authorization) {
      const redirectUri = await registeredRedirectUri(provider, ctx.query["client_id"], ctx.query["redirect_uri"]);
      if (redirectUri !== undefined) {
        context.counters.authorizeRequests += 1;
        const error = context.behaviour.authorizeError ?? unknownScope(ctx.query["scope"]);
        if (error !== undefined) {
          const location = errorLocation(context, redirectUri, error, ctx.query["state"]);
          ctx.redirect(withWantedIssuer(context.behaviour.sendIssuer, location));
          return;
        }
      }
    }
    await next();
    const location = ctx.response.get("Location");
    // Koa's typings say text; it is undefined where there is no such header.
    if (typeof location === "string" && location !== "") ctx.set("Location", withWantedIssuer(context.behaviour.sendIssuer, location));
  });
}

type QueryValue = string | readonly string[] | undefined;

async function registeredRedirectUri(provider: Provider, clientId: QueryValue, redirectUri: QueryValue): Promise<string | undefined> {
  if (typeof clientId !== "string" || typeof redirectUri !== "string") return undefined;
  const client = await provider.Client.find(clientId);
  return client?.redirectUriAllowed(redirectUri) === true ? redirectUri : undefined;
}

function unknownScope(scope: QueryValue): "invalid_scope" | undefined {
  const known: readonly string[] = webfleetScopes;
  if (typeof scope !== "string") return undefined;
  return scope.split(" ").every((name) => known.includes(name)) ? undefined : "invalid_scope";
}

function errorLocation(context: WebfleetContext, redirectUri: string, error: string, state: QueryValue): string {
  const location = new URL(redirectUri);
  location.searchParams.append("error", error);
  if (typeof state === "string") location.searchParams.append("state", state);
  location.searchParams.append("iss", context.issuer);
  return location.href;
}

/** @param wanted as in `WebfleetBehaviour.sendIssuer` */
function withWantedIssuer(wanted: boolean | string, location: string): string {
  if (wanted === true || !URL.canParse(location)) return location;
  const url = new URL(location);
  if (!url.searchParams.has("iss")) return location;
  if (wanted === false) url.searchParams.delete("iss");
  else url.searchParams.set("iss", wanted);
  return url.href;
}
