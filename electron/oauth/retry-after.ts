/** `Retry-After` (RFC 9110 section 10.2.3). Invariant: never more than a day, so that no header can put a connection to sleep. */

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

function httpDateMs(text: string): number {
  // An HTTP-date begins with a weekday; Date.parse alone would also read "-5" as a year.
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
}
