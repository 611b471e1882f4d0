/**
 * Chromium knows no scheme but its own, so a page of `app://host/…` lives at `https://host.app.scheme.invalid/…`
 * there. Invariant: the two spellings map one to one, and `.invalid` never resolves (RFC 2606), so a request
 * that is not answered by the host reaches nobody.
 */
const suffix = ".scheme.invalid";

/** The address Chromium is sent to for an app URL; other URLs stay as they are. */
export function toBrowserUrl(appUrl: string): string {
  const { protocol, host, pathname, search, hash } = new URL(appUrl);
  if (["http:", "https:", "about:", "data:", "blob:"].includes(protocol)) return appUrl;
  return `https://${host}.${protocol.slice(0, -1)}${suffix}${pathname}${search}${hash}`;
}

/** The app URL that an address in Chromium stands for; other URLs stay as they are. */
export function toAppUrl(browserUrl: string): string {
  if (!URL.canParse(browserUrl)) return browserUrl;
  const { hostname, pathname, search, hash } = new URL(browserUrl);
  if (!hostname.endsWith(suffix)) return browserUrl;
  const name = hostname.slice(0, -suffix.length);
  const dot = name.lastIndexOf(".");
  return `${name.slice(dot + 1)}://${name.slice(0, dot)}${pathname}${search}${hash}`;
}

/** The scheme of an app URL: `app` for `app://host/…`. */
export function schemeOf(url: string): string {
  return new URL(url).protocol.slice(0, -1);
}
