/** Why a connection has no token to serve and none to renew. */
import { type Failure, failure } from "../../shared/failure.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { Registrations } from "./registrations.ts";

/** The failure of ReconnectRequired, `grant_unreadable`, `registration_missing` or `not_connected`. */
export function endedFailure(live: LiveConnection, registrations: Registrations): Failure {
  const state = live.record?.state;
  if (state?.kind === "ReconnectRequired") return state.failure;
  if (live.overlay?.kind === "ConnectFailed" && live.overlay.failure.code === "grant_unreadable") return live.overlay.failure;
  const { provider, environment, user } = live.key;
  const { name } = registrations.describe(live.key);
  // Connect would not help before somebody has set the provider up.
  if (!registrations.isRegistered(provider, environment)) return failure("registration_missing", { provider: name, environment });
  return failure("not_connected", { provider: name, user });
}
