/**
 * Checks what the browser brought back (RFC 6749 section 4.1.2, RFC 9207). Invariant: a code comes out
 * only of a response that passed the issuer check, so that a code of another provider is never sent on.
 */
import { type Failure, type FailureCode, failure } from "../../shared/failure.ts";
import { assertNever, err, ok, type Result } from "../../shared/result.ts";
import type { ResolvedClient } from "../core/ports.ts";
import { errorWord } from "./error-word.ts";

/** RFC 6749 section 4.1.2.1, and Mazda's own spelling of the last one. */
const documentedErrors: ReadonlyMap<string, FailureCode> = new Map<string, FailureCode>([
  ["access_denied", "consent_refused"],
  ["invalid_request", "authorization_invalid_request"],
  ["unauthorized_client", "authorization_unauthorized_client"],
  ["unsupported_response_type", "authorization_unsupported_response_type"],
  ["invalid_scope", "authorization_invalid_scope"],
  ["server_error", "authorization_server_error"],
  ["temporarily_unavailable", "authorization_temporarily_unavailable"],
  ["temporary_unavailable", "authorization_temporarily_unavailable"],
]);

/**
 * @param callback parameters of the callback; its `state` has been matched
 * @returns the authorization code; `issuer_mismatch`, the failure of the error sent, or `callback_malformed`
 */
export function authorizationCode(client: ResolvedClient, callback: URLSearchParams): Result<string> {
  const provider = client.provider.name;
  if (!isIssuerAccepted(client, callback.getAll("iss"))) return err(failure("issuer_mismatch", { provider }));
  const [error, ...moreErrors] = callback.getAll("error");
  const [code, ...moreCodes] = callback.getAll("code");
  if (moreErrors.length + moreCodes.length > 0) return err(failure("callback_malformed", { provider }));
  if (error !== undefined && error !== "") return err(authorizationFailure(error, provider));
  if (code === undefined || code === "") return err(failure("callback_malformed", { provider }));
  return ok(code);
}

function isIssuerAccepted(client: ResolvedClient, sent: readonly string[]): boolean {
  const expected = client.endpoints.issuer;
  switch (client.provider.issuerCheck) {
    case "never":
      return true;
    case "when-present":
      // Nothing to compare with when provisioning replaced the endpoints without naming an issuer.
      return sent.length === 0 || expected === undefined || (sent.length === 1 && sent[0] === expected);
    case "required":
      return sent.length === 1 && expected !== undefined && sent[0] === expected;
    default:
      return assertNever(client.provider.issuerCheck);
  }
}

function authorizationFailure(error: string, provider: string): Failure {
  const code = documentedErrors.get(error);
  if (code !== undefined) return failure(code, { provider });
  return failure("authorization_unknown_error", { provider, error: errorWord(error) });
}
