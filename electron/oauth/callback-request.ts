/**
 * Judges a request to the callback address before anything happens. Invariant: only a GET with the exact
 * host, the exact path and one awaited state is a callback; everything else changes nothing.
 */
import type { IncomingMessage } from "node:http";
import { type Failure, failure } from "../../shared/failure.ts";
import type { CallbackFlow } from "./callback-flow.ts";

export type Judgement =
  | { readonly kind: "callback"; readonly flow: CallbackFlow; readonly query: URLSearchParams }
  | { readonly kind: "result"; readonly flow: CallbackFlow }
  | { readonly kind: "refused"; readonly status: number; readonly failure: Failure; readonly headers?: Readonly<Record<string, string>> };

/** Codes and states are far shorter; a JWT as a code still fits. */
const longestTarget = 8 * 1024;

/** @param flows those that wait on the listener which got the request */
export function judgeRequest(request: IncomingMessage, flows: ReadonlySet<CallbackFlow>): Judgement {
  const target = request.url ?? "";
  if (target.length > longestTarget) return refused(414, failure("callback_too_large"));
  const atHost = [...flows].filter((flow) => isOnlyHost(request, flow.authority));
  // A foreign name that points to 127.0.0.1 (DNS rebinding).
  if (atHost.length === 0) return refused(421, failure("callback_wrong_host"));
  if (request.method !== "GET") return { ...refused(405, failure("callback_wrong_method")), headers: { Allow: "GET" } };
  const [path = "", ...rest] = target.split("?");
  const resultFlow = atHost.find((flow) => flow.ownsResult(path));
  const atPath = atHost.filter((flow) => flow.path === path);
  if (resultFlow === undefined && atPath.length === 0) return refused(404, failure("callback_not_found"));
  // Not a success, so that a browser asks again when the person really opens the page.
  if (isPrefetch(request)) return refused(503, failure("callback_unexpected"));
  if (resultFlow !== undefined) return { kind: "result", flow: resultFlow };
  return judgeCallback(new URLSearchParams(rest.join("?")), atPath);
}

function judgeCallback(query: URLSearchParams, candidates: readonly CallbackFlow[]): Judgement {
  const [state, ...moreStates] = query.getAll("state");
  if (state === undefined || moreStates.length > 0) return refused(400, failure("callback_unexpected"));
  // All of them are compared, so that the time tells nothing.
  const flow = candidates.filter((candidate) => candidate.expects(state))[0];
  if (flow === undefined) return refused(400, failure("callback_unexpected"));
  if (!isAuthorizationResponse(query)) return refused(400, failure("callback_malformed", { provider: flow.providerName }));
  return { kind: "callback", flow, query };
}

/** RFC 6749 section 4.1.2: a code or an error, each at most once (section 3.1). */
function isAuthorizationResponse(query: URLSearchParams): boolean {
  const codes = query.getAll("code");
  const errors = query.getAll("error");
  if (codes.length > 1 || errors.length > 1) return false;
  return [...codes, ...errors].some((value) => value !== "");
}

function isOnlyHost(request: IncomingMessage, authority: string): boolean {
  const hosts = request.headersDistinct["host"] ?? [];
  return hosts.length === 1 && hosts[0]?.toLowerCase() === authority;
}

function isPrefetch(request: IncomingMessage): boolean {
  const purposes = ["purpose", "sec-purpose", "x-purpose", "x-moz"].flatMap((name) => request.headersDistinct[name] ?? []);
  return purposes.some((purpose) => /prefetch|prerender|preview/i.test(purpose));
}

function refused(status: number, reason: Failure) {
  return { kind: "refused", status, failure: reason } as const;
}
