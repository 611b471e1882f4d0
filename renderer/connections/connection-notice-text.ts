/** What a person is told about a connection, and the one thing they can do about it. Pure: the table of the whole product's behaviour. */
import type { MessageBarIntent } from "@fluentui/react-components";
import type { Failure, FailureCode } from "../../shared/failure.ts";
import { assertNever } from "../../shared/result.ts";
import type { ConnectionView } from "../../shared/views.ts";

export type SignInAction = "connect" | "reconnect";

export interface ConnectionNotice {
  readonly intent: MessageBarIntent;
  /** Sentences: of a failure, or of a state that is none. */
  readonly text: Failure | "finish" | "reconnect" | "notRenewable" | "notStored" | "revoking";
  /** What to do, where the failure's usual remedy would mislead in this state. */
  readonly remedy?: "byItself" | SignInRemedy;
  readonly action: SignInAction | "whileConnecting" | "proxySignIn" | undefined;
}

/** Their usual remedy says that DMS Connect goes on by itself. It does, but for a sign-in that failed. */
const signInRemedies = [
  "provider_unreachable",
  "provider_timed_out",
  "provider_busy",
  "provider_paused",
  "requests_capped",
  "network_offline",
  "network_sign_in_needed",
  "proxy_sign_in_needed",
  "certificate_date_invalid",
] as const satisfies readonly FailureCode[];
export type SignInRemedy = (typeof signInRemedies)[number];

/** Their usual remedy says to try again, for which a connection that is being renewed has no button. */
const renewedByItself: readonly FailureCode[] = [
  "provider_timed_out",
  "provider_busy",
  "provider_response_invalid",
  "requests_capped",
  "vault_conflict",
  "internal_error",
];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The notice of a connection, or `undefined` while there is nothing to say. @param nowMs Unix milliseconds */
export function connectionNotice(connection: ConnectionView, nowMs: number): ConnectionNotice | undefined {
  const { failure, state } = connection;
  // The provider gave a new sign-in that only memory holds: it is used, and it must not be lost by closing the app.
  if (isNotStored(connection)) return { intent: "warning", text: "notStored", action: undefined };
  switch (state) {
    case "NotConnected":
      return failure && { intent: isOwnChoice(failure) ? "info" : "warning", text: failure, ...signInRemedy(failure), action: "connect" };
    case "Connecting":
      return { intent: "info", text: "finish", action: "whileConnecting" };
    case "Active":
    case "Refreshing":
      // A Connect that ended badly leaves the former grant in place; what passes by itself needs no button.
      if (failure === undefined) return notRenewable(connection, nowMs);
      return failure.retryable ? renewalNotice(failure) : { intent: "info", text: failure, action: "reconnect" };
    case "Retrying":
    case "InDoubt":
      // The broker goes on by itself: a button would only invite people to throw a good grant away. What no waiting helps
      // needs somebody, though not a click here: the DMS vendor, the administrator.
      return failure && (failure.retryable ? renewalNotice(failure) : { intent: "warning", text: failure, action: undefined });
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

/** Whether nothing goes on for this connection, or will soon, until a person does something: what the tray icon counts. */
export function needsPerson(connection: ConnectionView, nowMs: number): boolean {
  return connection.state === "ReconnectRequired" || isNotStored(connection) || endsSoon(connection, nowMs);
}

/** When a connection that cannot be renewed ends (Unix milliseconds), where that is known. */
export function lastMoment({ accessTokenExpiresAtMs, grantExpiresAtMs }: ConnectionView): number | undefined {
  const ends = [accessTokenExpiresAtMs, grantExpiresAtMs].filter((atMs) => atMs !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** Whether there is a grant that can be ended at the provider. */
export function isRevocable(connection: ConnectionView): boolean {
  return connection.canRevoke && holdsGrant(connection);
}

/** Whether the connection's expiry times mean anything now. */
export function holdsGrant({ state }: ConnectionView): boolean {
  return state === "Active" || state === "Refreshing" || state === "Retrying" || state === "InDoubt";
}

function notRenewable(connection: ConnectionView, nowMs: number): ConnectionNotice | undefined {
  if (connection.isNotRenewable !== true || lastMoment(connection) === undefined) return undefined;
  return { intent: endsSoon(connection, nowMs) ? "warning" : "info", text: "notRenewable", action: "reconnect" };
}

function renewalNotice(failure: Failure): ConnectionNotice {
  if (failure.code === "proxy_sign_in_needed") return { intent: "warning", text: failure, action: "proxySignIn" };
  return { intent: "info", text: failure, ...(renewedByItself.includes(failure.code) ? { remedy: "byItself" } : {}), action: undefined };
}

function signInRemedy({ code }: Failure): Pick<ConnectionNotice, "remedy"> {
  const remedy = signInRemedies.find((each) => each === code);
  return remedy === undefined ? {} : { remedy };
}

function endsSoon(connection: ConnectionView, nowMs: number): boolean {
  const endsAtMs = lastMoment(connection);
  if (connection.isNotRenewable !== true || !holdsGrant(connection) || endsAtMs === undefined) return false;
  return endsAtMs - nowMs <= warnBeforeMs(endsAtMs - (connection.connectedAtMs ?? 0));
}

/** A third of its life, three days at most and an hour at least, but not at once: as notifications have it. */
function warnBeforeMs(lifeMs: number): number {
  return Math.min(Math.max(lifeMs / 3, hourMs), 3 * dayMs, Math.max(lifeMs, 0) / 2);
}

function isNotStored(connection: ConnectionView): boolean {
  return connection.failure?.code === "vault_write_failed" && holdsGrant(connection);
}

function isOwnChoice({ code }: Failure): boolean {
  return code === "connect_cancelled" || code === "connect_superseded";
}
