/**
 * One POST to a provider, read to its end within limits. Invariant: settles within the timeout with
 * exactly one `ProviderAnswer`, holds at most 256 KiB of a body, follows no redirect, and lets no error
 * of the network stack out (their causes can hold bodies).
 */
import { retryAfterSeconds } from "./retry-after.ts";
import { transportFault } from "./transport-error.ts";

/** The part of fetch that is used; both Node's and Electron's `net.fetch` fit. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

export interface FetchInit {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly redirect: "manual";
  /** Electron would otherwise send the session's cookies and answer 401 with a log-in event. */
  readonly credentials: "omit";
  readonly cache: "no-store";
  readonly signal: AbortSignal;
}

export type AnswerBody = { readonly kind: "json"; readonly value: unknown } | { readonly kind: "unusable"; readonly problem: string };

export type ProviderAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly body: AnswerBody;
      /** Whether it carries `WWW-Authenticate`. */
      readonly challenged: boolean;
      readonly retryAfterSeconds?: number;
    }
  /** No byte of the request left this computer. */
  | { readonly kind: "not-sent"; readonly problem: string }
  | { readonly kind: "redirected" }
  /** The request may have arrived; its answer did not. */
  | { readonly kind: "lost"; readonly problem: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "aborted" };

export interface BoundedFetchOptions {
  readonly fetch: Fetch;
  readonly nowMs: () => number;
  readonly timeoutMs: number;
}

/** Far above any token response, far below what could hurt. */
export const maxBodyBytes = 256 * 1024;

/**
 * @param url where to POST; the caller has checked that it may be used
 * @param request headers and form-encoded body
 * @param signal ends the request early with `aborted` (`not-sent` if it was aborted before)
 */
export async function boundedPost(
  options: BoundedFetchOptions,
  url: string,
  request: { readonly headers: Record<string, string>; readonly body: string },
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  if (signal.aborted) return { kind: "not-sent", problem: "stopped before it was sent" };
  const controller = new AbortController();
  const { promise: ended, resolve: end } = Promise.withResolvers<ProviderAnswer>();
  const onAbort = () => end({ kind: "aborted" });
  const timer = setTimeout(() => end({ kind: "timed-out" }), options.timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  const init: FetchInit = {
    method: "POST",
    ...request,
    redirect: "manual",
    credentials: "omit",
    cache: "no-store",
    signal: controller.signal,
  };
  try {
    // Raced instead of trusting fetch to notice the abort: a body stream may not.
    return await Promise.race([ended, postAndRead(options, url, init)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    controller.abort();
  }
}

async function postAndRead(options: BoundedFetchOptions, url: string, init: FetchInit): Promise<ProviderAnswer> {
  let response: Response;
  try {
    response = await options.fetch(url, init);
  } catch (error) {
    return transportFault(error);
  }
  if (isRedirect(response)) return { kind: "redirected" };
  const body = await readBody(response, init.signal);
  // A success whose body broke off is no answer: the provider has acted and we don't know the result.
  if (response.ok && body.kind === "broken") return { kind: "lost", problem: body.problem };
  const retryAfter = retryAfterSeconds(response.headers.get("retry-after"), options.nowMs());
  return {
    kind: "answered",
    status: response.status,
    body: body.kind === "broken" ? { kind: "unusable", problem: body.problem } : body,
    challenged: response.headers.has("www-authenticate"),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  };
}

function isRedirect(response: Response): boolean {
  return response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
}

async function readBody(
  response: Response,
  signal: AbortSignal,
): Promise<AnswerBody | { readonly kind: "broken"; readonly problem: string }> {
  if (!isJson(response.headers.get("content-type"))) {
    await discard(response);
    return { kind: "unusable", problem: `status ${response.status}, not JSON` };
  }
  const bytes = await readLimited(response, signal);
  if (bytes.kind !== "read") return bytes;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.value));
    return { kind: "json", value };
  } catch {
    return { kind: "unusable", problem: `status ${response.status}, JSON that does not parse` };
  }
}

type Bytes =
  | { readonly kind: "read"; readonly value: Uint8Array }
  | { readonly kind: "broken"; readonly problem: string }
  | { readonly kind: "unusable"; readonly problem: string };

async function readLimited(response: Response, signal: AbortSignal): Promise<Bytes> {
  const tooLarge = { kind: "unusable", problem: `status ${response.status}, too large` } as const;
  if (Number(response.headers.get("content-length") ?? 0) > maxBodyBytes) {
    await discard(response);
    return tooLarge;
  }
  if (response.body === null) return { kind: "read", value: new Uint8Array() };
  const stream: AsyncIterable<Uint8Array> = response.body;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      if (signal.aborted) return { kind: "broken", problem: "stopped" };
      size += chunk.byteLength;
      // Returning ends the iteration, which cancels the stream.
      if (size > maxBodyBytes) return tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    const fault = transportFault(error);
    return { kind: "broken", problem: fault.kind === "lost" ? fault.problem : "connection lost" };
  }
  return { kind: "read", value: Buffer.concat(chunks) };
}

/** Lets the connection go without reading on. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function isJson(contentType: string | null): boolean {
  const mediaType = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return /^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType);
}
