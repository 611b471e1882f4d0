/**
 * A stand-in for Mazda's authorization server and a piece of its DMS API, on loopback, after reference/mazda-dms-oauth2.txt.
 * Invariant: out of the box it does what the document says, contradictions resolved as in providers.md; every deviation is
 * asked for in `behaviour`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { grantsPage } from "./consent-page.ts";
import { type Answer, htmlAnswer, readBody, redirectAnswer, sendAnswer } from "./http-exchange.ts";
import { listenOnLoopback } from "./loopback-listener.ts";
import { answerWorkOrders } from "./mazda-api.ts";
import { answerConsentForm, mazdaAuthorizePath, mazdaBrand, showConsent } from "./mazda-authorize.ts";
import { MazdaGrants } from "./mazda-grants.ts";
import { documentedMazdaBehaviour, type MazdaBehaviour, type MazdaOptions, mazdaOptionsSchema } from "./mazda-options.ts";
import { answerTokenRequest } from "./mazda-token-endpoint.ts";
import type { ProviderUser, RegisteredClient, StandInProvider } from "./provider-contract.ts";
import { countTokenRequest, type ProviderCounters, zeroCounters } from "./provider-counters.ts";
import { RefreshTokenLedger } from "./refresh-token-ledger.ts";
import { TokenEndpointGate } from "./token-endpoint-gate.ts";
import { shapeTokenResponse } from "./token-endpoint-shaping.ts";

export type { MazdaOptions } from "./mazda-options.ts";

export interface MazdaServer extends StandInProvider<MazdaBehaviour> {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** The demo API; answers 401 without a good token. */
  readonly workOrdersUrl: string;
  /** The page where dealers end grants. */
  readonly grantScreensUrl: string;
}

const tokenPath = "/oauth/token";
const workOrdersPath = "/dms/api/v1/workorders";
const grantScreensPath = "/security/tokens";

interface MazdaContext {
  readonly clients: readonly RegisteredClient[];
  readonly users: readonly [ProviderUser, ...ProviderUser[]];
  readonly behaviour: MazdaBehaviour;
  readonly counters: ProviderCounters;
  readonly grants: MazdaGrants;
  readonly gate: TokenEndpointGate;
  readonly observe: (form: URLSearchParams) => void;
  readonly now: () => number;
}

/**
 * Starts a stand-in Mazda server.
 *
 * @param options clients at least; see `mazdaOptionsSchema`
 * @param now the server's clock, Unix time in milliseconds
 * @throws when the options are wrong or the port is taken
 */
export async function startMazdaServer(options: MazdaOptions, now: () => number = Date.now): Promise<MazdaServer> {
  const { protocol, port, canary, clients, users, behaviour: changes } = mazdaOptionsSchema.parse(options);
  const [firstUser, ...otherUsers] = users;
  if (firstUser === undefined) throw new Error("the schema lets no empty list through");
  const behaviour = Object.assign(documentedMazdaBehaviour(), changes);
  const counters = zeroCounters();
  const ledger = new RefreshTokenLedger(counters);
  const grants = new MazdaGrants({ canary, behaviour, counters, ledger, now });
  const gate = new TokenEndpointGate();
  const observe = (form: URLSearchParams): void => {
    countTokenRequest(counters, form.get("grant_type"));
    ledger.presented(form.get("refresh_token"));
  };
  const context: MazdaContext = { clients, users: [firstUser, ...otherUsers], behaviour, counters, grants, gate, observe, now };
  const refuse = (): boolean => behaviour.refuseConnections;
  const dateOffsetSeconds = (): number => behaviour.dateOffsetSeconds;
  const listener = await listenOnLoopback({ protocol, port, refuse, dateOffsetSeconds }, (request, response) =>
    handle(context, request, response),
  );
  return {
    ...listener,
    authorizeUrl: listener.origin + mazdaAuthorizePath,
    tokenUrl: listener.origin + tokenPath,
    workOrdersUrl: listener.origin + workOrdersPath,
    grantScreensUrl: listener.origin + grantScreensPath,
    behaviour,
    tokenEndpoint: gate,
    issuedSecrets: () => grants.issuedSecrets(),
    expireAccessTokens: () => grants.expireAccessTokens(),
    revokeAll: () => grants.endAll(),
    counters: () => structuredClone(counters),
    close: () => {
      gate.resumeAll();
      return listener.close();
    },
  };
}

async function handle(context: MazdaContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await route(context, request);
  if (answer !== undefined && !response.destroyed) sendAnswer(response, answer);
}

async function route(context: MazdaContext, request: IncomingMessage): Promise<Answer | undefined> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  switch (`${request.method} ${url.pathname}`) {
    case `GET ${mazdaAuthorizePath}`:
      return showConsent(context, url.searchParams);
    case `POST ${mazdaAuthorizePath}`:
      return answerConsentForm(context, new URLSearchParams(await readBody(request)));
    case `POST ${tokenPath}`:
      return shapeTokenResponse({
        behaviour: context.behaviour,
        gate: context.gate,
        request,
        observe: context.observe,
        process: () => answerTokenRequest(context, request),
      });
    case `GET ${workOrdersPath}`:
      return answerWorkOrders(context, request);
    case `GET ${grantScreensPath}`:
      return htmlAnswer(200, grantsPage(mazdaBrand, grantScreensPath, context.grants.liveGrants()));
    case `POST ${grantScreensPath}`:
      context.grants.end(new URLSearchParams(await readBody(request)).get("grant") ?? "");
      return redirectAnswer(grantScreensPath);
    default:
      return { status: 404, headers: {}, body: "" };
  }
}
