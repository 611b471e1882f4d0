/**
 * Reads what went wrong below HTTP, from Node's fetch (`cause.code`) and from Electron's `net`
 * (`net::ERR_…` in the message). Invariant: `not-sent` is said only of errors that cannot happen once a
 * byte of the request has left; everything unknown is `lost`, because sending a spent refresh token again
 * makes a provider end the grant (RFC 9700 section 4.14).
 *
 * `net::ERR_NETWORK_CHANGED` and `net::ERR_NETWORK_IO_SUSPENDED` are `lost` for that reason: Chromium says both of requests that
 * wait for their answer, too.
 */

/** Who has to do something about it. */
export type NotSentCause =
  /** There is no network, or none that resolves names. */
  | "offline"
  | "proxy-sign-in"
  /** The certificate is not valid today: mostly the computer's date is wrong. */
  | "certificate-date"
  | "unreachable";

export type TransportFault =
  | {
      readonly kind: "not-sent";
      readonly cause: NotSentCause;
      readonly problem: string;
      /** Host and port of the proxy that wants a sign-in, where they are known. */
      readonly proxy?: string;
    }
  /** Electron reports a redirect that is not followed as an error. */
  | { readonly kind: "redirected" }
  | { readonly kind: "lost"; readonly problem: string };

type Patterns = readonly (readonly [RegExp, string])[];

interface Clue {
  readonly code: string;
  readonly duringConnect: boolean;
}

/**
 * No way to the internet. A name that cannot be resolved counts: the providers' names exist, and systems without a network mostly
 * say just that (macOS and Windows ENOTFOUND, Linux EAI_AGAIN); a mistyped endpoint looks the same, and `dms-connect doctor`
 * tells. Not here: `net::ERR_ADDRESS_UNREACHABLE`, which Chromium says of one silent host (EHOSTUNREACH) as of a missing route
 * (ENETUNREACH), and one host proves nothing; the proxy's errors, since the network is there.
 */
const offline: Patterns = [
  [/^(ENOTFOUND|EAI_[A-Z]+)$/, "its name was not found"],
  [/^net::ERR_(NAME_NOT_RESOLVED|NAME_RESOLUTION_FAILED)$/, "its name was not found"],
  [/^net::ERR_DNS_(TIMED_OUT|SERVER_FAILED|SERVER_REQUIRES_TCP|MALFORMED_RESPONSE)$/, "its name was not found"],
  [/^net::ERR_INTERNET_DISCONNECTED$/, "no network"],
];

/** These, too, when every address that was tried says so; a connection that is open already can end with them as well. */
const noRoute = /^(ENETUNREACH|ENETDOWN|ENONET)$/;

const proxySignIn: Patterns = [[/^net::ERR_PROXY_AUTH_(REQUESTED|UNSUPPORTED)$/, "the proxy wants a sign-in"]];

const certificateDate: Patterns = [
  [/^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED|net::ERR_CERT_DATE_INVALID)$/, "its certificate is not valid today"],
];

/** Connecting, proxy and certificate checks: all of them end before the request is written. */
const unreachable: Patterns = [
  [/^ECONNREFUSED$/, "connection refused"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "no connection in time"],
  [/^(CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, "its certificate is not trusted"],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/, "its certificate is not trusted"],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE)$/, "no secure connection"],
  [/^ERR_SSL_\w*(ALERT_HANDSHAKE_FAILURE|ALERT_PROTOCOL_VERSION|UNRECOGNIZED_NAME)$/, "no secure connection"],
  [/^net::ERR_(ICANN_NAME_COLLISION|DNS_(?!TIMED_OUT|SERVER_|MALFORMED)\w+)$/, "its name was not found"],
  [/^net::ERR_(ADDRESS_UNREACHABLE|ADDRESS_INVALID)$/, "its address cannot be reached"],
  [/^net::ERR_CONNECTION_(REFUSED|FAILED)$/, "connection refused"],
  // Chromium uses this one for connecting only; a read that times out is ERR_TIMED_OUT.
  [/^net::ERR_CONNECTION_TIMED_OUT$/, "no connection in time"],
  [/^net::ERR_(PROXY_\w+|TUNNEL_CONNECTION_FAILED|SOCKS_CONNECTION_\w+|NO_SUPPORTED_PROXIES|PAC_\w+)$/, "the proxy did not connect"],
  [/^net::ERR_MANDATORY_PROXY_CONFIGURATION_FAILED$/, "the proxy did not connect"],
  [/^net::ERR_(CERT_\w+|CERTIFICATE_TRANSPARENCY_REQUIRED|SSL_PINNED_KEY_NOT_IN_CERT_CHAIN)$/, "its certificate is not trusted"],
  [/^net::ERR_SSL_(SERVER_CERT_BAD_FORMAT|CLIENT_AUTH_CERT_NEEDED)$/, "its certificate is not trusted"],
  [/^net::ERR_SSL_(VERSION_OR_CIPHER_MISMATCH|UNRECOGNIZED_NAME_ALERT|OBSOLETE_\w+)$/, "no secure connection"],
  [/^net::ERR_(NETWORK_ACCESS_DENIED|UNSAFE_PORT|BLOCKED_BY_\w+|DISALLOWED_URL_SCHEME)$/, "blocked on this computer"],
];

/** The first that fits counts. */
const beforeSending: readonly (readonly [NotSentCause, Patterns])[] = [
  ["offline", offline],
  ["proxy-sign-in", proxySignIn],
  ["certificate-date", certificateDate],
  ["unreachable", unreachable],
];

/** @param error whatever `fetch` or its body stream threw; nothing of its text but a known code gets out */
export function transportFault(error: unknown): TransportFault {
  if (messages(error).some((message) => /redirect was cancelled/i.test(message))) return { kind: "redirected" };
  if (messages(error).some((message) => message.includes("before secure TLS connection was established"))) {
    return { kind: "not-sent", cause: "unreachable", problem: "no secure connection" };
  }
  const clues = chain(error).flatMap(cluesOf);
  for (const [cause, patterns] of beforeSending) {
    const problem = knownProblem(clues, patterns);
    if (problem !== undefined) return { kind: "not-sent", cause, problem, ...(cause === "proxy-sign-in" ? proxyOf(error) : {}) };
  }
  const connecting = clues.filter(({ duringConnect }) => duringConnect);
  const [first] = connecting;
  if (first !== undefined) return noConnection(first.code, connecting);
  const code = clues.at(-1)?.code;
  return { kind: "lost", problem: code === undefined ? "connection lost" : `connection lost, ${code}` };
}

function noConnection(firstCode: string, connecting: readonly Clue[]): TransportFault {
  // One address of several that only stays silent shows that packets leave.
  const hasNoRoute = connecting.every(({ code }) => noRoute.test(code));
  if (hasNoRoute) return { kind: "not-sent", cause: "offline", problem: `no network, ${firstCode}` };
  return { kind: "not-sent", cause: "unreachable", problem: `no connection, ${firstCode}` };
}

function knownProblem(clues: readonly Clue[], patterns: Patterns): string | undefined {
  for (const { code } of clues) {
    const known = patterns.find(([pattern]) => pattern.test(code));
    if (known !== undefined) return `${known[1]}, ${code}`;
  }
  return undefined;
}

/** Host and port as shell/provider-fetch.ts puts them on its error; anything else is not passed on. */
function proxyOf(error: unknown): { readonly proxy?: string } {
  if (typeof error !== "object" || error === null || !("proxy" in error) || typeof error.proxy !== "string") return {};
  return /^[A-Za-z0-9._:[\]-]{1,260}$/.test(error.proxy) ? { proxy: error.proxy } : {};
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
