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
 * @throws when the options are wrong or the port is taken
 */
export async function startWebfleetServer(options: WebfleetOptions): Promise<WebfleetServer> {
  const { protocol, port, clients, users, behaviour: changes } = webfleetOptionsSchema.parse(options);
  const [firstUser, ...otherUsers] = users;
  if (firstUser === undefined) throw new Error("the schema lets no empty list through");
  const behaviour = Object.assign(documentedWebfleetBehaviour(), changes);
  // The issuer holds the port, so the provider can be made only after listening has begun.
  let mounted: MountedWebfleet | undefined;
  const listener = await listenOnLoopback({ protocol, port, refuse: () => behaviour.refuseConnections }, async (request, response) => {
    if (mounted === undefined) sendAnswer(response, { status: 503, headers: {}, body: "" });
    else await handle(mounted, request, response);
  });
  const context: WebfleetContext = {
    origin: listener.origin,
    issuer: listener.origin + realmPath,
    clients,
    users: [firstUser, ...otherUsers],
    behaviour,
    counters: zeroCounters(),
    gate: new TokenEndpointGate(),
    accessTokens: new Map(),
    issuedSecrets: [],
  };
  const store = new OidcMemoryStore();
  try {
    mounted = await mount(context, store);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return { ...listener, ...controls(context, store, listener.close), ...urls(context) };
}

async function mount(context: WebfleetContext, store: OidcMemoryStore): Promise<MountedWebfleet> {
  const provider = new Provider(context.issuer, await webfleetConfiguration(context, store));
  acceptAnyClientSecret(provider, context);
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
  store: OidcMemoryStore,
  close: () => Promise<void>,
): Omit<StandInProvider<WebfleetBehaviour>, "origin" | "certificatePem"> {
  return {
    behaviour: context.behaviour,
    tokenEndpoint: context.gate,
    issuedSecrets: () => [...context.issuedSecrets],
    expireAccessTokens: () => context.accessTokens.clear(),
    revokeAll: () => {
      context.accessTokens.clear();
      store.forget("Grant", "RefreshToken", "AuthorizationCode");
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
  await mounted.answerRealm(request, response);
}

/** The token is looked up instead of verified: what the stand-in has issued and not withdrawn is good. */
function answerVehicles(context: WebfleetContext, request: IncomingMessage): Answer {
  context.counters.apiCalls += 1;
  const token = context.accessTokens.get(bearerToken(request) ?? "");
  if (token === undefined || token.expiresAtMs <= Date.now()) {
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
