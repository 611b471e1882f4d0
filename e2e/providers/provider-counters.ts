/** What a stand-in provider counts. Invariant: numbers only grow, and hold nothing secret. */

/** Numbers since the start. */
export interface ProviderCounters {
  /** Authorization requests of a registered client with a registered redirect URI. */
  authorizeRequests: number;
  approvals: number;
  refusals: number;
  /** Token requests whose body was read, by `grant_type`, refused ones included. */
  readonly tokenRequests: Record<string, number>;
  /** Codes that were turned into tokens. */
  codeExchanges: number;
  /** Refreshes that gave new tokens, even when their answer was then lost or replaced. */
  refreshes: number;
  /** Refreshes that were carried out and refused because the grant is dead. */
  refusedRefreshes: number;
  /** Refresh requests with a token that an earlier refresh had replaced; counted as soon as the request is read. */
  spentTokensPresented: number;
  /** Those of them whose token had come back before. */
  spentTokensPresentedAgain: number;
  /** Times a spent refresh token came back; each ends its grant. */
  reuseDetections: number;
  /** Revocation requests answered with 200. */
  revocations: number;
  apiCalls: number;
  /** API calls answered with 401. */
  apiRejections: number;
}

/** Fresh counters. */
export function zeroCounters(): ProviderCounters {
  return {
    authorizeRequests: 0,
    approvals: 0,
    refusals: 0,
    tokenRequests: {},
    codeExchanges: 0,
    refreshes: 0,
    refusedRefreshes: 0,
    spentTokensPresented: 0,
    spentTokensPresentedAgain: 0,
    reuseDetections: 0,
    revocations: 0,
    apiCalls: 0,
    apiRejections: 0,
  };
}

/**
 * Counts a token request.
 *
 * @param grantType its `grant_type`, or anything else when it has none
 */
export function countTokenRequest(counters: ProviderCounters, grantType: unknown): void {
  const name = typeof grantType === "string" && grantType !== "" ? grantType : "none";
  counters.tokenRequests[name] = (counters.tokenRequests[name] ?? 0) + 1;
}
