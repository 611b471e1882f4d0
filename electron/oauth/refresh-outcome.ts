/**
 * Names what must happen after a refresh (RFC 6749 section 6). Invariant: `rejected` only when the
 * provider itself said so in a well-formed error response; `not-sent` only when no byte left; an answer
 * that may have rotated the token is `ambiguous`.
 */
import { failure } from "../../shared/failure.ts";
import { assertNever, type Result } from "../../shared/result.ts";
import type { Grant } from "../core/connection-state.ts";
import type { RefreshOutcome } from "../core/ports.ts";
import type { ProviderDefinition } from "../core/provider-definition.ts";
import type { ProviderAnswer } from "./bounded-fetch.ts";
import { type AnsweredRequest, noAnswer, oauthError, refusal } from "./provider-failure.ts";

/** @param readGrant reads the body of a 200 */
export async function refreshOutcome(
  answer: ProviderAnswer,
  provider: ProviderDefinition,
  readGrant: (body: unknown, answer: AnsweredRequest) => Promise<Result<Grant>>,
): Promise<RefreshOutcome> {
  switch (answer.kind) {
    case "answered":
      return answeredOutcome(answer, provider, readGrant);
    case "not-sent":
      return { kind: "not-sent", failure: noAnswer(answer, provider.name) };
    // No token endpoint answers a rotation with a page or a redirect: the tokens are as good as before.
    case "portal":
      return { kind: "refused-for-now", failure: noAnswer(answer, provider.name) };
    case "lost":
      return ambiguous(provider, answer.problem);
    case "timed-out":
      return ambiguous(provider, "no answer in time");
    case "aborted":
      return ambiguous(provider, "stopped while waiting for the answer");
    default:
      return assertNever(answer);
  }
}

/**
 * A gateway's word that the server behind it took the request and was too slow to answer (RFC 9110 section 15.6.5): that server
 * may have rotated the token since, and sending the old one again would end the grant. Only this one is read so. 502 (section
 * 15.6.3) may mean the same when that server broke off within its answer, but gateways mostly say it, as 503, while none
 * accepts connections, which is every restart of a provider; 500 is a server's word that it failed. Taking those for doubt would
 * leave the tokens of an outage untouched until shortly before their end.
 */
const gatewayTimeout = 504;

async function answeredOutcome(
  answer: AnsweredRequest,
  provider: ProviderDefinition,
  readGrant: (body: unknown, answer: AnsweredRequest) => Promise<Result<Grant>>,
): Promise<RefreshOutcome> {
  if (answer.status === 200 && answer.body.kind === "json") {
    const grant = await readGrant(answer.body.value, answer);
    if (grant.ok) return { kind: "rotated", grant: grant.value };
    if (grant.error.code === "token_type_unsupported") return { kind: "ambiguous", failure: grant.error };
    return ambiguous(provider, String(grant.error.params["problem"]));
  }
  if (answer.status < 300) return ambiguous(provider, answer.body.kind === "json" ? `status ${answer.status}` : answer.body.problem);
  if (answer.status === gatewayTimeout) return ambiguous(provider, `status ${answer.status}`);
  if (isGrantDead(answer, provider)) return { kind: "rejected", failure: failure("grant_dead", { provider: provider.name }) };
  return { kind: "refused-for-now", failure: refusal(answer, provider.name) };
}

function isGrantDead(answer: AnsweredRequest, provider: ProviderDefinition): boolean {
  const error = answer.status === 400 || answer.status === 401 ? oauthError(answer) : undefined;
  return error !== undefined && provider.deadGrantErrors.includes(error);
}

/** One code for all of them, since they mean the same to a person; `problem` tells them apart in the log. */
function ambiguous(provider: ProviderDefinition, problem: string): RefreshOutcome {
  return { kind: "ambiguous", failure: failure("refresh_ambiguous", { provider: provider.name, problem }) };
}
