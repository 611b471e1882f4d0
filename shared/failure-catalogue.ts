/** The catalogue behind `failure.ts`: one entry a failure. Codes are stable: never rename or reuse one. */

import { type FailureTexts, texts } from "./failure-texts.ts";
import { networkFailures } from "./network-failures.ts";
import { programFailures } from "./program-failures.ts";
import { vaultFailures } from "./vault-failures.ts";

export type { FailureTexts, PipeErrorCode } from "./failure-texts.ts";

const askVendor = "Ask your DMS vendor to check the registration in DMS Connect.";
const tryLater = "Wait a moment and try again. The connection is kept.";

export const failureCatalogue = {
  // Authorization (RFC 6749 section 4.1.2.1)
  consent_refused: texts(
    "not_connected",
    false,
    "Access to {{provider}} was not approved.",
    "Click Connect again and choose Approve on the {{provider}} page.",
  ),
  authorization_invalid_request: texts("not_connected", false, "{{provider}} did not understand the sign-in request.", askVendor),
  authorization_unauthorized_client: texts("not_connected", false, "{{provider}} does not allow this DMS to sign users in.", askVendor),
  authorization_unsupported_response_type: texts("not_connected", false, "{{provider}} does not offer this kind of sign-in.", askVendor),
  authorization_invalid_scope: texts(
    "not_connected",
    false,
    "{{provider}} does not know the scope that was asked for.",
    "Ask your DMS vendor to correct the scope in the registration.",
  ),
  authorization_server_error: texts(
    "provider_unavailable",
    true,
    "{{provider}} had a problem of its own during sign-in.",
    "Wait a few minutes, then click Connect again.",
  ),
  authorization_temporarily_unavailable: texts(
    "provider_unavailable",
    true,
    "{{provider}} is too busy for a sign-in right now.",
    "Wait a few minutes, then click Connect again.",
  ),
  authorization_unknown_error: texts(
    "not_connected",
    false,
    "{{provider}} refused the sign-in with an error DMS Connect does not know: {{error}}.",
    "Click Connect again. If it happens again, call your DMS vendor and tell them this error.",
  ),
  issuer_mismatch: texts(
    "not_connected",
    false,
    "The sign-in answer did not come from {{provider}}.",
    "Close the browser page and click Connect again. If it happens again, call your DMS vendor.",
  ),

  // Callback endpoint
  callback_unexpected: texts(
    "invalid_request",
    false,
    "This sign-in page is no longer expected.",
    "Close this page, go back to DMS Connect and click Connect again.",
  ),
  callback_malformed: texts(
    "invalid_request",
    false,
    "The answer from {{provider}} is incomplete.",
    "Close this page, go back to DMS Connect and click Connect again.",
  ),
  callback_wrong_host: texts(
    "invalid_request",
    false,
    "This address was opened under a wrong name.",
    "Close this page, go back to DMS Connect and click Connect again.",
  ),
  callback_not_found: texts("invalid_request", false, "There is nothing at this address.", "Close this page and go back to DMS Connect."),
  callback_wrong_method: texts(
    "invalid_request",
    false,
    "This address only answers a browser page.",
    "Close this page and go back to DMS Connect.",
  ),
  callback_too_large: texts(
    "invalid_request",
    false,
    "The answer from the browser is too long.",
    "Close this page, go back to DMS Connect and click Connect again.",
  ),
  port_in_use: texts(
    "provider_unavailable",
    true,
    "Port {{port}} on this computer is used by another program, so the sign-in answer could not be received.",
    "Close the other program, or wait until your colleague has finished signing in, then click Connect again.",
  ),
  callback_certificate_failed: texts(
    "internal_error",
    false,
    "The certificate for the https sign-in address could not be made.",
    "Restart DMS Connect. If it happens again, call your DMS vendor.",
  ),
  browser_not_opened: texts(
    "internal_error",
    true,
    "Your browser could not be opened.",
    "Set a default browser in your system settings, then click Connect again.",
  ),

  // Connect flow
  connect_cancelled: texts("not_connected", false, "The sign-in was cancelled.", "Click Connect when you want to try again."),
  connect_timed_out: texts(
    "not_connected",
    true,
    "The sign-in was not finished within {{minutes}} minutes.",
    "Click Connect again and finish the sign-in in your browser.",
  ),
  connect_superseded: texts(
    "not_connected",
    false,
    "This sign-in was replaced by a newer action.",
    "Look at the connection in DMS Connect and click Connect again if needed.",
  ),
  no_connect_in_progress: texts("invalid_request", false, "No sign-in is waiting for this connection.", "Click Connect to start one."),

  // Token endpoint
  code_rejected: texts(
    "not_connected",
    false,
    "{{provider}} did not accept the sign-in code. It may have expired.",
    "Click Connect again and finish without a long pause.",
  ),
  client_rejected: texts(
    "provider_unavailable",
    false,
    "{{provider}} does not accept the client id or client secret.",
    "Ask your DMS vendor to check the client id and client secret in the registration.",
  ),
  provider_refused: texts("provider_unavailable", false, "{{provider}} refused the request: {{error}}.", askVendor),
  provider_response_invalid: texts(
    "provider_unavailable",
    true,
    "The answer from {{provider}} could not be understood ({{problem}}).",
    "Check that this computer can reach {{provider}} without a sign-in page of the network, then try again.",
  ),
  token_type_unsupported: texts(
    "provider_unavailable",
    false,
    "{{provider}} sent a kind of token that DMS Connect cannot use.",
    "Call your DMS vendor.",
  ),
  provider_unreachable: texts(
    "provider_unavailable",
    true,
    "{{provider}} cannot be reached from this computer ({{problem}}).",
    "Check the internet connection. DMS Connect tries again by itself.",
  ),
  provider_timed_out: texts("provider_unavailable", true, "{{provider}} did not answer in time.", tryLater),
  provider_busy: texts("provider_unavailable", true, "{{provider}} is busy or out of order (status {{status}}).", tryLater),
  refresh_ambiguous: texts(
    "provider_unavailable",
    true,
    "The answer of {{provider}} to a renewal was lost.",
    "DMS Connect finds out by itself whether you need to sign in again.",
  ),
  grant_restored: texts(
    "provider_unavailable",
    true,
    "The sign-in for {{provider}} comes from an older copy of the vault.",
    "DMS Connect finds out by itself whether you need to sign in again.",
  ),
  grant_dead: texts(
    "reconnect_required",
    false,
    "{{provider}} no longer accepts this connection.",
    "Click Reconnect and sign in at {{provider}}.",
  ),
  grant_not_renewable: texts(
    "reconnect_required",
    false,
    "The access to {{provider}} has ended and cannot be renewed.",
    "Click Reconnect and sign in at {{provider}}.",
  ),
  grant_unreadable: texts(
    "reconnect_required",
    false,
    "The stored sign-in for {{provider}} can no longer be read.",
    "Click Reconnect and sign in at {{provider}}.",
  ),
  token_rejected_again: texts(
    "rate_limited",
    true,
    "{{provider}} refused a token that had just been renewed.",
    "Check the user's rights at {{provider}}. If they are right, try again in a minute.",
  ),

  // Connections and registrations
  not_connected: texts(
    "not_connected",
    false,
    "{{user}} is not connected to {{provider}}.",
    "Open DMS Connect and click Connect for {{provider}}.",
  ),
  provider_unknown: texts("invalid_request", false, "There is no provider named {{provider}}.", "Use one of: {{known}}."),
  registration_missing: texts(
    "not_connected",
    false,
    "{{provider}} ({{environment}}) is not set up on this computer.",
    "Add the registration in DMS Connect, or import the file from your DMS vendor.",
  ),
  registration_invalid: texts(
    "invalid_request",
    false,
    "The registration is not valid: {{field}}: {{problem}}.",
    "Correct this field and save again.",
  ),
  registration_file_unreadable: texts(
    "invalid_request",
    false,
    "The registration file could not be read: {{problem}}.",
    "Ask your DMS vendor for a new file.",
  ),
  revocation_unsupported: texts(
    "invalid_request",
    false,
    "{{provider}} cannot be told to end a connection.",
    "Use Forget here, and end the access in the security screens of {{provider}}.",
  ),
  revocation_pending: texts(
    "provider_unavailable",
    true,
    "{{provider}} could not be told yet that this connection has ended.",
    "DMS Connect keeps trying. The connection is no longer used.",
  ),
  organisation_unknown: texts(
    "invalid_request",
    false,
    "The organisation {{organisation}} is not part of this registration.",
    "Use one of: {{known}}.",
  ),

  ...networkFailures,
  ...vaultFailures,

  // Settings and start
  command_line_invalid: texts(
    "invalid_request",
    false,
    "The start option {{option}} names no file that can be used.",
    "Write it as {{option}}=FILE and start DMS Connect again.",
  ),
  setting_ignored: texts(
    "internal_error",
    false,
    "The stored setting {{setting}} is not valid, so its standard value is used.",
    "Open Settings and save it again.",
  ),
  settings_not_saved: texts(
    "internal_error",
    true,
    "The settings could not be saved ({{problem}}).",
    "Free some disk space, then save them again.",
  ),
  settings_unreadable: texts(
    "internal_error",
    false,
    "The settings file could not be read, so DMS Connect uses its standard settings.",
    "Save your settings again. The old file was kept as {{file}}.",
  ),

  // Programs and the pipe
  ...programFailures,
  shutting_down: texts("shutting_down", true, "DMS Connect is closing.", "Start DMS Connect and try again."),
  internal_error: texts(
    "internal_error",
    true,
    "Something went wrong inside DMS Connect.",
    "Try again. If it happens again, send the log to your DMS vendor.",
  ),
} as const satisfies Record<string, FailureTexts>;

export type FailureCode = keyof typeof failureCatalogue;
