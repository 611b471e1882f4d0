/**
 * One request to a provider, read to its end within limits. Invariant: settles within the timeout with
 * exactly one `ProviderAnswer`, holds at most 256 KiB of a body, follows no redirect, and lets no error
 * of the network stack out (their causes can hold bodies).
 */
import { type AnswerBody, discard, readBody } from "./answer-body.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import { askedServerTimeMs, serverTimeMs } from "./server-time.ts";
import { type TransportFault, transportFault } from "./transport-error.ts";

/** The part of fetch that is used; Node's fits, and so does what shell/provider-fetch.ts makes. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

export interface FetchInit {
  readonly method: "POST" | "GET";
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly redirect: "manual";
  /** Electron would otherwise send the session's cookies and answer 401 with a log-in event. */
  readonly credentials: "omit";
  readonly cache: "no-store";
  readonly signal: AbortSignal;
}

export type ProviderAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly body: AnswerBody;
      /** Whether it carries `WWW-Authenticate`. */
      readonly challenged: boolean;
      /** From sending the request until its answer was read: whole milliseconds of a clock that nobody sets. */
      readonly tookMs: number;
      readonly retryAfterSeconds?: number;
    }
  /** No byte of the request left this computer, or none got past the proxy. */
  | Extract<TransportFault, { kind: "not-sent" }>
  /**
   * A page of the network instead of an answer: a captive portal, a proxy's block page. Also any redirect, since no token
   * endpoint has one. Whatever it is, the provider has not done what was asked.
   */
  | { readonly kind: "portal"; readonly problem: string }
  /** The request may have arrived; its answer did not. */
  | { readonly kind: "lost"; readonly problem: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "aborted" };

export interface BoundedFetchOptions {
  readonly fetch: Fetch;
  readonly nowMs: () => number;
  /** Never set, and not moved by what `onServerTime` hears. */
  readonly monotonicMs: () => number;
  readonly timeoutMs: number;
  /** Hears the `Date` of each answer that came from the endpoint itself, as soon as its head is here. */
  readonly onServerTime?: ((endpoint: string, dateMs: number) => void) | undefined;
}

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
  if (signal.aborted) return { kind: "not-sent", cause: "unreachable", problem: "stopped before it was sent" };
  return bounded<ProviderAnswer>(options.timeoutMs, signal, { kind: "timed-out" }, { kind: "aborted" }, (limit) =>
    postAndRead(options, url, { method: "POST", ...request, ...alwaysSent, signal: limit }),
  );
}

/**
 * Asks with GET for nothing but the head of an answer.
 *
 * @returns whether it told the time, which has gone to `onServerTime`
 */
export async function boundedAskForTime(
  options: BoundedFetchOptions,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return false;
  return bounded(options.timeoutMs, signal, false, false, async (limit) => {
    try {
      const response = await options.fetch(url, { method: "GET", headers, ...alwaysSent, signal: limit });
      await discard(response);
      return !isRedirect(response) && tellServerTime(options, url, askedServerTimeMs(response));
    } catch {
      return false;
    }
  });
}

const alwaysSent = { redirect: "manual", credentials: "omit", cache: "no-store" } as const;

async function bounded<T>(
  timeoutMs: number,
  signal: AbortSignal,
  whenLate: T,
  whenAborted: T,
  run: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: ended, resolve: end } = Promise.withResolvers<T>();
  const onAbort = () => end(whenAborted);
  const timer = setTimeout(() => end(whenLate), timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    // Raced instead of trusting fetch to notice the abort: a body stream may not.
    return await Promise.race([ended, run(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    controller.abort();
  }
}

async function postAndRead(options: BoundedFetchOptions, url: string, init: FetchInit): Promise<ProviderAnswer> {
  const sentAtMs = options.monotonicMs();
  let response: Response;
  try {
    response = await options.fetch(url, init);
  } catch (error) {
    const fault = transportFault(error);
    return fault.kind === "redirected" ? redirected : fault;
  }
  if (isRedirect(response)) return redirected;
  // Before anybody reads the clock because of this answer.
  tellServerTime(options, url, serverTimeMs(response));
  const body = await readBody(response, init.signal);
  // A success whose body broke off is no answer: the provider has acted and we don't know the result.
  if (response.ok && body.kind === "broken") return { kind: "lost", problem: body.problem };
  if (isPortal(response.status, body.kind)) return { kind: "portal", problem: `status ${response.status}, a page` };
  const retryAfter = retryAfterSeconds(response.headers.get("retry-after"), options.nowMs());
  return {
    kind: "answered",
    status: response.status,
    body: body.kind === "broken" ? { kind: "unusable", problem: body.problem } : body,
    challenged: response.headers.has("www-authenticate"),
    tookMs: Math.max(0, Math.ceil(options.monotonicMs() - sentAtMs)),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  };
}

const redirected: ProviderAnswer = { kind: "portal", problem: "a redirect" };

function isRedirect(response: Response): boolean {
  return response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
}

/**
 * Portals say 200 or 511 (RFC 6585 section 6), filters mostly 403. A page with another status is as likely an error page of the
 * provider's own front.
 */
function isPortal(status: number, body: string): boolean {
  if (status === 511) return true;
  return body === "html" && (status < 300 || status === 403);
}

function tellServerTime({ onServerTime }: BoundedFetchOptions, url: string, dateMs: number | undefined): boolean {
  if (dateMs === undefined) return false;
  onServerTime?.(url, dateMs);
  return true;
}
