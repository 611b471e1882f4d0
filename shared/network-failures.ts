/** Failures of the way to a provider: network, proxy, clock, and the broker's own restraint. */
import { type FailureTexts, texts } from "./failure-texts.ts";

const byItself = "DMS Connect goes on by itself.";

export const networkFailures = {
  network_offline: texts(
    "provider_unavailable",
    true,
    "This computer has no connection to the internet.",
    `Check the network cable or the Wi-Fi. ${byItself}`,
  ),
  network_sign_in_needed: texts(
    "provider_unavailable",
    true,
    "The network wants somebody to sign in before it lets this computer reach {{provider}}.",
    `Open any page in your browser and sign in to the network. ${byItself}`,
  ),
  proxy_sign_in_needed: texts(
    "provider_unavailable",
    true,
    "The proxy {{proxy}} wants a user name and a password.",
    "Open DMS Connect and click Sign in to the proxy (also in Settings, Notices). If you do not know the user name and the password, ask your administrator.",
  ),
  certificate_date_invalid: texts(
    "provider_unavailable",
    true,
    "The date of this computer does not fit the certificate of {{provider}}.",
    "Check the date and time of this computer and correct them. If they are right, call your administrator.",
  ),
  provider_paused: texts(
    "provider_unavailable",
    true,
    "{{provider}} has problems, so DMS Connect waits a little before it asks again.",
    `${byItself} Your connections are kept.`,
  ),
  requests_capped: texts(
    "provider_unavailable",
    true,
    "Too many renewals are waiting for {{provider}}.",
    "Wait a moment and try again. The connection is kept.",
  ),
  clock_fast: texts(
    "internal_error",
    false,
    "The clock of this computer is {{offset}} fast.",
    "Set the date and time of this computer right. DMS Connect goes by the time of the providers until then.",
  ),
  clock_slow: texts(
    "internal_error",
    false,
    "The clock of this computer is {{offset}} slow.",
    "Set the date and time of this computer right. DMS Connect goes by the time of the providers until then.",
  ),
  setting_ruled: texts("internal_error", false, "Your administrator has set this: {{setting}}.", "Ask your administrator to change it."),
  login_item_failed: texts(
    "internal_error",
    false,
    "DMS Connect could not change whether it starts when you sign in to the computer ({{problem}}).",
    "Ask your administrator to allow it.",
  ),
} as const satisfies Record<string, FailureTexts>;
