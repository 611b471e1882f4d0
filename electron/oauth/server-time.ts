/**
 * What time it is at a provider, by the `Date` header (RFC 9110 section 6.6.1). Invariant: a time counts only when the endpoint
 * itself has told it just now, never one of a cache, a portal or (but for a question about nothing else) a page.
 */
import { httpDateMs } from "./http-date.ts";
import { isHtml } from "./media-type.ts";

/**
 * @param response of a request that was sent without following redirects
 * @returns Unix time in milliseconds, in whole seconds; undefined when there is none to go by
 */
export function serverTimeMs({ headers, status }: Pick<Response, "headers" | "status">): number | undefined {
  if ((status >= 300 && status < 400) || status === 511 || isHtml(headers.get("content-type"))) return undefined;
  return freshDateMs(headers);
}

/**
 * The same for a request that asked for nothing but the time. Token endpoints mostly answer it with an error page (404, 405), so a
 * page counts if its status is an error: over https its certificate was checked, and loopback is this computer. Portals say 200
 * or 511, or redirect.
 */
export function askedServerTimeMs(response: Pick<Response, "headers" | "status">): number | undefined {
  const isError = response.status >= 400 && response.status < 600 && response.status !== 511;
  return isError ? freshDateMs(response.headers) : serverTimeMs(response);
}

function freshDateMs(headers: Response["headers"]): number | undefined {
  const date = headers.get("date");
  // A stored answer has the date of the day it was stored (RFC 9111 section 5.1).
  if (date === null || headers.has("age")) return undefined;
  const dateMs = httpDateMs(date.trim());
  return Number.isFinite(dateMs) ? dateMs : undefined;
}
