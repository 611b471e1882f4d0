/**
 * What the broker sends to a token endpoint, seen from outside it: the requests of the `fetch` it was given. Invariant: it
 * only looks; every request goes on unchanged.
 */
import { vi } from "vitest";
import { z } from "zod";

interface RefreshRequest {
  readonly refreshToken: string;
  /** What came back, once it has; absent when the connection was lost. */
  answer?: { readonly status: number; readonly refreshToken: string | undefined };
}

export interface TokenRequests {
  readonly refreshes: () => readonly RefreshRequest[];
  /** The newest refresh token that the broker was given, at an exchange or a refresh. */
  readonly newestRefreshToken: () => string;
  /** How often a refresh token was sent that an answer had replaced before. */
  readonly spentTokensSent: () => number;
}

const tokenAnswer = z.looseObject({ refresh_token: z.string().optional() });

/** Watches the requests of brokers that are opened from now on, until the test ends. */
export function watchTokenRequests(tokenEndpoint: string): TokenRequests {
  const refreshes: RefreshRequest[] = [];
  const replaced = new Set<string>();
  let newest = "";
  let spent = 0;
  const unwatched = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
    if (url !== tokenEndpoint || typeof init?.body !== "string") return unwatched(url, init);
    const refreshToken = new URLSearchParams(init.body).get("refresh_token");
    const request = refreshToken === null ? undefined : { refreshToken };
    if (request !== undefined) refreshes.push(request);
    if (replaced.has(refreshToken ?? "")) spent += 1;
    const response = await unwatched(url, init);
    const given = response.ok ? await givenRefreshToken(response.clone()) : undefined;
    if (request !== undefined) Object.assign(request, { answer: { status: response.status, refreshToken: given } });
    if (given !== undefined) {
      if (refreshToken !== null && given !== refreshToken) replaced.add(refreshToken);
      newest = given;
    }
    return response;
  });
  return { refreshes: () => [...refreshes], newestRefreshToken: () => newest, spentTokensSent: () => spent };
}

async function givenRefreshToken(response: Response): Promise<string | undefined> {
  try {
    return tokenAnswer.parse(await response.json()).refresh_token;
  } catch {
    // Not a token response: whatever it is, it gave no token.
    return undefined;
  }
}
