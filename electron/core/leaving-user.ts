/**
 * An employee leaves: ends every connection of one user, at every provider and environment. Invariants: each is tried,
 * whatever became of the others; where there is a grant and the provider can be told, it is revoked, else forgotten; what a
 * sign-in under way still brings is given back.
 */
import { failure } from "../../shared/failure.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { ConnectionView, EndedConnectionView } from "../../shared/views.ts";
import type { ConnectFlow } from "./connect-flow.ts";
import type { Connections } from "./connections.ts";
import type { EndedAccess, Revocation } from "./revocation.ts";

export interface LeavingUserDeps {
  readonly connections: Pick<Connections, "list" | "peek" | "view">;
  readonly connectFlow: Pick<ConnectFlow, "cancel" | "stored">;
  readonly revocation: Pick<Revocation, "revoke" | "forget" | "leftOf">;
}

/**
 * Ends all connections of `user`, which is compared exactly. Serving stops for all of them at once; settles when every provider
 * has answered. Fails only when the vault cannot be read; then nothing was ended.
 */
export async function endAll(deps: LeavingUserDeps, user: string): Promise<Result<readonly EndedConnectionView[]>> {
  const listed = await deps.connections.list();
  if (!listed.ok) return listed;
  return ok(await Promise.all(listed.value.filter((view) => view.user === user).map((view) => endOne(deps, view))));
}

async function endOne(deps: LeavingUserDeps, view: ConnectionView): Promise<EndedConnectionView> {
  const { id: connectionId, providerName, environment, hasGrantScreens } = view;
  const ended = await end(deps, view).catch((): Ending => ({ outcome: "failed", failure: failure("internal_error") }));
  const isEstimate = view.accessTokenExpiryIsEstimate === true && ended.copiesWorkUntilMs !== undefined;
  return { connectionId, providerName, environment, hasGrantScreens, ...ended, ...(isEstimate ? { copiesEndIsEstimate: true } : {}) };
}

async function end(deps: LeavingUserDeps, view: ConnectionView): Promise<Ending> {
  if (!view.canRevoke) return forget(deps, view);
  if (isRevocable(view)) return revoke(deps, view);
  const { connections, connectFlow } = deps;
  connectFlow.cancel(view, failure("connect_superseded"), "give-back");
  // A grant that is just being stored comes too late to be given back: it has to be revoked like any other.
  await connectFlow.stored(view);
  const live = connections.peek(view);
  return live !== undefined && isRevocable(connections.view(live)) ? revoke(deps, view) : forget(deps, view);
}

/** What nobody is signed in to, and what the provider itself has ended, has no token to revoke. */
function isRevocable({ state, connectedAtMs }: ConnectionView): boolean {
  return connectedAtMs !== undefined && state !== "ReconnectRequired";
}

type Ending = Pick<EndedConnectionView, "outcome" | "failure" | "copiesWorkUntilMs">;

async function revoke({ revocation }: LeavingUserDeps, view: ConnectionView): Promise<Ending> {
  const revoked = await revocation.revoke(view);
  if (revoked.ok) return { outcome: "revoked", ...revoked.value };
  if (revoked.error.code === "revocation_pending") return { outcome: "pending", failure: revoked.error, ...revocation.leftOf(view) };
  return { outcome: "failed", failure: revoked.error };
}

async function forget({ revocation }: LeavingUserDeps, view: ConnectionView): Promise<Ending> {
  const forgotten: Result<EndedAccess> = await revocation.forget(view);
  return forgotten.ok ? { outcome: "forgotten", ...forgotten.value } : { outcome: "failed", failure: forgotten.error };
}
