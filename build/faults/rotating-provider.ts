/**
 * An authorization server on loopback that approves at once and rotates refresh tokens. Invariant: it alone knows which
 * refresh token is good: one a grant, the newest; a spent one that comes back ends its grant (RFC 9700 section 4.14.2).
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { readBody, redirectAnswer, sendAnswer } from "../../e2e/providers/http-exchange.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { provider as webfleet } from "../../electron/oauth/providers/webfleet.ts";

/** Shorter than a program's least validity, so that the first request for a token refreshes; long enough for a whole story. */
const firstLifetimeSeconds = 50;
const laterLifetimeSeconds = 3_600;

/** Quicker than any provider that is not on this computer. */
const answerAfterMs = 3;

interface Grant {
  refreshToken: string;
  revoked: boolean;
}

export interface RotatingProvider {
  readonly definition: ProviderDefinition;
  /** The one good refresh token of the newest grant; undefined before the first grant and once it has ended. */
  readonly goodRefreshToken: () => string | undefined;
  /** The newest access token. */
  readonly newestAccessToken: () => string | undefined;
  /** How many spent refresh tokens came back. */
  readonly reuses: () => number;
  /** Called when a refresh has been decided, before its answer leaves. */
  onRotated: () => void;
  readonly close: () => Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startRotatingProvider(): Promise<RotatingProvider> {
  const endpoints = new TokenEndpoints();
  const server = createServer((request, response) => void endpoints.handle(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const production = {
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/revoke`,
  };
  const provider: RotatingProvider = {
    definition: { ...webfleet, environments: { production } },
    goodRefreshToken: () => (endpoints.newest?.revoked === false ? endpoints.newest.refreshToken : undefined),
    newestAccessToken: () => endpoints.newestAccessToken,
    reuses: () => endpoints.reuses,
    onRotated: () => undefined,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  endpoints.rotated = () => provider.onRotated();
  return provider;
}

class TokenEndpoints {
  newest: Grant | undefined;
  newestAccessToken: string | undefined;
  reuses = 0;
  rotated: () => void = () => undefined;
  readonly #codes = new Set<string>();
  /** Every refresh token ever issued. */
  readonly #grants = new Map<string, Grant>();

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/authorize") {
      sendAnswer(response, redirectAnswer(this.#authorize(url.searchParams)));
      return;
    }
    const form = new URLSearchParams(await readBody(request));
    // The broker names tokens by the millisecond in which they came: two in the same one would have one name.
    await setTimeout(answerAfterMs);
    const answer = url.pathname === "/token" ? this.#token(form) : this.#revoke(form);
    sendAnswer(response, { status: answer.status, headers: { "Content-Type": "application/json" }, body: JSON.stringify(answer.body) });
  }

  #authorize(query: URLSearchParams): string {
    const code = randomBytes(16).toString("hex");
    this.#codes.add(code);
    const callback = new URL(query.get("redirect_uri") ?? "");
    callback.searchParams.set("code", code);
    callback.searchParams.set("state", query.get("state") ?? "");
    return callback.href;
  }

  #token(form: URLSearchParams) {
    if (form.get("grant_type") === "authorization_code") {
      if (!this.#codes.delete(form.get("code") ?? "")) return invalidGrant();
      const grant: Grant = { refreshToken: "", revoked: false };
      this.newest = grant;
      return this.#issue(grant, firstLifetimeSeconds);
    }
    const refreshToken = form.get("refresh_token") ?? "";
    const grant = this.#grants.get(refreshToken);
    if (grant === undefined || grant.revoked) return invalidGrant();
    if (grant.refreshToken !== refreshToken) {
      this.reuses += 1;
      grant.revoked = true;
      return invalidGrant();
    }
    const answer = this.#issue(grant, laterLifetimeSeconds);
    this.rotated();
    return answer;
  }

  #issue(grant: Grant, lifetimeSeconds: number) {
    grant.refreshToken = `refresh-${randomBytes(32).toString("base64url")}`;
    this.#grants.set(grant.refreshToken, grant);
    this.newestAccessToken = `access-${randomBytes(32).toString("base64url")}`;
    const { refreshToken, newestAccessToken } = { ...grant, newestAccessToken: this.newestAccessToken };
    const body = { access_token: newestAccessToken, refresh_token: refreshToken, token_type: "Bearer", expires_in: lifetimeSeconds };
    return { status: 200, body };
  }

  /** RFC 7009 section 2.2: done, also for tokens that are not known. */
  #revoke(form: URLSearchParams) {
    const grant = this.#grants.get(form.get("token") ?? "");
    if (grant !== undefined) grant.revoked = true;
    return { status: 200, body: {} };
  }
}

function invalidGrant() {
  return { status: 400, body: { error: "invalid_grant" } };
}
