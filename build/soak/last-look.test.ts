import { describe, expect, it } from "vitest";
import type { BrokerFailure } from "../../clients/node/dms-connect-client.ts";
import { failure, pipeErrorCode } from "../../shared/failure.ts";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { findStuck } from "./last-look.ts";
import { SoakConnection } from "./soak-connection.ts";

const jane = new SoakConnection({ provider: "mazda", user: "jane" });
const newToken = "issued since";

/** The answers one after the other, the last one for all that follow. */
function stuckAfter(...answers: readonly Result<TokenGetResult, BrokerFailure>[]) {
  const left = [...answers];
  return findStuck({
    program: { ask: async () => (left.length > 1 ? left.shift() : left[0]) ?? refused("internal_error") },
    connections: [jane],
    ledger: { isIssuedAfter: (token) => token === newToken },
    limitMs: left.length > 1 ? 20_000 : 1,
    everyMs: 1,
  });
}

function served(accessToken: string): Result<TokenGetResult, BrokerFailure> {
  return ok({ accessToken, tokenType: "Bearer", tokenId: "t", expiresAt: 0, expiresInSeconds: 0, headers: {} });
}

function refused(detail: Parameters<typeof failure>[0]): Result<TokenGetResult, BrokerFailure> {
  return err({ code: pipeErrorCode(detail), detail, message: "", remedy: "", retryable: true });
}

describe("a connection is stuck", () => {
  it("when it is refused to the end, and nobody is asked to sign in", async () => {
    expect(await stuckAfter(refused("provider_paused"))).toEqual([{ who: jane.who, last: "provider_paused" }]);
  });

  it("when all it ever gets is a token of before", async () => {
    expect(await stuckAfter(served("old"))).toEqual([{ who: jane.who, last: "a token of before" }]);
  });

  it.each([
    ["is served with a new token", served(newToken)],
    ["needs a person", refused("grant_dead")],
    ["was never connected", refused("not_connected")],
  ])("no more when it %s in the end", async (_how, answer) => {
    expect(await stuckAfter(refused("provider_paused"), answer)).toEqual([]);
  });
});
