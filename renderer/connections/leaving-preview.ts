/** What will happen to each connection of a user who leaves. Pure. */
import type { ConnectionView } from "../../shared/views.ts";
import { holdsGrant } from "./connection-notice-text.ts";

export type Ending = "revoke" | "revoking" | "forget" | "forgetEnded" | "row";

/** How a connection will end when its user leaves. */
export function endingOf(connection: ConnectionView): Ending {
  const { state, canRevoke, connectedAtMs } = connection;
  if (state === "Revoking") return "revoking";
  if (state === "ReconnectRequired") return "forgetEnded";
  // A sign-in under way covers a grant that may be there.
  const mayHoldGrant = holdsGrant(connection) || connectedAtMs !== undefined;
  if (!mayHoldGrant) return "row";
  return canRevoke ? "revoke" : "forget";
}
