/**
 * Serves the window's files under `app://dms-connect/`. Invariant: only files inside the renderer folder
 * are read, and every answer carries the Content-Security-Policy.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, resolve, sep } from "node:path";
import type { Protocol } from "electron";

export const appScheme = "app";
export const appOrigin = "app://dms-connect";
export const appUrl = `${appOrigin}/index.html`;

/** Makes `app:` a scheme with an origin of its own. Must be called before the app is ready. */
export function registerAppScheme(protocol: Pick<Protocol, "registerSchemesAsPrivileged">): void {
  protocol.registerSchemesAsPrivileged([{ scheme: appScheme, privileges: { standard: true, secure: true } }]);
}

/**
 * Starts answering `app://dms-connect/…` from `rendererFolder`. Must be called after the app is ready.
 *
 * @param rendererFolder absolute path of the built window
 */
export function serveApp(protocol: Pick<Protocol, "handle">, rendererFolder: string): void {
  protocol.handle(appScheme, createAppFileHandler(rendererFolder));
}

/** Makes the function that answers one request for a file of the window; anything it does not know is 404. */
export function createAppFileHandler(rendererFolder: string): (request: Request) => Promise<Response> {
  const root = resolve(rendererFolder);
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return refusal(405);
    const file = fileOf(root, request.url);
    const contentType = file === undefined ? undefined : contentTypes[extname(file)];
    if (file === undefined || contentType === undefined) return refusal(404);
    try {
      return fileResponse(await readFile(file), contentType);
    } catch {
      return refusal(404);
    }
  };
}

const noncePlaceholder = "__CSP_NONCE__";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".ttf": "font/ttf",
};

/** The file a URL names, or `undefined` if the URL is not the app's or would leave its folder. */
function fileOf(root: string, url: string): string | undefined {
  const { protocol, host, pathname } = new URL(url);
  if (`${protocol}//${host}` !== appOrigin) return undefined;
  const path = decodePath(pathname);
  // Percent-encoded separators, drive letters and NUL survive URL normalisation.
  if (path === undefined || /[\\:\0]/.test(path)) return undefined;
  const file = resolve(root, `.${path}`);
  return file.startsWith(root + sep) ? file : undefined;
}

function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}

function fileResponse(content: Buffer<ArrayBuffer>, contentType: string): Response {
  const nonce = randomBytes(16).toString("base64");
  const isPage = contentType.startsWith("text/html");
  const body = isPage ? content.toString("utf8").replaceAll(noncePlaceholder, nonce) : content;
  return new Response(body, { headers: headers(contentType, nonce) });
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: headers("text/plain; charset=utf-8", randomBytes(16).toString("base64")) });
}

function headers(contentType: string, nonce: string): Record<string, string> {
  return {
    "Content-Type": contentType,
    "Content-Security-Policy": contentSecurityPolicy(nonce),
    "X-Content-Type-Options": "nosniff",
    // The nonce is for one load, and the files change with each version.
    "Cache-Control": "no-store",
  };
}

function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
