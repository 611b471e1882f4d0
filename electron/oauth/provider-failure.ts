/** Turns an answer that is no success into the failure to show. Invariant: nothing of a body but its sanitised `error` word gets out. */
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import type { ProviderAnswer } from "./bounded-fetch.ts";
import { errorWord } from "./error-word.ts";

export type AnsweredRequest = Extract<ProviderAnswer, { kind: "answered" }>;

const errorResponse = z.object({ error: z.string().min(1) });

/** The `error` of an error response (RFC 6749 section 5.2), or undefined when the body is none. */
export function oauthError(answer: AnsweredRequest): string | undefined {
  if (answer.body.kind !== "json") return undefined;
  const parsed = errorResponse.safeParse(answer.body.value);
  return parsed.success ? parsed.data.error : undefined;
}

/** The failure of an answer with any status other than 200. */
export function refusal(answer: AnsweredRequest, provider: string): Failure {
  const { status } = answer;
  if (status === 429 || status >= 500) {
    return failure("provider_busy", { provider, status }, { retryAfterSeconds: answer.retryAfterSeconds });
  }
  const error = oauthError(answer);
  // Keycloak says unauthorized_client where RFC 6749 says invalid_client.
  if (error === "invalid_client" || error === "unauthorized_client") return failure("client_rejected", { provider });
  if (error !== undefined) return failure("provider_refused", { provider, error: errorWord(error) });
  // A challenge with 401 is about the client's own credentials; a proxy of the network says 407.
  if (status === 401 && answer.challenged) return failure("client_rejected", { provider });
  const problem = answer.body.kind === "json" ? `status ${status} without an error` : answer.body.problem;
  return failure("provider_response_invalid", { provider, problem });
}

/** The failure of a request that brought no answer. */
export function noAnswer(answer: Exclude<ProviderAnswer, AnsweredRequest>, provider: string): Failure {
  switch (answer.kind) {
    case "not-sent":
      return notSent(answer, provider);
    case "portal":
      return failure("network_sign_in_needed", { provider });
    case "lost":
      return failure("provider_unreachable", { provider, problem: answer.problem });
    case "timed-out":
      return failure("provider_timed_out", { provider });
    case "aborted":
      return failure("connect_cancelled");
    default:
      return assertNever(answer);
  }
}

function notSent({ cause, problem, proxy }: Extract<ProviderAnswer, { kind: "not-sent" }>, provider: string): Failure {
  switch (cause) {
    case "offline":
      return failure("network_offline");
    case "certificate-date":
      return failure("certificate_date_invalid", { provider });
    case "proxy-sign-in":
      // A person cannot sign in to a proxy that has no name.
      return proxy === undefined ? failure("provider_unreachable", { provider, problem }) : failure("proxy_sign_in_needed", { proxy });
    case "unreachable":
      return failure("provider_unreachable", { provider, problem });
    default:
      return assertNever(cause);
  }
}
