/** An OAuth client whose every answer the test gives, when it wants to. */
import type { Result } from "../../../shared/result.ts";
import type { Grant } from "../connection-state.ts";
import type { AuthorizationRequest, OAuthClient, RefreshOutcome, ResolvedClient, RevokeOutcome } from "../ports.ts";
import { HeldCalls } from "./held.ts";

export class ScriptedOAuthClient implements OAuthClient {
  readonly refreshes = new HeldCalls<{ client: ResolvedClient; grant: Grant; signal: AbortSignal }, RefreshOutcome>();
  readonly exchanges = new HeldCalls<
    { client: ResolvedClient; request: AuthorizationRequest; callback: URLSearchParams; signal: AbortSignal },
    Result<Grant>
  >();
  readonly revocations = new HeldCalls<{ client: ResolvedClient; refreshToken: string; signal: AbortSignal }, RevokeOutcome>();
  /** Providers that were asked for their time. */
  readonly timeQuestions: string[] = [];
  #requests = 0;

  authorizationRequest = async (client: ResolvedClient, redirectUri: string): Promise<AuthorizationRequest> => {
    this.#requests += 1;
    const state = `state-${this.#requests}`;
    return { authorizationUrl: `${client.endpoints.authorizationEndpoint}?state=${state}`, state, redirectUri };
  };
  exchangeCode: OAuthClient["exchangeCode"] = (client, request, callback, signal) =>
    this.exchanges.call({ client, request, callback, signal });
  refresh: OAuthClient["refresh"] = (client, grant, signal) => this.refreshes.call({ client, grant, signal });
  askServerTime: OAuthClient["askServerTime"] = async (client) => {
    this.timeQuestions.push(client.provider.id);
    return false;
  };
  revoke: OAuthClient["revoke"] = (client, refreshToken, signal) => this.revocations.call({ client, refreshToken, signal });
}
