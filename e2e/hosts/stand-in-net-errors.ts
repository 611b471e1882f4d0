/** Chromium's names for what Node's http, https and dns report. */

const chromiumNames: Readonly<Record<string, string>> = {
  ENOTFOUND: "ERR_NAME_NOT_RESOLVED",
  EAI_AGAIN: "ERR_NAME_NOT_RESOLVED",
  ECONNREFUSED: "ERR_CONNECTION_REFUSED",
  ECONNRESET: "ERR_CONNECTION_RESET",
  EPIPE: "ERR_CONNECTION_RESET",
  ETIMEDOUT: "ERR_CONNECTION_TIMED_OUT",
  ENETDOWN: "ERR_INTERNET_DISCONNECTED",
  // Chromium's own mapping makes no difference between these two (net/base/net_errors_posix.cc).
  ENETUNREACH: "ERR_ADDRESS_UNREACHABLE",
  EHOSTUNREACH: "ERR_ADDRESS_UNREACHABLE",
};

/** @returns the error as Electron's `net` would report it; one that is Chromium's already stays */
export function chromiumError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("net::ERR_FAILED");
  if (error.message.startsWith("net::")) return error;
  // Node puts its error word into `code`.
  const { code } = error as { readonly code?: string };
  // A peer that closes before it answers is ECONNRESET "socket hang up" in Node and an empty response in Chromium.
  if (error.message === "socket hang up") return new Error("net::ERR_EMPTY_RESPONSE");
  if (code === undefined) return new Error("net::ERR_FAILED");
  return new Error(chromiumNames[code] === undefined ? certificateError(code) : `net::${chromiumNames[code]}`);
}

/** @param code Node's word for what is wrong with a certificate */
export function certificateError(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "net::ERR_CERT_COMMON_NAME_INVALID";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") return "net::ERR_CERT_DATE_INVALID";
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return "net::ERR_CERT_AUTHORITY_INVALID";
  return code === "EPROTO" || code.startsWith("ERR_SSL") ? "net::ERR_SSL_PROTOCOL_ERROR" : "net::ERR_FAILED";
}
