/**
 * What paired programs may do. Invariants: the access policy is asked before anything else is looked at; every grant and
 * refusal of a token is an audit row, written off the answer path; only this file turns a grant into an answer.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import type {
  BrokerStatusResult,
  ConnectionListResult,
  ConnectionSelector,
  ConnectStartParams,
  ConnectStartResult,
  PipeConnection,
  PipeProvider,
  TokenGetParams,
  TokenGetResult,
  TokenRejectedParams,
} from "../../shared/pipe-protocol.ts";
import { pipeProtocolVersion } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionId, type Environment, type ProviderPause, type RegistrationView, usualRequestsPerMinute } from "../../shared/views.ts";
import { hasEnded, isAllowed, notPermitted } from "./access-policy.ts";
import type { ConnectFlow } from "./connect-flow.ts";
import type { ConnectionKey, Grant } from "./connection-state.ts";
import { pipeConnection } from "./connection-view.ts";
import type { Connections } from "./connections.ts";
import { OnceAMinute } from "./once-a-minute.ts";
import { namingConnection } from "./pipe-problem.ts";
import type { Clock, DmsClientRecord } from "./ports.ts";
import type { ProgramApi } from "./program-api.ts";
import { defaultMinValiditySeconds } from "./refresh-policy.ts";
import type { Registrations } from "./registrations.ts";
import { RequestLimits } from "./request-limits.ts";
import type { Revocation } from "./revocation.ts";
import type { ServedToken, TokenBroker } from "./token-broker.ts";
import { tokenIdOf } from "./token-id.ts";

/** Each opens a page in the user's browser. */
const signInsPerMinute = 6;
const listedRefusalsPerMinute = 60;

export interface ProgramServiceDeps {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly broker: TokenBroker;
  readonly connectFlow: ConnectFlow;
  readonly revocation: Revocation;
  readonly clock: Clock;
  readonly version: string;
  /** Writes the audit row; must not make the program wait. */
  readonly audit: (action: string, client: DmsClientRecord, key: ConnectionKey | undefined, outcome: string) => void;
  readonly seen: (clientId: string) => void;
  /** A program is about to have the browser opened: the window is to show that row. */
  readonly onShowRequested: (connectionId: string) => void;
  /** Whether a provider environment is not asked just now. */
  readonly pauseOf: (provider: string, environment: Environment) => ProviderPause | undefined;
}

/** An answer and what it depends on besides its grant. */
interface GivenAnswer {
  readonly header: string | undefined;
  readonly organisation: string | undefined;
  readonly result: TokenGetResult;
}

export class ProgramService implements ProgramApi {
  readonly #deps: ProgramServiceDeps;
  /** The last answer of each grant: who asks within the same second gets the same one, which the pipe has as text already. */
  readonly #given = new WeakMap<Grant, GivenAnswer>();
  readonly #requests = new RequestLimits();
  readonly #signIns = new RequestLimits();
  readonly #refusals = new RequestLimits();
  readonly #often = new OnceAMinute();

  constructor(deps: ProgramServiceDeps) {
    this.#deps = deps;
  }

  admit(client: DmsClientRecord): Result<undefined> {
    const { access, clientId } = client;
    const nowMs = this.#deps.clock.nowMs();
    if (hasEnded(access, nowMs)) {
      const ended = err(failure("not_paired"));
      this.#auditSeldom("session", client, undefined, ended);
      return ended;
    }
    const perMinute = access.requestsPerMinute ?? usualRequestsPerMinute;
    const waitMs = this.#requests.take(clientId, perMinute, nowMs);
    return waitMs === 0 ? ok() : err(this.#limited(client, perMinute, waitMs));
  }

  /** One audit row a minute: a program that asks too much must not fill the disk as well. */
  #limited(client: DmsClientRecord, limit: number, waitMs: number, action = "rate_limit", key?: ConnectionKey): Failure {
    const refused = failure("program_rate_limited", { limit }, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
    this.#auditSeldom(action, client, key, err(refused));
    return refused;
  }

  tokenGet(client: DmsClientRecord, params: TokenGetParams): Promise<Result<TokenGetResult>> {
    const { minValiditySeconds = defaultMinValiditySeconds } = params;
    return this.#serve("token.get", client, params, (key) => this.#deps.broker.getToken(key, minValiditySeconds));
  }

  tokenRejected(client: DmsClientRecord, params: TokenRejectedParams): Promise<Result<TokenGetResult>> {
    return this.#serve("token.rejected", client, params, (key) =>
      this.#deps.broker.tokenRejected(key, params.tokenId, defaultMinValiditySeconds),
    );
  }

