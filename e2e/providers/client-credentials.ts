/**
 * Reads client credentials from HTTP Basic. Invariant: secrets are compared in constant time and appear in no error.
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** `form-encoded` is RFC 6749 section 2.3.1; `raw` is RFC 7617 alone, as some servers expect it. */
export type BasicCredentialsEncoding = "form-encoded" | "raw";

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Parses an `Authorization: Basic` header.
 *
 * @param header the header, or undefined when the request has none
 * @param encoding how id and secret were written before base64
 * @returns the credentials, or undefined when the header is missing or malformed
 */
export function parseBasicCredentials(header: string | undefined, encoding: BasicCredentialsEncoding): ClientCredentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return undefined;
  const clientId = decodePart(pair.slice(0, colon), encoding);
  const clientSecret = decodePart(pair.slice(colon + 1), encoding);
  return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
}

/**
 * Writes an `Authorization: Basic` header value, as a correct client would.
 *
 * @param encoding how id and secret are written before base64
 */
export function basicCredentialsHeader(credentials: ClientCredentials, encoding: BasicCredentialsEncoding = "form-encoded"): string {
  const encode = encoding === "raw" ? (part: string): string => part : formEncode;
  const pair = `${encode(credentials.clientId)}:${encode(credentials.clientSecret)}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

/** Compares two secrets without telling by timing where they differ. */
export function secretsMatch(expected: string, actual: string): boolean {
  return timingSafeEqual(createHash("sha256").update(expected).digest(), createHash("sha256").update(actual).digest());
}

function formEncode(part: string): string {
  return new URLSearchParams({ part }).toString().slice("part=".length);
}

function decodePart(part: string, encoding: BasicCredentialsEncoding): string | undefined {
  if (encoding === "raw") return part;
  // URLSearchParams would accept a stray % silently; a strict server does not.
  if (/%(?![0-9a-f]{2})/i.test(part)) return undefined;
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
