/** Reads requests and writes answers of the stand-in providers. Invariant: every answer forbids caching (RFC 6749 section 5.1). */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Longest form the stand-ins read; a real one is far shorter. */
const maxBodyBytes = 256 * 1024;

/** An answer that is ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Reads a whole request body.
 *
 * @returns the body as UTF-8 text
 * @throws when it is longer than 256 KiB or the client went away
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of request) {
    // No encoding is set on the stream, so chunks are Buffers.
    const bytes = chunk as Buffer;
    received += bytes.length;
    if (received > maxBodyBytes) throw new Error("the request body is too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Makes a JSON answer. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { "Content-Type": "application/json;charset=UTF-8", ...headers }, body: JSON.stringify(value) };
}

/** Makes an answer with a page. The pages carry their own style and run no script. */
export function htmlAnswer(status: number, page: string): Answer {
  const headers = {
    "Content-Type": "text/html;charset=UTF-8",
    // No form-action: browsers apply it to the redirect after the POST too, which must reach the client's redirect URI.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
  };
  return { status, headers, body: page };
}

/** Makes an answer that sends the browser elsewhere with 302. */
export function redirectAnswer(location: string): Answer {
  return { status: 302, headers: { Location: location }, body: "" };
}

/** Sends an answer. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { "Cache-Control": "no-store", Pragma: "no-cache", ...answer.headers });
  response.end(answer.body);
}

/**
 * Reads parameters of which each may occur once (RFC 6749 section 3.1).
 *
 * @returns the parameters, or undefined when one is repeated
 */
export function singleParameters(parameters: URLSearchParams): ReadonlyMap<string, string> | undefined {
  const single = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (single.has(name)) return undefined;
    // An empty value counts as left out (RFC 6749 section 3.1), but still takes the name.
    single.set(name, value);
  }
  for (const [name, value] of single) if (value === "") single.delete(name);
  return single;
}

/** The access token of an `Authorization: Bearer` header (RFC 6750 section 2.1), or undefined. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? "")?.[1];
}
