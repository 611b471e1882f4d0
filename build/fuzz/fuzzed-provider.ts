/**
 * The provider of the fuzzed broker, with the browser in which people sign in: HTTP on this computer, in the broker's process.
 *
 * Invariant: every sign-in that was opened in the browser ends by itself within a second.
 */
import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { SystemBrowser } from "../../electron/core/ports.ts";
import { ok } from "../../shared/result.ts";
import type { ProviderEndpoints } from "../../shared/views.ts";
import { secretMarks, tokenMark } from "./marked-secrets.ts";

/** So that what ends a sign-in meets it under way, and comes too late. */
const signInMs = [0, 5, 150] as const;
const slowMs = 5;
/** A second more than programs ask for if they say nothing, so that each token is soon to be renewed. */
export const lifetimeSeconds = 61;

export interface FuzzedProvider {
  readonly endpoints: (owner: string) => ProviderEndpoints;
  readonly tokens: (owner: string, user: string) => { readonly accessToken: string; readonly refreshToken: string };
  readonly browser: SystemBrowser;
}

export async function startFuzzedProvider(): Promise<FuzzedProvider> {
  let number = 0;
  const tokens = (owner: string, user: string) => {
    number += 1;
    return {
      accessToken: `${tokenMark(owner)}${number}-${"t".repeat(1_150)}`,
      refreshToken: `${secretMarks.refreshToken}${number}-${user}`,
    };
  };
  const server = createServer((request, response) => {
    // No connection outlives its answer: what is left at the end of a batch is not ours.
    response.setHeader("connection", "close");
    const [, owner = "", what = ""] = (request.url ?? "").split("/");
    void text(request).then((body) => (what === "token" ? answerToken(owner, new URLSearchParams(body)) : response.end()));
    const answerToken = (of: string, asked: URLSearchParams): void => {
      const user = asked.get("refresh_token")?.replace(/^.*?-\d+-/, "") ?? "signed-in";
      number += 1;
      if (user.endsWith("-ended") || (user === "signed-in" && number % 4 === 0)) return send(response, 400, { error: "invalid_grant" });
      // Not for the first user, whose token the polite client asks for.
      const isUnkind = /-(?:slow|goes)$/.test(user);
      if (isUnkind && number % 16 === 0) return void response.destroy();
      if (isUnkind && number % 8 === 0) return send(response, 503, {});
      const { accessToken, refreshToken } = tokens(of, user);
      const answer = { access_token: accessToken, refresh_token: refreshToken, token_type: "Bearer", expires_in: lifetimeSeconds };
      setTimeout(() => send(response, 200, answer), user.endsWith("-slow") ? slowMs : 0);
    };
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // listening on TCP
  const endpoints = (owner: string): ProviderEndpoints => {
    const base = `http://127.0.0.1:${port}/${owner}`;
    return { authorizationEndpoint: `${base}/authorize`, tokenEndpoint: `${base}/token`, revocationEndpoint: `${base}/revoke` };
  };
  const open: SystemBrowser["open"] = async (url) => {
    number += 1;
    setTimeout(() => signIn(new URL(url), number), signInMs[number % signInMs.length]);
    return ok();
  };
  return { endpoints, tokens, browser: { open } };
}

/** Comes back from the provider as a browser does; now and then with a refusal, or twice. */
function signIn({ searchParams }: URL, number: number): void {
  const callback = new URL(searchParams.get("redirect_uri") ?? "");
  callback.searchParams.set("state", searchParams.get("state") ?? "");
  if (number % 8 === 0) callback.searchParams.set("error", "access_denied");
  else callback.searchParams.set("code", `${secretMarks.code}${number}`);
  for (let times = number % 5 === 0 ? 2 : 1; times > 0; times -= 1) visit(callback);
}

/** Follows the redirect to the page, which waits until the sign-in has ended. */
function visit(address: URL): void {
  const request = get(address, { agent: false }, (response) => {
    response.resume();
    const { location } = response.headers;
    if (location !== undefined) visit(new URL(location, address));
  });
  // The sign-in may have ended meanwhile.
  request.on("error", () => undefined);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
