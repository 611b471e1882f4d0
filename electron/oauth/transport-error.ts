/**
 * Reads what went wrong below HTTP, from Node's fetch (`cause.code`) and from Electron's `net.fetch`
 * (`net::ERR_…` in the message). Invariant: `not-sent` is said only of errors that cannot happen once a
 * byte of the request has left; everything unknown is `lost`, because sending a spent refresh token again
 * makes a provider end the grant (RFC 9700 section 4.14).
 */

export type TransportFault =
  | { readonly kind: "not-sent"; readonly problem: string }
  /** Electron reports a redirect that is not followed as an error. */
  | { readonly kind: "redirected" }
  | { readonly kind: "lost"; readonly problem: string };

interface Clue {
  readonly code: string;
  readonly duringConnect: boolean;
}

/** Names resolving, connecting, proxy and certificate checks: all of them end before the request is written. */
const beforeSending: readonly (readonly [RegExp, string])[] = [
  [/^(ENOTFOUND|EAI_[A-Z]+)$/, "its name was not found"],
  [/^ECONNREFUSED$/, "connection refused"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "no connection in time"],
  [/^(CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, "its certificate is not trusted"],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/, "its certificate is not trusted"],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE)$/, "no secure connection"],
  [/^ERR_SSL_\w*(ALERT_HANDSHAKE_FAILURE|ALERT_PROTOCOL_VERSION|UNRECOGNIZED_NAME)$/, "no secure connection"],
  [/^net::ERR_(NAME_NOT_RESOLVED|NAME_RESOLUTION_FAILED|ICANN_NAME_COLLISION|DNS_\w+)$/, "its name was not found"],
  [/^net::ERR_(INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE|ADDRESS_INVALID|NETWORK_ACCESS_DENIED)$/, "no network"],
  [/^net::ERR_CONNECTION_(REFUSED|FAILED)$/, "connection refused"],
  // Chromium uses this one for connecting only; a read that times out is ERR_TIMED_OUT.
  [/^net::ERR_CONNECTION_TIMED_OUT$/, "no connection in time"],
  [/^net::ERR_(PROXY_\w+|TUNNEL_CONNECTION_FAILED|SOCKS_CONNECTION_\w+|NO_SUPPORTED_PROXIES|PAC_\w+)$/, "the proxy did not connect"],
  [/^net::ERR_MANDATORY_PROXY_CONFIGURATION_FAILED$/, "the proxy did not connect"],
  [/^net::ERR_(CERT_\w+|CERTIFICATE_TRANSPARENCY_REQUIRED|SSL_PINNED_KEY_NOT_IN_CERT_CHAIN)$/, "its certificate is not trusted"],
  [/^net::ERR_SSL_(SERVER_CERT_BAD_FORMAT|CLIENT_AUTH_CERT_NEEDED)$/, "its certificate is not trusted"],
  [/^net::ERR_SSL_(VERSION_OR_CIPHER_MISMATCH|UNRECOGNIZED_NAME_ALERT|OBSOLETE_\w+)$/, "no secure connection"],
  [/^net::ERR_(UNSAFE_PORT|BLOCKED_BY_\w+|DISALLOWED_URL_SCHEME)$/, "blocked on this computer"],
];

/** @param error whatever `fetch` or its body stream threw; nothing of its text but a known code gets out */
export function transportFault(error: unknown): TransportFault {
  if (messages(error).some((message) => /redirect was cancelled/i.test(message))) return { kind: "redirected" };
  if (messages(error).some((message) => message.includes("before secure TLS connection was established"))) {
    return { kind: "not-sent", problem: "no secure connection" };
  }
  const clues = chain(error).flatMap(cluesOf);
  for (const clue of clues) {
    const problem = problemBeforeSending(clue);
    if (problem !== undefined) return { kind: "not-sent", problem: `${problem}, ${clue.code}` };
  }
  const code = clues.at(-1)?.code;
  return { kind: "lost", problem: code === undefined ? "connection lost" : `connection lost, ${code}` };
}

function problemBeforeSending(clue: Clue): string | undefined {
  const known = beforeSending.find(([pattern]) => pattern.test(clue.code));
  if (known !== undefined) return known[1];
  return clue.duringConnect ? "no connection" : undefined;
}

/** The error, its causes, and the parts of an AggregateError (several addresses tried). */
function chain(error: unknown, depth = 0): readonly object[] {
  // Four levels: fetch's TypeError, its cause, an AggregateError inside, and its parts.
  if (typeof error !== "object" || error === null || depth > 4) return [];
  const parts: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  const inner: readonly unknown[] = "cause" in error ? [error.cause, ...parts] : parts;
  return [error, ...inner.flatMap((part) => chain(part, depth + 1))];
}

function cluesOf(error: object): readonly Clue[] {
  const duringConnect = "syscall" in error && error.syscall === "connect";
  const codes = "code" in error && typeof error.code === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(error.code) ? [error.code] : [];
  const netCodes = "message" in error && typeof error.message === "string" ? (error.message.match(/net::ERR_[A-Z0-9_]{1,60}/g) ?? []) : [];
  return [...codes, ...netCodes].map((code) => ({ code, duringConnect }));
}

function messages(error: unknown): readonly string[] {
  return chain(error).flatMap((part) => ("message" in part && typeof part.message === "string" ? [part.message] : []));
}
