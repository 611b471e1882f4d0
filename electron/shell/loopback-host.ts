/**
 * True for the names of this very computer, as `URL.hostname` or a certificate request spells them
 * (RFC 8252 section 7.3; all of 127/8 is loopback, RFC 1122 section 3.2.1.3).
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
