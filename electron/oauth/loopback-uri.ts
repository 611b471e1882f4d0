/**
 * Redirect URIs on this computer (RFC 8252 section 7.3). Invariant: the text of a URI is kept as
 * registered but for an inserted port, because providers compare it character by character.
 */

export interface LoopbackUri {
  readonly registered: string;
  readonly scheme: "http" | "https";
  readonly host: "127.0.0.1" | "[::1]" | "localhost";
  /** 0 when none was registered: any free one. */
  readonly port: number;
  /** As a browser sends it. */
  readonly path: string;
}

/** Read from the text, since `URL` hides a port that is its scheme's default. */
const form = /^(https?):\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::(\d{1,5}))?(?=[/?]|$)/i;

/** @returns undefined unless `registered` is http or https on loopback, without a fragment (RFC 6749 section 3.1.2) */
export function parseLoopbackUri(registered: string): LoopbackUri | undefined {
  const match = form.exec(registered);
  if (match === null || registered.includes("#") || !URL.canParse(registered)) return undefined;
  const { protocol, hostname, pathname } = new URL(registered);
  return {
    registered,
    scheme: protocol === "https:" ? "https" : "http",
    // The pattern allows these three only; `URL` has lower-cased them.
    host: hostname as LoopbackUri["host"],
    port: Number(match[3] ?? 0),
    path: pathname,
  };
}

/** The redirect URI to send to the provider, with the port that is listened on. */
export function uriWithPort(uri: LoopbackUri, port: number): string {
  if (uri.port !== 0) return uri.registered;
  return uri.registered.replace(form, (_match, scheme: string, host: string) => `${scheme}://${host}:${port}`);
}

/** What a browser puts into `Host` for this URI. */
export function authority(uri: LoopbackUri, port: number): string {
  const isDefault = port === (uri.scheme === "https" ? 443 : 80);
  return isDefault ? uri.host : `${uri.host}:${port}`;
}
