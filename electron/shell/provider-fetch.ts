/**
 * The fetch of provider calls, on Chromium's network stack: it knows the system's proxy and trust store,
 * which dealer networks with TLS inspection need. Invariant: no cookie, no cache and no redirect followed,
 * because a token endpoint that redirects would pass the client secret on.
 */
import type { Net } from "electron";

/**
 * Makes the fetch for provider calls.
 *
 * @returns a `fetch` that rejects as Electron's `net.fetch` does: with `net::ERR_…` in the message for a
 *   network error (Chromium's net_error_list.h), and with "Redirect was cancelled" for a redirect
 *   (lib/browser/api/net-client-request.ts); oauth/transport-error.ts reads both
 */
export function createProviderFetch(net: Pick<Net, "fetch">): typeof fetch {
  return (input, init) =>
    net.fetch(input instanceof URL ? input.href : input, {
      ...init,
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
      bypassCustomProtocolHandlers: true,
    });
}
