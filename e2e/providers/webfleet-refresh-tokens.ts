/**
 * Refresh tokens as Webfleet's document shows them: JWTs. oidc-provider itself makes opaque ones only, and takes any text as
 * such; so here the text is a JWT. Invariant: nothing reads the JWT's claims; the token is found by its whole text.
 */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { IncomingMessage } from "node:http";
import type { Provider } from "oidc-provider";
import { z } from "zod";
import { readBody } from "./http-exchange.ts";
import { endpoints, type WebfleetContext } from "./webfleet-context.ts";

/** What a token knows of itself when it gets its text. */
const tokenSchema = z.looseObject({ accountId: z.string(), clientId: z.string(), scope: z.string() });

/** Before the token of a revocation request, so that oidc-provider does not take it for a structured one. */
const plainMark = "~";

/** Gives refresh tokens their text, and lets a marked one be found. */
export function shapeRefreshTokens(provider: Provider, context: WebfleetContext): void {
  const { RefreshToken } = provider;
  const key = randomBytes(64);
  // The typings leave out the method that makes the id; every model of oidc-provider has it.
  const model = RefreshToken.prototype as unknown as { generateTokenId: (this: unknown) => string };
  const { generateTokenId } = model;
  model.generateTokenId = function makeText(): string {
    if (context.behaviour.refreshTokenFormat === "opaque") return generateTokenId.call(this);
    return signedToken(context, key, tokenSchema.parse(this));
  };
  const find = RefreshToken.find.bind(RefreshToken);
  Object.assign(RefreshToken, {
    find: (text: string, ...options: readonly object[]) =>
      find(text.startsWith(plainMark) ? text.slice(plainMark.length) : text, ...options),
  });
}

/**
 * Makes a revocation request acceptable whose token is a JWT but no access token. oidc-provider would refuse it, since its
 * own structured tokens cannot be revoked.
 *
 * @returns the request to answer; any other request as it is
 */
export async function acceptStructuredRevocation(context: WebfleetContext, request: IncomingMessage): Promise<IncomingMessage> {
  if (request.method !== "POST" || request.url !== endpoints.revocation) return request;
  const form = new URLSearchParams(await readBody(request));
  const token = form.get("token");
  if (token !== null && !context.accessTokens.has(token)) form.set("token", plainMark + token);
  return withBody(request, form.toString());
}

function signedToken(context: WebfleetContext, key: Buffer, token: z.infer<typeof tokenSchema>): string {
  const isOffline = token.scope.split(" ").includes("offline_access");
  const nowSeconds = Math.floor(context.now() / 1000);
  const claims = {
    ...(isOffline ? {} : { exp: nowSeconds + context.behaviour.sessionIdleSeconds }),
    iat: nowSeconds,
    jti: randomUUID(),
    iss: context.issuer,
    aud: context.issuer,
    sub: token.accountId,
    typ: isOffline ? "Offline" : "Refresh",
    azp: token.clientId,
    sid: randomUUID(),
    scope: token.scope,
  };
  const signed = [{ alg: "HS512", typ: "JWT", kid: "webfleet-stand-in-refresh" }, claims].map(encoded).join(".");
  return `${signed}.${createHmac("sha512", key).update(signed).digest("base64url")}`;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** The same request with another body, since a stream can be read once only. */
function withBody(request: IncomingMessage, body: string): IncomingMessage {
  const copy = new IncomingMessage(request.socket);
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers } = request;
  const length = String(Buffer.byteLength(body));
  Object.assign(copy, { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers: { ...headers, "content-length": length } });
  // What `rewriteRealmRequest` has noted.
  if ("originalUrl" in request) Object.assign(copy, { originalUrl: request.originalUrl });
  copy.push(body);
  copy.push(null);
  // An incomplete message takes its socket with it when it is destroyed.
  copy.complete = true;
  return copy;
}
