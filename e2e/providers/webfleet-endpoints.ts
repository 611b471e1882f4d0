/**
 * What stands before and behind oidc-provider's endpoints. Invariant: token requests are carried out one at a time, so that
 * two uses of one refresh token are always seen as reuse.
 */
import type { IncomingMessage } from "node:http";
import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import { z } from "zod";
import { basicCredentialsHeader, parseBasicCredentials, secretsMatch } from "./client-credentials.ts";
import { type Answer, jsonAnswer, readBody } from "./http-exchange.ts";
import { countTokenRequest } from "./provider-counters.ts";
import { shapeTokenResponse } from "./token-endpoint-shaping.ts";
import { idleSeconds, storedClientSecret } from "./webfleet-configuration.ts";
import { endpoints, type WebfleetContext } from "./webfleet-context.ts";

const tokenBodySchema = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number(),
  scope: z.string().optional(),
});

/** Lets client secrets hold any character: oidc-provider takes visible ASCII only. */
export function acceptAnyClientSecret(provider: Provider, context: WebfleetContext): void {
  provider.Client.prototype.compareClientSecret = function compare(actual: string): boolean {
    const client = context.clients.find((candidate) => candidate.clientId === this.clientId);
    if (client === undefined) return false;
    // Basic arrives rewritten by rewriteBasicCredentials, the body as it was sent.
    return secretsMatch(storedClientSecret(client.clientSecret), actual) || secretsMatch(client.clientSecret, actual);
  };
}

/** Rewrites HTTP Basic to the form in which oidc-provider holds secrets; a malformed header is left for it to refuse. */
export function rewriteBasicCredentials(context: WebfleetContext, request: IncomingMessage): void {
  const credentials = parseBasicCredentials(request.headers.authorization, context.behaviour.basicCredentials);
  if (credentials === undefined) return;
  const { clientId, clientSecret } = credentials;
  request.headers.authorization = basicCredentialsHeader({ clientId, clientSecret: storedClientSecret(clientSecret) });
}

/** Puts behaviour around the token endpoint, and Webfleet's extra fields into its answers. */
export function shapeTokenEndpoint(provider: Provider, context: WebfleetContext): void {
  const oneAtATime = serialiser();
  provider.use(async (ctx, next) => {
    if (ctx.path !== endpoints.token || ctx.method !== "POST") {
      await next();
      return;
    }
    const answer = await shapeTokenResponse({
      behaviour: context.behaviour,
      gate: context.gate,
      request: ctx.req,
      observe: (form) => {
        countTokenRequest(context.counters, form.get("grant_type"));
        context.ledger.presented(form.get("refresh_token"));
      },
      process: async () => {
        await oneAtATime(() => next());
        return genuineAnswer(context, ctx.status, ctx.body);
      },
    });
    if (answer === undefined) {
      ctx.respond = false;
      return;
    }
    ctx.body = answer.body;
    ctx.status = answer.status;
    ctx.remove("Content-Type");
    ctx.set({ ...answer.headers });
  });
}

/** Makes a function that runs tasks one after the other, whether they succeed or fail. */
function serialiser(): (task: () => Promise<unknown>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return async (task) => {
    const previous = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    await previous;
    try {
      await task();
    } finally {
      resolve();
    }
  };
}

function genuineAnswer(context: WebfleetContext, status: number, body: unknown): Answer {
  const tokens = tokenBodySchema.safeParse(body);
  if (!tokens.success) return jsonAnswer(status, body);
  const { token_type: _replaced, ...fields } = tokens.data;
  const offline = fields.scope?.split(" ").includes("offline_access") === true;
  return jsonAnswer(status, {
    ...fields,
    ...(context.behaviour.tokenType === null ? {} : { token_type: context.behaviour.tokenType }),
    ...(fields.refresh_token === undefined
      ? {}
      : { refresh_expires_in: offline ? context.behaviour.offlineRefreshExpiresIn : context.behaviour.sessionIdleSeconds }),
  });
}

/** Puts behaviour around the revocation endpoint. */
export function shapeRevocationEndpoint(provider: Provider, context: WebfleetContext): void {
  provider.use(async (ctx, next) => {
    const revoking = ctx.path === endpoints.revocation && ctx.method === "POST";
    const status = context.behaviour.revocationStatus;
    if (revoking && status !== null) {
      await readBody(ctx.req);
      ctx.status = status;
      ctx.body = "";
      return;
    }
    await next();
    if (revoking && ctx.status === 200) context.counters.revocations += 1;
  });
}

/** Counts what happens inside oidc-provider, and notes every secret it issues. */
export function observeProvider(provider: Provider, context: WebfleetContext): void {
  const { counters } = context;
  provider.on("authorization.success", (_ctx, response) => {
    const code = response?.["code"];
    if (typeof code === "string") context.issuedSecrets.push(code);
  });
  provider.on("grant.error", (ctx, error) => {
    const grantType = ctx.oidc.params?.["grant_type"];
    countTokenRequest(counters, grantType);
    context.ledger.presented(presentedToken(ctx));
    if (grantType === "refresh_token" && error.error === "invalid_grant") counters.refusedRefreshes += 1;
    if (error.error_detail === "refresh token already used") counters.reuseDetections += 1;
  });
  provider.on("grant.success", (ctx) => {
    const grantType = ctx.oidc.params?.["grant_type"];
    countTokenRequest(counters, grantType);
    if (grantType === "refresh_token") noteRefresh(context, ctx);
    else counters.codeExchanges += 1;
    noteTokens(context, ctx.body, ctx.oidc.entities.Account?.accountId ?? "");
  });
}

function noteRefresh(context: WebfleetContext, ctx: KoaContextWithOIDC): void {
  const { behaviour, ledger, store } = context;
  const presented = presentedToken(ctx);
  ledger.presented(presented);
  context.counters.refreshes += 1;
  const { RefreshToken: current, RotatedRefreshToken: replaced } = ctx.oidc.entities;
  if (replaced !== undefined) ledger.spent(presented);
  // oidc-provider lets a token that stays end when it first was to; at Keycloak each use keeps the session alive.
  else if (current !== undefined) store.renew("RefreshToken", current.jti, idleSeconds(behaviour, current));
}

function presentedToken(ctx: KoaContextWithOIDC): string {
  const token = ctx.oidc.params?.["refresh_token"];
  return typeof token === "string" ? token : "";
}

function noteTokens(context: WebfleetContext, body: unknown, userId: string): void {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = tokenBodySchema.parse(body);
  context.issuedSecrets.push(accessToken);
  if (refreshToken !== undefined) context.issuedSecrets.push(refreshToken);
  context.accessTokens.set(accessToken, { userId, expiresAtMs: context.now() + expiresIn * 1000 });
}
