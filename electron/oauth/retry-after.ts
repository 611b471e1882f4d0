/** `Retry-After` (RFC 9110 section 10.2.3). Invariant: never more than a day, so that no header can put a connection to sleep. */
import { httpDateMs } from "./http-date.ts";

const longestSeconds = 86_400;

/**
 * @param header delay in seconds or an HTTP-date
 * @returns whole seconds from `nowMs`, 1 to 86400; undefined when absent, past or unreadable
 */
export function retryAfterSeconds(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Math.ceil((httpDateMs(text) - nowMs) / 1000);
  return seconds >= 1 ? Math.min(seconds, longestSeconds) : undefined;
}
