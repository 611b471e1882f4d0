/**
 * When tokens end. Invariant: an access token's end is always after `nowMs` and at most 400 days away;
 * whatever a provider sends that would break this counts as not sent.
 */
import type { GrantLifetime, ProviderDefinition } from "../core/provider-definition.ts";

export interface End {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly isEstimate: boolean;
}

const dayMs = 86_400_000;
/** Assumed when nothing usable was sent: short enough to find out soon, long enough not to hammer the provider. */
const unknownLifetimeMs = 600_000;
const longestLifetimeMs = 400 * dayMs;
/** What is left at least of a life that has passed before the answer was here; nothing could be done with less. */
const shortestLeftMs = 1_000;
/** Larger values of `refresh_expires_in` are a way of saying "no end". */
const longestGrantMs = 3650 * dayMs;
/** As a time 1e9 seconds is in 2001, as a duration 31 years: what is above can only be a time. Likewise 1e12 for milliseconds. */
const epochSeconds = 1_000_000_000;
const epochMilliseconds = 1_000_000_000_000;

/**
 * @param expiresIn `expires_in` as sent: a number or numeric string, or anything else (unknown: 10 minutes)
 * @param reading see `ProviderDefinition.expiresIn`
 * @param nowMs when the response arrived
 * @param tookMs from sending the request until then. Seconds count from when the response was generated (RFC 6749 section
 *   5.1), and that may be as long ago
 */
export function accessTokenEnd(expiresIn: unknown, reading: ProviderDefinition["expiresIn"], nowMs: number, tookMs: number): End {
  const value = numeric(expiresIn);
  const atMs = value === undefined ? Number.NaN : readEnd(value, reading, nowMs, tookMs);
  const isUsable = atMs > nowMs && atMs <= nowMs + longestLifetimeMs;
  return isUsable ? { atMs: Math.ceil(atMs), isEstimate: false } : { atMs: nowMs + unknownLifetimeMs, isEstimate: true };
}

function readEnd(value: number, reading: ProviderDefinition["expiresIn"], nowMs: number, tookMs: number): number {
  if (reading === "seconds-or-epoch" && value > epochMilliseconds) return value;
  if (reading === "seconds-or-epoch" && value > epochSeconds) return value * 1000;
  const lifeMs = value * 1000;
  return nowMs + Math.max(lifeMs - tookMs, Math.min(lifeMs, shortestLeftMs));
}

/**
 * @param refreshExpiresIn `refresh_expires_in` as sent; 0 or nothing usable means an idle timeout only
 * @param nowMs when the response arrived
 */
export function grantEnd(lifetime: GrantLifetime, refreshExpiresIn: unknown, nowMs: number): End {
  if (lifetime.kind === "estimate") return { atMs: nowMs + lifetime.days * dayMs, isEstimate: true };
  const lifetimeMs = Math.ceil((numeric(refreshExpiresIn) ?? 0) * 1000);
  const isFixed = lifetimeMs > 0 && lifetimeMs <= longestGrantMs;
  return isFixed ? { atMs: nowMs + lifetimeMs, isEstimate: false } : { atMs: nowMs + lifetime.idleDays * dayMs, isEstimate: true };
}

function numeric(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || !/^\s*-?\d{1,20}(\.\d{1,9})?\s*$/.test(value)) return undefined;
  return Number(value);
}
