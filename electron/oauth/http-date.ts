/** HTTP-dates (RFC 9110 section 5.6.7). Invariant: what is no HTTP-date is NaN, however much `Date.parse` would make of it. */

/** @returns Unix time in milliseconds, in whole seconds */
export function httpDateMs(text: string): number {
  // It begins with a weekday; Date.parse alone would also read "-5" as a year.
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
}
