/** A plain HTTP client for loopback servers with certificates of their own. Invariant: it follows no redirect and keeps no state. */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

export interface LoopbackRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent form-encoded. */
  readonly form?: Readonly<Record<string, string>> | URLSearchParams;
  /** The server's certificate, with https. */
  readonly certificatePem?: string | undefined;
}

export interface LoopbackResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/**
 * Sends one request on a connection of its own.
 *
 * @param url http or https
 * @returns the whole answer, of any status
 * @throws when the connection fails or is cut
 */
export async function requestLoopback(url: string | URL, options: LoopbackRequest = {}): Promise<LoopbackResponse> {
  const target = new URL(url);
  const body = options.form === undefined ? undefined : new URLSearchParams(options.form).toString();
  const method = options.method ?? (body === undefined ? "GET" : "POST");
  const headers = { ...(body === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" }), ...options.headers };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request =
    target.protocol === "https:"
      ? requestHttps(target, {
          method,
          headers,
          agent: false,
          ...(options.certificatePem === undefined ? {} : { ca: options.certificatePem }),
        })
      : requestHttp(target, { method, headers, agent: false });
  request.on("response", resolve);
  request.on("error", reject);
  request.end(body);
  const response = await promise;
  const chunks: Buffer[] = [];
  // No encoding is set on the stream, so chunks are Buffers.
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString("utf8") };
}
