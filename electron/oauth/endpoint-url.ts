/** Invariant: a request that carries credentials or tokens goes to https, or to this computer itself. */

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * @param text address of an endpoint
 * @returns the URL, or undefined unless it is https, or http on loopback (RFC 6749 section 3.2, RFC 8252 section 8.3)
 */
export function allowedEndpoint(text: string | undefined): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // Credentials in the address would end up in logs of proxies.
  if (url.username !== "" || url.password !== "") return undefined;
  if (url.protocol === "https:") return url;
  return url.protocol === "http:" && isLoopbackHost(url.hostname) ? url : undefined;
}

/** Whether a URL's `hostname` is one of this computer's own names for itself. */
export function isLoopbackHost(hostname: string): boolean {
  return loopbackHosts.has(hostname);
}
