/** What a script sees of a failure: one exit code a word. Stable: never renumber. */
import type { BrokerFailure } from "../clients/node/dms-connect-client.ts";
import type { PipeErrorCode } from "../shared/failure.ts";

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notPaired: 3,
  brokerUnreachable: 12,
  brokerNotGenuine: 13,
  vaultInUse: 14,
  auditBroken: 15,
} as const;

const byWord: Readonly<Record<PipeErrorCode, number>> = {
  not_paired: exitCodes.notPaired,
  not_permitted: 4,
  not_connected: 5,
  reconnect_required: 6,
  provider_unavailable: 7,
  invalid_request: 8,
  rate_limited: 9,
  vault_locked: 10,
  shutting_down: 11,
  internal_error: exitCodes.failed,
};

/** The exit code of a failure. */
export function exitCodeOf(failure: BrokerFailure): number {
  if (failure.detail === "broker_unreachable" || failure.detail === "timed_out") return exitCodes.brokerUnreachable;
  if (failure.detail === "broker_not_genuine") return exitCodes.brokerNotGenuine;
  if (failure.detail === "vault_in_use") return exitCodes.vaultInUse;
  return byWord[failure.code];
}
