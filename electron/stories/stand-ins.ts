/** The stand-ins of both providers for stories, and registrations that fit them. Invariant: each ends with its test. */
import { onTestFinished } from "vitest";
import { basicCredentialsHeader } from "../../e2e/providers/client-credentials.ts";
import { type LoopbackResponse, requestLoopback } from "../../e2e/providers/loopback-request.ts";
import type { MazdaOptions } from "../../e2e/providers/mazda-options.ts";
import { type MazdaServer, startMazdaServer } from "../../e2e/providers/mazda-server.ts";
import type { ProviderUser } from "../../e2e/providers/provider-contract.ts";
import type { WebfleetOptions } from "../../e2e/providers/webfleet-options.ts";
import { startWebfleetServer, type WebfleetServer } from "../../e2e/providers/webfleet-server.ts";
import type { RegistrationInput } from "../../shared/views.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import type { ApiAnswer, CallApi } from "./desk.ts";

/** With the secret and every endpoint. */
export type CompleteRegistration = RegistrationInput & Required<Pick<RegistrationInput, "clientSecret" | "endpoints">>;

/** Characters that must be escaped in HTTP Basic (RFC 6749 section 2.3.1). */
const clientSecret = "A+secret:/ %é7Qx";
const applicationName = "MACS7";

/** A provider's clock that a test moves on. */
export interface MovableClock {
  readonly now: () => number;
  readonly moveDays: (days: number) => void;
}

export function movableClock(): MovableClock {
  let aheadMs = 0;
  return { now: () => Date.now() + aheadMs, moveDays: (days) => void (aheadMs += days * 86_400_000) };
}

/** People at a provider, as many as a story needs. */
export function people(count: number): readonly ProviderUser[] {
  return Array.from({ length: count }, (_, index) => ({ id: `user-${index + 1}`, name: `User ${index + 1}` }));
}

export interface PlayedWebfleet {
  readonly server: WebfleetServer;
  readonly registration: CompleteRegistration;
  readonly callApi: CallApi;
  readonly key: (user: string) => ConnectionKey;
}

const webfleetRedirectUri = "http://127.0.0.1/webfleet/callback";

/** Starts a Webfleet and registers the DMS there. */
export async function playWebfleet(options: Omit<WebfleetOptions, "clients">, now?: () => number): Promise<PlayedWebfleet> {
  const client = { clientId: "macs7-webfleet", clientSecret, redirectUris: [webfleetRedirectUri] };
  const server = await startWebfleetServer({ ...options, clients: [{ ...client, applicationName }] }, now);
  onTestFinished(() => server.close());
  const { authorizeUrl, tokenUrl, revocationUrl, jwksUrl, issuer, vehiclesUrl } = server;
  const endpoints = {
    authorizationEndpoint: authorizeUrl,
    tokenEndpoint: tokenUrl,
    revocationEndpoint: revocationUrl,
    jwksUri: jwksUrl,
    issuer,
  };
  return {
    server,
    registration: { provider: "webfleet", environment: "production", ...client, organisations: [], endpoints },
    callApi: apiAt(vehiclesUrl),
    key: (user) => ({ provider: "webfleet", environment: "production", user }),
  };
}

export interface PlayedMazda {
  readonly server: MazdaServer;
  readonly registration: CompleteRegistration;
  readonly callApi: CallApi;
  readonly key: (user: string) => ConnectionKey;
}

export interface MazdaStage extends Omit<MazdaOptions, "clients" | "protocol"> {
  /** As Mazda registers it; http on any port where no browser is to see it. */
  readonly redirectUri?: string;
  readonly organisations?: readonly string[];
}

/** Starts a Mazda and registers the DMS there. */
export async function playMazda({ redirectUri, organisations = [], ...options }: MazdaStage, now?: () => number): Promise<PlayedMazda> {
  const client = {
    clientId: "A0A10300-C967-9400-3559-7B5F1C5552AD",
    clientSecret,
    redirectUris: [redirectUri ?? "http://127.0.0.1/dms/oauth/code"],
  };
  const server = await startMazdaServer({ ...options, protocol: "http", clients: [{ ...client, applicationName }] }, now);
  onTestFinished(() => server.close());
  const { authorizeUrl, tokenUrl, grantScreensUrl, workOrdersUrl } = server;
  const endpoints = { authorizationEndpoint: authorizeUrl, tokenEndpoint: tokenUrl, grantScreensUrl };
  return {
    server,
    registration: { provider: "mazda", environment: "acceptance", ...client, organisations, endpoints },
    callApi: apiAt(workOrdersUrl),
    key: (user) => ({ provider: "mazda", environment: "acceptance", user }),
  };
}

/** A refresh past the broker, with the DMS's own credentials. */
export function refreshAsClient(
  { clientId, clientSecret, endpoints }: CompleteRegistration,
  refreshToken: string,
): Promise<LoopbackResponse> {
  return requestLoopback(endpoints.tokenEndpoint ?? "", {
    headers: { Authorization: basicCredentialsHeader({ clientId, clientSecret }) },
    form: { grant_type: "refresh_token", refresh_token: refreshToken },
  });
}

/** An API route of a stand-in: it names the user whose token it was given. */
function apiAt(url: string): CallApi {
  return async (headers): Promise<ApiAnswer> => {
    const { status, text } = await requestLoopback(url, { headers });
    // The stand-ins answer every call with a JSON object.
    const { user } = JSON.parse(text) as { readonly user?: string };
    return { status, user };
  };
}