  async #serve(
    action: string,
    client: DmsClientRecord,
    params: ConnectionSelector & { readonly organisation?: string },
    get: (key: ConnectionKey) => Promise<Result<ServedToken>>,
  ): Promise<Result<TokenGetResult>> {
    this.#deps.seen(client.clientId);
    const key = this.#permittedKey(action, client, params);
    if (!key.ok) return key;
    const served = await get(key.value);
    const answer = served.ok
      ? this.#answer(key.value, served.value, params.organisation)
      : namingConnection<TokenGetResult>(served, key.value);
    this.#audit(action, client, key.value, answer);
    return answer;
  }

  #answer({ provider, environment }: ConnectionKey, served: ServedToken, asked: string | undefined): Result<TokenGetResult> {
    const { grant } = served;
    const header = this.#deps.registrations.provider(provider)?.organisationHeader;
    const organisation = asked ?? served.organisation;
    if (asked !== undefined) {
      const known = this.#deps.registrations.organisations(provider, environment);
      if (known.length > 0 && !known.includes(asked)) {
        return err(failure("organisation_unknown", { organisation: asked, known: known.join(", ") }));
      }
    }
    const expiresInSeconds = Math.max(0, Math.floor((grant.accessTokenExpiresAtMs - this.#deps.clock.nowMs()) / 1000));
    const given = this.#given.get(grant);
    const isSame = given?.header === header && given?.organisation === organisation;
    if (given !== undefined && isSame && given.result.expiresInSeconds === expiresInSeconds) return ok(given.result);
    const result = tokenResult(
      grant,
      expiresInSeconds,
      header === undefined || organisation === undefined ? {} : { [header]: organisation },
    );
    this.#given.set(grant, { header, organisation, result });
    return ok(result);
  }

  async connectionList(client: DmsClientRecord): Promise<Result<ConnectionListResult>> {
    const views = await this.#deps.connections.list();
    this.#auditSeldom("connection.list", client, undefined, views);
    if (!views.ok) return views;
    return ok({ connections: views.value.filter((view) => isAllowed(client.access, view)).map(pipeConnection) });
  }

  async connectionGet(client: DmsClientRecord, selector: ConnectionSelector): Promise<Result<PipeConnection>> {
    const key = this.#permittedKey("connection.get", client, selector);
    if (!key.ok) return key;
    const connection = await this.#connection(key.value);
    this.#auditSeldom("connection.get", client, key.value, connection);
    return connection;
  }

  async #connection(key: ConnectionKey): Promise<Result<PipeConnection>> {
    const loaded = await this.#deps.connections.load(key);
    return loaded.ok ? ok(pipeConnection(this.#deps.connections.view(loaded.value))) : loaded;
  }

  async connectStart(client: DmsClientRecord, params: ConnectStartParams): Promise<Result<ConnectStartResult>> {
    const key = this.#permittedKey("connect.start", client, params);
    if (!key.ok) return key;
    const waitMs = this.#signIns.take(client.clientId, signInsPerMinute, this.#deps.clock.nowMs());
    if (waitMs > 0) return err(this.#limited(client, signInsPerMinute, waitMs, "connect.start", key.value));
    // First, so that the browser comes to lie in front of the window.
    this.#deps.onShowRequested(connectionId(key.value));
    const started = namingConnection(await this.#deps.connectFlow.start(key.value, params.organisation), key.value);
    this.#audit("connect.start", client, key.value, started);
    if (!started.ok) return started;
    const connection = await this.#connection(key.value);
    return connection.ok ? ok({ connection: connection.value }) : connection;
  }

  async connectCancel(client: DmsClientRecord, selector: ConnectionSelector): Promise<Result<undefined>> {
    const key = this.#permittedKey("connect.cancel", client, selector);
    if (!key.ok) return key;
    const cancelled = this.#deps.connectFlow.cancel(key.value);
    this.#audit("connect.cancel", client, key.value, cancelled);
    return cancelled;
  }

  async connectionRevoke(client: DmsClientRecord, selector: ConnectionSelector): Promise<Result<undefined>> {
    return this.#end("connection.revoke", client, selector, (key) => this.#deps.revocation.revoke(key));
  }

  async connectionForget(client: DmsClientRecord, selector: ConnectionSelector): Promise<Result<undefined>> {
    return this.#end("connection.forget", client, selector, (key) => this.#deps.revocation.forget(key));
  }

  async #end(
    action: string,
    client: DmsClientRecord,
    selector: ConnectionSelector,
    end: (key: ConnectionKey) => Promise<Result<unknown>>,
  ): Promise<Result<undefined>> {
    const key = this.#permittedKey(action, client, selector);
    if (!key.ok) return key;
    const ended = namingConnection(await end(key.value), key.value);
    this.#audit(action, client, key.value, ended);
    return ended.ok ? ok() : ended;
  }

  brokerStatus(_client: DmsClientRecord): Promise<Result<BrokerStatusResult>> {
    const providers = this.#deps.registrations.list().flatMap((registration) => this.#provider(registration));
    return Promise.resolve(ok({ version: this.#deps.version, protocol: pipeProtocolVersion, vault: "open" as const, providers }));
  }

  /** Nothing for an environment that this version of the app does not know. */
  #provider({ provider, environment }: RegistrationView): readonly PipeProvider[] {
    const endpoints = this.#deps.registrations.endpoints(provider, environment);
    if (endpoints === undefined) return [];
    const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = endpoints;
    const paused = this.#deps.pauseOf(provider, environment);
    return [
      {
        provider,
        environment,
        ...(paused === undefined ? { state: "available" } : { state: "paused", nextTryAt: Math.ceil(paused.nextTryAtMs / 1000) }),
        authorizationEndpoint,
        tokenEndpoint,
        ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
      },
    ];
  }

  onConnectionChanged(client: DmsClientRecord, listener: (connection: PipeConnection) => void): () => void {
    this.#deps.audit("events.subscribe", client, undefined, "ok");
    return this.#deps.connections.onChanged((view) => {
      // Its sessions end with its access, but perhaps a moment later.
      if (isAllowed(client.access, view) && !hasEnded(client.access, this.#deps.clock.nowMs())) listener(pipeConnection(view));
    });
  }

  /** Every grant, and every refusal up to a number that no honest program reaches: refusals must not fill the disk. */
  #audit(action: string, client: DmsClientRecord, key: ConnectionKey, result: Result<unknown>): void {
    const isListed = result.ok || this.#refusals.take(client.clientId, listedRefusalsPerMinute, this.#deps.clock.nowMs()) === 0;
    if (isListed) this.#deps.audit(action, client, key, result.ok ? "ok" : result.error.code);
    else this.#auditSeldom("refusals.more", client, undefined, result);
  }

  /** For what a program may ask every second and what gives it no token: one row a minute. */
  #auditSeldom(action: string, client: DmsClientRecord, key: ConnectionKey | undefined, result: Result<unknown>): void {
    const outcome = result.ok ? "ok" : result.error.code;
    if (this.#often.isDue(`${action} ${outcome} ${client.clientId}`, this.#deps.clock.nowMs())) {
      this.#deps.audit(action, client, key, outcome);
    }
  }

  #permittedKey(action: string, client: DmsClientRecord, selector: ConnectionSelector): Result<ConnectionKey> {
    const environment = this.#deps.registrations.environmentOf(selector.provider, selector.environment);
    const meant = environment.ok ? environment.value : (selector.environment ?? "production");
    const key: ConnectionKey = { provider: selector.provider, environment: meant, user: selector.user };
    // Before a provider is called unknown: a program learns nothing about what it may not use.
    const isCovered = isAllowed(client.access, key);
    if (isCovered && environment.ok) return ok(key);
    const refused = isCovered && !environment.ok ? environment : err(notPermitted(key));
    this.#audit(action, client, key, refused);
    return refused;
  }
}

function tokenResult(grant: Grant, expiresInSeconds: number, ownHeaders: TokenGetResult["headers"]): TokenGetResult {
  return {
    accessToken: grant.accessToken,
    tokenType: "Bearer",
    tokenId: tokenIdOf(grant),
    expiresAt: Math.floor(grant.accessTokenExpiresAtMs / 1000),
    expiresInSeconds,
    headers: { Authorization: `Bearer ${grant.accessToken}`, ...ownHeaders },
  };
}
