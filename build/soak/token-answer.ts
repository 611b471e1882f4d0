/** Reads what a stand-in has answered, by the server's clock. */
import { z } from "zod";

export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
}

const tokenBody = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.union([z.number(), z.string().transform(Number)]),
});

/** Durations are far below the one, times in seconds far below the other (docs of Mazda: both readings occur). */
const epochSeconds = 1e9;
const epochMilliseconds = 1e12;

/**
 * @param nowMs when the answer was made
 * @throws for an answer without tokens, which none of the stand-ins gives
 */
export function readTokenAnswer(body: string, nowMs: number): TokenAnswer {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = tokenBody.parse(JSON.parse(body));
  return { accessToken, refreshToken, expiresAtMs: end(expiresIn, nowMs) };
}

function end(expiresIn: number, nowMs: number): number {
  if (expiresIn > epochMilliseconds) return expiresIn;
  return expiresIn > epochSeconds ? expiresIn * 1000 : nowMs + expiresIn * 1000;
}
