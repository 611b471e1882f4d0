/**
 * English texts of all failures, taken from the catalogue. A text differs here only where the
 * catalogue speaks to somebody who is not in front of this window.
 */
import { type FailureCode, failureCatalogue } from "../../shared/failure-catalogue.ts";

export interface FailureSentences {
  readonly message: string;
  readonly remedy: string;
}

const inThisWindow: Partial<Record<FailureCode, Partial<FailureSentences>>> = {
  // The catalogue says "open DMS Connect": here it is open, and the ways on stand below.
  vault_locked: { remedy: "Try the ways on this page one after the other. Begin with the first." },
  vault_protection_missing: {
    message: "This computer has no safe place for the vault's key.",
    remedy: "Start the password store of your desktop (Secret Service) and click Try again, or ask your administrator.",
  },
  vault_passphrase_needed: { message: "A passphrase protects the vault.", remedy: "Enter it below." },
  vault_in_use: { remedy: "Close the other DMS Connect, then click Try again. Nothing was changed." },
  // Counts that read well for one and for many.
  vault_damaged: {
    message: "The vault file was damaged. It was set aside as {{file}}. Connections that were kept: {{kept}}.",
    remedy: "Look at your connections. Click Reconnect where it is shown. Keep the file for your DMS vendor.",
  },
  vault_changed: {
    message: "Another program changed the vault file. It was set aside as {{file}}. Connections that were kept: {{kept}}.",
    remedy: "Look at your connections. Click Reconnect where it is shown. Tell your administrator.",
  },
  vault_rolled_back: {
    remedy: "Look at your connections. Some may need Reconnect. If nobody restored a backup, tell your administrator.",
  },
  // A place may be named anywhere in a sentence, but not begin it.
  vault_access_denied: {
    message: "DMS Connect was not allowed to read the vault's key ({{place}}).",
    remedy: "Click Try again. Allow DMS Connect when the computer asks.",
  },
  vault_keys_unavailable: {
    message: "The vault cannot be opened now. There is no answer from {{place}}.",
    remedy: "Unlock the password store of this computer, then click Try again.",
  },
  vault_write_failed: { remedy: "Make space on the disk, then try again." },
  settings_not_saved: { remedy: "Make space on the disk, then save them again." },
  registration_missing: { remedy: "Go to Set-up. Enter the registration there, or import the file from your DMS vendor." },
  revocation_pending: { message: "{{provider}} does not know yet that this connection has ended." },
  revocation_unsupported: { message: "DMS Connect cannot end a connection at {{provider}}." },
  // Plainer words for what many people meet: the network and the clock.
  network_sign_in_needed: { message: "This network wants you to sign in before it lets this computer reach {{provider}}." },
  proxy_sign_in_needed: {
    remedy: "Click Sign in to the proxy. If you do not know the user name and the password, ask your administrator.",
  },
  clock_fast: {
    message: "The clock of this computer is wrong: it is {{offset}} ahead.",
    remedy: "Set the date and time of this computer right. Until then, DMS Connect uses the time of the providers.",
  },
  clock_slow: {
    message: "The clock of this computer is wrong: it is {{offset}} behind.",
    remedy: "Set the date and time of this computer right. Until then, DMS Connect uses the time of the providers.",
  },
};

export const failureSentences = Object.fromEntries(
  Object.entries(failureCatalogue).map(([code, { message, remedy }]) => [
    code,
    // The keys of the catalogue are its codes.
    { message, remedy, ...inThisWindow[code as FailureCode] },
  ]),
  // Object.fromEntries loses the key type; every key came from the catalogue.
) as Record<FailureCode, FailureSentences>;
