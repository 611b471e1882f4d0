/**
 * A stand-in for Webfleet's authorization server and a piece of its API, on loopback, after reference/webfleet-oauth.txt:
 * oidc-provider mounted under the realm's path. Invariant: out of the box it does what the document says and what Keycloak is
 * known for; every deviation is asked for in `behaviour`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Provider } from "oidc-provider";
import { type Answer, bearerToken, jsonAnswer, sendAnswer } from "./http-exchange.ts";
import { listenOnLoopback } from "./loopback-listener.ts";
import { OidcMemoryStore } from "./oidc-memory-store.ts";
import type { StandInProvider } from "./provider-contract.ts";
import { zeroCounters } from "./provider-counters.ts";
import { RefreshTokenLedger } from "./refresh-token-ledger.ts";
import { TokenEndpointGate } from "./token-endpoint-gate.ts";
import { rewriteRealmRequest, shapeAuthorizationEndpoint } from "./webfleet-authorization.ts";
import { webfleetConfiguration } from "./webfleet-configuration.ts";
import { endpoints, interactionPath, type MountedWebfleet, realmPath, vehiclesPath, type WebfleetContext } from "./webfleet-context.ts";
import {
  acceptAnyClientSecret,
  observeProvider,
  rewriteBasicCredentials,
  shapeRevocationEndpoint,
  shapeTokenEndpoint,
} from "./webfleet-endpoints.ts";
import { answerInteraction } from "./webfleet-interaction.ts";
import { documentedWebfleetBehaviour, type WebfleetBehaviour, type WebfleetOptions, webfleetOptionsSchema } from "./webfleet-options.ts";
import { acceptStructuredRevocation, shapeRefreshTokens } from "./webfleet-refresh-tokens.ts";

export type { WebfleetOptions } from "./webfleet-options.ts";

export interface WebfleetServer extends StandInProvider<WebfleetBehaviour> {
  /** Sent as `iss`; discovery is at `/.well-known/openid-configuration` below it. */
  readonly issuer: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string;
  readonly jwksUrl: string;
  /** The demo API; answers 401 without a good token. */
  readonly vehiclesUrl: string;
}

/**
 * Starts a stand-in Webfleet server.
 *
 * @param options clients at least; see `webfleetOptionsSchema`
 * @param now the server's clock, Unix time in milliseconds; it may run ahead of the real time, never behind it
 * @throws when the options are wrong or the port is taken
 */
export async function startWebfleetServer(options: WebfleetOptions, now: () => number = Date.now): Promise<WebfleetServer> {
  const { protocol, port, clients, users, behaviour: changes } = webfleetOptionsSchema.parse(options);
  const [firstUser, ...otherUsers] = users;
  if (firstUser === undefined) throw new Error("the schema lets no empty list through");
  const behaviour = Object.assign(documentedWebfleetBehaviour(), changes);
  // The issuer holds the port, so the provider can be made only after listening has begun.
  let mounted: MountedWebfleet | undefined;
  const refuse = (): boolean => behaviour.refuseConnections;
  const dateOffsetSeconds = (): number => behaviour.dateOffsetSeconds;
  const listener = await listenOnLoopback({ protocol, port, refuse, dateOffsetSeconds }, async (request, response) => {
    if (mounted === undefined) sendAnswer(response, { status: 503, headers: {}, body: "" });
    else await handle(mounted, request, response);
  });
  const counters = zeroCounters();
  const context: WebfleetContext = {
    origin: listener.origin,
    issuer: listener.origin + realmPath,
    clients,
    users: [firstUser, ...otherUsers],
    behaviour,
    counters,
    ledger: new RefreshTokenLedger(counters),
    gate: new TokenEndpointGate(),
    store: new OidcMemoryStore({ now, consumes: (model) => model !== "RefreshToken" || behaviour.reuseDetection }),
    now,
    accessTokens: new Map(),
    issuedSecrets: [],
  };
  try {
    mounted = await mount(context);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return { ...listener, ...controls(context, listener.close), ...urls(context) };
}

async function mount(context: WebfleetContext): Promise<MountedWebfleet> {
  const provider = new Provider(context.issuer, await webfleetConfiguration(context));
  acceptAnyClientSecret(provider, context);
  shapeRefreshTokens(provider, context);
  shapeAuthorizationEndpoint(provider, context);
  shapeTokenEndpoint(provider, context);
  shapeRevocationEndpoint(provider, context);
  observeProvider(provider, context);
  return { context, provider, answerRealm: provider.callback() };
}

function urls(
  context: WebfleetContext,
): Pick<WebfleetServer, "issuer" | "authorizeUrl" | "tokenUrl" | "revocationUrl" | "jwksUrl" | "vehiclesUrl"> {
  return {
    issuer: context.issuer,
    authorizeUrl: context.issuer + endpoints.authorization,
    tokenUrl: context.issuer + endpoints.token,
    revocationUrl: context.issuer + endpoints.revocation,
    jwksUrl: context.issuer + endpoints.jwks,
    vehiclesUrl: context.origin + vehiclesPath,
  };
}

function controls(
  context: WebfleetContext,
  close: () => Promise<void>,
): Omit<StandInProvider<WebfleetBehaviour>, "origin" | "certificatePem"> {
  return {
    behaviour: context.behaviour,
    tokenEndpoint: context.gate,
    issuedSecrets: () => [...context.issuedSecrets],
    expireAccessTokens: () => context.accessTokens.clear(),
    revokeAll: () => {
      context.accessTokens.clear();
      context.store.forget("Grant", "RefreshToken", "AuthorizationCode");
    },
    counters: () => structuredClone(context.counters),
    close: () => {
      context.gate.resumeAll();
      return close();
    },
  };
}

async function handle(mounted: MountedWebfleet, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", mounted.context.origin);
  if (url.pathname === vehiclesPath && request.method === "GET") {
    sendAnswer(response, answerVehicles(mounted.context, request));
    return;
  }
  if (url.pathname.startsWith(interactionPath)) {
    await answerInteraction(mounted, request, response);
    return;
  }
  if (!url.pathname.startsWith(`${realmPath}/`)) {
    sendAnswer(response, { status: 404, headers: {}, body: "" });
    return;
  }
  rewriteRealmRequest(request, realmPath);
  rewriteBasicCredentials(mounted.context, request);
  await mounted.answerRealm(await acceptStructuredRevocation(mounted.context, request), response);
}

/** The token is looked up instead of verified: what the stand-in has issued and not withdrawn is good. */
function answerVehicles(context: WebfleetContext, request: IncomingMessage): Answer {
  context.counters.apiCalls += 1;
  const token = context.accessTokens.get(bearerToken(request) ?? "");
  if (token === undefined || token.expiresAtMs <= context.now()) {
    context.counters.apiRejections += 1;
    return jsonAnswer(401, { error: "invalid_token" }, { "WWW-Authenticate": 'Bearer realm="webfleet", error="invalid_token"' });
  }
  if (context.behaviour.apiStatus !== null) return jsonAnswer(context.behaviour.apiStatus, { error: "Refused" });
  return jsonAnswer(200, {
    user: token.userId,
    vehicles: [
      { id: "001", name: "Service van", odometerKm: 48_210 },
      { id: "002", name: "Recovery truck", odometerKm: 121_455 },
    ],
  });
}
