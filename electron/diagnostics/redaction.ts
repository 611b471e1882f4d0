/**
 * Takes everything out of a text that could be a token, code, secret, state or query string.
 *
 * Invariant: what looks like one is replaced, even at the cost of readability; scrubbing a scrubbed text changes nothing
 * that matters. Kept readable: words, file paths, failure codes, ids made of words, host names.
 */

const removed = "[redacted]";

/** Longer texts are cut: a log line is no place for a body, and the patterns' cost stays bounded. */
const maxLength = 8_000;

type Rule = readonly [pattern: RegExp, replacement: string | ((...match: string[]) => string)];

const secretNames =
  "access_?token|refresh_?token|id_?token|token|client_?secret|secret|client_?key|api_?key|password|passphrase|code_?verifier|code_?challenge|nonce|assertion|authorization|cookie|proof";

const rules: readonly Rule[] = [
  // JSON Web Token (RFC 7519), whole or cut.
  [/\beyJ[\w-]{6,}(?:\.[\w-]*)*/g, removed],
  // HTTP credentials (RFC 9110 section 11.4).
  [/\b(Bearer|Basic|DPoP|Digest|Negotiate)\s+[^\s"',;]+/gi, `$1 ${removed}`],
  // User information, query and fragment of a URL (RFC 3986).
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@"'<>]+@/gi, `$1${removed}@`],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/gi, `$1?${removed}`],
  [/[?#&][\w.~%-]+=[^\s"'<>]*/g, `?${removed}`],
  // Parameters of OAuth requests and answers, as form or JSON. `code` and `state` are everyday words: only with `=` or quotes.
  [/\b(code|state)\s*=\s*[^\s"'&,;]+/gi, `$1=${removed}`],
  [/"(code|state)"\s*:\s*"[^"]*"?/gi, `"$1":"${removed}"`],
  [new RegExp(`\\b(${secretNames})(["']?\\s*[=:]\\s*["']?)[^\\s"'&,;}]+`, "gi"), `$1$2${removed}`],
  // Long runs of base64, base64url or hexadecimal digits.
  [/[A-Za-z0-9+/_-]{24,}={0,2}/g, (run) => (run !== undefined && readsAsWords(run) ? run : removed)],
];

/** The text without anything that looks secret. */
export function scrubText(text: string): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return rules.reduce((scrubbed, [pattern, replacement]) => {
    // The two kinds of replacement are two overloads of one method.
    return typeof replacement === "string" ? scrubbed.replace(pattern, replacement) : scrubbed.replace(pattern, replacement);
  }, short);
}

const secretField = new RegExp(`(?:${secretNames})$`, "i");

/** Whether a log field of this name is dropped whatever it holds. */
export function isSecretField(name: string): boolean {
  return secretField.test(name);
}

export interface ScrubbedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** Name, code, message and stack of an error, scrubbed. Never its cause or other fields: libraries keep whole answers there. */
export function scrubError(error: unknown): ScrubbedError {
  if (!(error instanceof Error)) return { name: typeof error, message: typeof error === "string" ? scrubText(error) : "" };
  const code = "code" in error && typeof error.code === "string" ? scrubText(error.code) : undefined;
  return {
    name: scrubText(error.name),
    message: scrubText(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: scrubText(error.stack) }),
  };
}

/**
 * Lower-case words joined by `-` or `_` (failure codes, file names), and paths of plainly cased names. A random run of 24
 * digits passes this with a chance below one in a hundred million.
 */
function readsAsWords(run: string): boolean {
  if (!run.includes("/")) return isLowerCaseWords(run);
  const names = run
    .replace(/^\/{1,3}/, "")
    .replace(/\/$/, "")
    .split("/");
  return names.every((name) => isLowerCaseWords(name) || isCasedName(name));
}

function isLowerCaseWords(text: string): boolean {
  return /^_?[a-z]{1,20}(?:[_-][a-z]{1,20})*$/.test(text);
}

function isCasedName(name: string): boolean {
  return name.length < 20 && /^(?:[a-z]+|[A-Z][a-z]{2,})(?:[A-Z][a-z]{2,})?\d{0,6}$/.test(name);
}
