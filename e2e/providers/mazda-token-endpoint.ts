/** The stand-in Mazda token endpoint. Invariant: no grant is touched before the client has proved itself with HTTP Basic. */
import type { IncomingMessage } from "node:http";
import { assertNever } from "../../shared/result.ts";
import { parseBasicCredentials, secretsMatch } from "./client-credentials.ts";
import { type Answer, jsonAnswer, readBody, singleParameters } from "./http-exchange.ts";
import type { IssuedTokens, MazdaGrants } from "./mazda-grants.ts";
import type { MazdaBehaviour } from "./mazda-options.ts";
import type { RegisteredClient } from "./provider-contract.ts";
import type { ProviderCounters } from "./provider-counters.ts";

export interface MazdaTokenContext {
  readonly clients: readonly RegisteredClient[];
  readonly behaviour: MazdaBehaviour;
  readonly counters: ProviderCounters;
  readonly grants: MazdaGrants;
  /** Called with every form that was read. */
  readonly observe: (form: URLSearchParams) => void;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Answers a token request (RFC 6749 sections 4.1.3 and 6), with Mazda's errors. */
export async function answerTokenRequest(context: MazdaTokenContext, request: IncomingMessage): Promise<Answer> {
  const form = new URLSearchParams(await readBody(request));
  context.observe(form);
  const client = authenticateClient(context, request);
  if (client === undefined) return jsonAnswer(401, { error: "invalid_client" }, { "WWW-Authenticate": 'Basic realm="Mazda"' });
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "")) return refuse("invalid_request");
  const parameters = singleParameters(form);
  if (parameters === undefined) return refuse("invalid_request");
  switch (parameters.get("grant_type")) {
    case "authorization_code":
      return redeem(context, client, parameters);
    case "refresh_token":
      return refresh(context, client, parameters);
    case undefined:
      return refuse("invalid_request");
    default:
      return refuse("unsupported_grant_type");
  }
}

function authenticateClient(context: MazdaTokenContext, request: IncomingMessage): RegisteredClient | undefined {
  const credentials = parseBasicCredentials(request.headers.authorization, context.behaviour.basicCredentials);
  if (credentials === undefined) return undefined;
  const client = context.clients.find((candidate) => candidate.clientId === credentials.clientId);
  return client !== undefined && secretsMatch(client.clientSecret, credentials.clientSecret) ? client : undefined;
}

function redeem(context: MazdaTokenContext, client: RegisteredClient, parameters: ReadonlyMap<string, string>): Answer {
  const code = parameters.get("code");
  const redirectUri = parameters.get("redirect_uri");
  if (code === undefined || redirectUri === undefined) return refuse("invalid_request");
  const codeVerifier = parameters.get("code_verifier");
  const tokens = context.grants.redeemCode({ code, clientId: client.clientId, redirectUri, codeVerifier });
  return tokens === undefined ? refuse("invalid_grant") : tokenAnswer(context, tokens);
}

function refresh(context: MazdaTokenContext, client: RegisteredClient, parameters: ReadonlyMap<string, string>): Answer {
  const refreshToken = parameters.get("refresh_token");
  if (refreshToken === undefined) return refuse("invalid_request");
  const tokens = context.grants.refresh(refreshToken, client.clientId);
  if (tokens !== undefined) return tokenAnswer(context, tokens);
  context.counters.refusedRefreshes += 1;
  return refuse(context.behaviour.deadRefreshTokenError);
}

function refuse(error: string): Answer {
  return jsonAnswer(400, { error });
}

function tokenAnswer(context: MazdaTokenContext, tokens: IssuedTokens): Answer {
  const expiresIn = expiresInValue(context, tokens.accessTokenExpiresAtMs);
  return jsonAnswer(200, {
    access_token: tokens.accessToken,
    ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
    ...(context.behaviour.tokenType === null ? {} : { token_type: context.behaviour.tokenType }),
  });
}

/** Mazda's document reads `expires_in` both as seconds and as Unix time; each reading can be chosen. */
function expiresInValue(context: MazdaTokenContext, expiresAtMs: number): unknown {
  const reading = context.behaviour.expiresIn;
  if (typeof reading === "object") return reading.raw;
  switch (reading) {
    case "seconds":
      return context.behaviour.accessTokenLifetimeSeconds;
    case "string":
      return String(context.behaviour.accessTokenLifetimeSeconds);
    case "epoch":
      return Math.floor(expiresAtMs / 1000);
    case "epoch-string":
      return String(Math.floor(expiresAtMs / 1000));
    case "epoch-ms":
      return expiresAtMs;
    case "epoch-ms-string":
      return String(expiresAtMs);
    case "absent":
      return undefined;
    default:
      return assertNever(reading);
  }
}
