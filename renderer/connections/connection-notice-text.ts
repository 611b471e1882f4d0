/** What a person is told about a connection, and the one thing they can do about it. Pure: the table of the whole product's behaviour. */
import type { MessageBarIntent } from "@fluentui/react-components";
import type { Failure } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import type { ConnectionView } from "../../shared/views.ts";

export type SignInAction = "connect" | "reconnect";

export interface ConnectionNotice {
  readonly intent: MessageBarIntent;
  /** Sentences: of a failure, or of a state that is none. */
  readonly text: Failure | "finish" | "reconnect" | "notStored" | "revoking";
  readonly action: SignInAction | "whileConnecting" | undefined;
}

/** The notice of a connection, or `undefined` while there is nothing to say. */
export function connectionNotice(connection: ConnectionView): ConnectionNotice | undefined {
  const { failure, state } = connection;
  // The provider gave a new sign-in that only memory holds: it is used, and it must not be lost by closing the app.
  if (failure?.code === "vault_write_failed" && holdsGrant(connection)) return { intent: "warning", text: "notStored", action: undefined };
  switch (state) {
    case "NotConnected":
      return failure && { intent: isOwnChoice(failure) ? "info" : "warning", text: failure, action: "connect" };
    case "Connecting":
      return { intent: "info", text: "finish", action: "whileConnecting" };
    case "Active":
    case "Refreshing":
      // A Connect that ended badly leaves the former grant in place; what passes by itself needs no button.
      return failure && { intent: "info", text: failure, action: failure.retryable ? undefined : "reconnect" };
    case "Retrying":
    case "InDoubt":
      // The broker goes on by itself: a button would only invite people to throw a good grant away.
      return failure && { intent: "info", text: failure, action: undefined };
    case "ReconnectRequired":
      return { intent: "warning", text: failure ?? "reconnect", action: "reconnect" };
    case "Revoking":
      return { intent: "info", text: failure ?? "revoking", action: undefined };
    case "Forgotten":
      return undefined;
    default:
      return assertNever(state);
  }
}

/** Whether there is a grant that can be ended at the provider. */
export function isRevocable(connection: ConnectionView): boolean {
  return connection.canRevoke && holdsGrant(connection);
}

/** Whether the connection's expiry times mean anything now. */
export function holdsGrant({ state }: ConnectionView): boolean {
  return state === "Active" || state === "Refreshing" || state === "Retrying" || state === "InDoubt";
}

function isOwnChoice({ code }: Failure): boolean {
  return code === "connect_cancelled" || code === "connect_superseded";
}
