/** When to refresh, and how long to wait after a failure. Pure: times in, times out. */
import type { Grant } from "./connection-state.ts";

/** A token handed out must last at least this long unless the program asks for more (a slow API call fits in). */
export const defaultMinValiditySeconds = 60;
/** Background refresh starts when this share of the token's life has passed … */
const refreshAtShareOfLife = 0.8;
/** … and at the latest this long before its end, so that a short outage is not noticed. */
const refreshBeforeEndMs = 5 * 60_000;
/** Up to this share of the wait goes: connections that were made together are not renewed together. */
const jitterShare = 0.05;
/** Where power or data are to be saved, a token that programs ask for is renewed this late. */
const savingShareOfLife = 0.95;
const grantShareOfLife = 0.5;
const shortestGrantWaitMs = 60_000;
/** A program that has asked within this time is likely to ask again. */
const usedWithinMs = 24 * 60 * 60_000;
/** An InDoubt grant is tried again only this close to the end of its access token: until then nothing is risked. */
export const inDoubtRetryBeforeEndMs = 30_000;
/** Clocks of computers and providers are set a little differently: no token is from the future because of that. */
const futureMs = 10 * 60_000;
const shortestRetryMs = 1_000;
const firstRetryMs = 2_000;
const longestRetryMs = 5 * 60_000;
/** However long the back-off, a program that asks may cause one try this often. */
const callerRetryMs = 10_000;
const dayMs = 24 * 60 * 60_000;

/** Whether the access token still lasts `minValiditySeconds`. */
export function isFreshEnough(grant: Grant, nowMs: number, minValiditySeconds: number): boolean {
  return grant.accessTokenExpiresAtMs - nowMs >= minValiditySeconds * 1000;
}

/**
 * What a program asked for, as far as this provider's tokens can give it: a program that asks for more than half of a
 * token's life would otherwise cause a refresh with every request.
 */
export function reachableValiditySeconds(grant: Grant, minValiditySeconds: number): number {
  const halfLifeSeconds = (grant.accessTokenExpiresAtMs - grant.obtainedAtMs) / 2000;
  return Math.min(minValiditySeconds, Math.max(defaultMinValiditySeconds, halfLifeSeconds));
}

/** Whether the access token has not ended yet, so that it can be served when nothing better can be had. */
export function isStillValid(grant: Grant, nowMs: number): boolean {
  return grant.accessTokenExpiresAtMs > nowMs;
}

/** What a background refresh is planned on. */
export interface RefreshPlan {
  readonly nowMs: number;
  readonly keepAliveDays: number;
  /** 0 ≤ value < 1, drawn once for each grant. */
  readonly random: number;
  /** Power or data are to be saved. */
  readonly isSaving: boolean;
  /** When a program last asked for this connection; undefined: not in this run. */
  readonly lastAskedAtMs: number | undefined;
}

/**
 * When the background refresh of a grant is due (Unix milliseconds): at 80% of the access token's life, at the latest five
 * minutes before its end, and at least every `keepAliveDays`, all a little sooner by jitter; never for a grant that cannot be
 * renewed. While the computer saves, tokens that programs use are renewed later, and the others only to keep the grant alive.
 */
export function refreshDueAtMs(grant: Grant, plan: RefreshPlan): number | undefined {
  if (grant.refreshToken === undefined) return undefined;
  // Whatever clock this was obtained by, it was wrong, and so may be its end.
  if (grant.obtainedAtMs - plan.nowMs > futureMs) return plan.nowMs;
  const waitMs = Math.min(renewalWaitMs(grant, plan), plan.keepAliveDays * dayMs, grantWaitMs(grant));
  return grant.obtainedAtMs + waitMs * (1 - jitterShare * plan.random);
}

/** Half of the grant's own life, where the provider has told it: an access token may outlive what it is renewed with. */
function grantWaitMs({ grantExpiresAtMs, grantExpiryIsEstimate, obtainedAtMs }: Grant): number {
  if (grantExpiresAtMs === undefined || grantExpiryIsEstimate) return Number.POSITIVE_INFINITY;
  // Not shorter than this, whatever the provider says: some count down to the end of a session.
  return Math.max((grantExpiresAtMs - obtainedAtMs) * grantShareOfLife, shortestGrantWaitMs);
}

function renewalWaitMs(grant: Grant, { isSaving, lastAskedAtMs, nowMs }: RefreshPlan): number {
  const lifeMs = grant.accessTokenExpiresAtMs - grant.obtainedAtMs;
  if (isSaving) {
    const isUsed = lastAskedAtMs !== undefined && nowMs - lastAskedAtMs < usedWithinMs;
    return isUsed ? lifeMs * savingShareOfLife : Number.POSITIVE_INFINITY;
  }
  const beforeEnd = lifeMs > 2 * refreshBeforeEndMs ? lifeMs - refreshBeforeEndMs : Number.POSITIVE_INFINITY;
  return Math.min(lifeMs * refreshAtShareOfLife, beforeEnd);
}

/**
 * How long to wait after the `failures`-th failure in a row (1, 2, …): anything up to a doubling bound ("full jitter"), never
 * less than what the provider asked for.
 *
 * @param random 0 ≤ random < 1
 * @returns milliseconds
 */
export function retryDelayMs(failures: number, random: number, retryAfterSeconds = 0): number {
  const bound = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 16));
  return Math.max(shortestRetryMs, bound * random, retryAfterSeconds * 1000);
}

/**
 * When a program's request may cause the next try (Unix milliseconds): sooner than the background would, but never
 * before the provider's own Retry-After.
 */
export function callerRetryAtMs(failedAtMs: number, nextTryAtMs: number, retryAfterSeconds = 0): number {
  return Math.max(Math.min(nextTryAtMs, failedAtMs + callerRetryMs), failedAtMs + retryAfterSeconds * 1000);
}
