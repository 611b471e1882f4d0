/**
 * The operating system's credential store: Windows Credential Manager, macOS Keychain, Secret Service on Linux.
 *
 * Invariant: it holds 32-byte keys only (Windows caps an entry at 2560 bytes), and on Linux never the kernel keyring,
 * which forgets at reboot. Errors of the library end here, as one word without its texts.
 */
import type { AsyncEntry } from "@napi-rs/keyring";
import { err, ok, type Result } from "../../shared/result.ts";
import { busAnswers } from "./session-bus.ts";

/** Why the store gave no answer. All of these may pass; none of them means that a key is gone. */
export type CredentialProblem = "unavailable" | "locked" | "denied" | "timed_out" | "failed";

export interface CredentialStore {
  /** The secret of `account`; `undefined` only when the store answered that it holds none. */
  readonly read: (account: string) => Promise<Result<Uint8Array | undefined, CredentialProblem>>;
  readonly write: (account: string, secret: Uint8Array) => Promise<Result<undefined, CredentialProblem>>;
  /** A success, too, when there was none. */
  readonly remove: (account: string) => Promise<Result<undefined, CredentialProblem>>;
}

/** How long the session bus and the Secret Service have to answer before the store counts as silent. */
const busTimeoutMs = 3_000;

/** The store of this computer, through `@napi-rs/keyring`. Opens nothing until it is used. */
export function createKeyringCredentialStore(service = "DMS Connect", timeoutMs = busTimeoutMs): CredentialStore {
  /** Runs `work` on the entry of `account`. The library's constructor waits for D-Bus without letting go of the thread. */
  const onEntry = async <T>(account: string, work: (entry: AsyncEntry) => Promise<T>): Promise<Result<T, CredentialProblem>> => {
    try {
      if (process.platform === "linux" && !(await busAnswers("org.freedesktop.secrets", timeoutMs))) return err("timed_out");
      // Loaded late: a native module that does not load is a store that is not there, not a broker that does not start.
      const keyring = await import("@napi-rs/keyring");
      return ok(await work(new keyring.AsyncEntry(service, account, { linux: { store: "secret-service" } })));
    } catch (error) {
      return err(credentialProblem(error));
    }
  };
  return {
    read: (account) =>
      onEntry(account, async (entry) => {
        const secret = await entry.getSecret();
        if (secret === null) return undefined;
        const bytes = Uint8Array.from(secret);
        secret.fill(0);
        return bytes;
      }),
    write: (account, secret) =>
      onEntry(account, async (entry) => {
        await entry.setSecret(secret);
        return undefined;
      }),
    remove: (account) =>
      onEntry(account, async (entry) => {
        // False means that the store holds none.
        await entry.deleteCredential();
        return undefined;
      }),
  };
}

/**
 * What an error of the library means. keyring-core names its variants in its texts (error.rs: "Platform failure: …" for
 * PlatformFailure, "Couldn't access platform storage: …" for NoStorageAccess); an absent entry is no error but `null`.
 */
export function credentialProblem(error: unknown, platform: NodeJS.Platform = process.platform): CredentialProblem {
  const text = error instanceof Error ? error.message : "";
  if (/cannot find (native|module)/i.test(text)) return "unavailable";
  if (platform === "darwin") return keychainProblem(text);
  // dbus-secret-service error.rs: Locked, and Prompt when a person dismissed the prompt that would have unlocked it.
  if (/object locked|prompt was dismissed|is locked/i.test(text)) return "locked";
  // CredRead and CredWrite (wincred.h): ERROR_ACCESS_DENIED; org.freedesktop.DBus.Error.AccessDenied.
  if (/windows error code 5\b|access ?denied|not permitted|not allowed/i.test(text)) return "denied";
  // The rest of both variants: no bus, no service, no default collection, ERROR_NO_SUCH_LOGON_SESSION.
  return saysPlatformFailure(text) || saysNoAccess(text) || /no default/i.test(text) ? "unavailable" : "failed";
}

/**
 * macOS: apple-native-keyring-store (keychain.rs, `decode_error`) makes NoStorageAccess of a keychain that is not there or
 * read-only, no error of errSecItemNotFound, and PlatformFailure of everything else, with the system's sentence and without
 * its number. What is left then is a person or a policy that said no: errSecAuthFailed (-25293, also after Deny),
 * errSecUserCanceled (-128); and errSecInteractionNotAllowed (-25308), where nobody could be asked because the session has no
 * screen or the keychain is locked. The sentences come in the language of the app, so an unknown one counts as the former.
 */
function keychainProblem(text: string): CredentialProblem {
  if (saysNoAccess(text)) return "unavailable";
  if (!saysPlatformFailure(text)) return "failed";
  return /interaction is not allowed|-25308\b/i.test(text) ? "locked" : "denied";
}

function saysPlatformFailure(text: string): boolean {
  return /platform (secure storage )?failure/i.test(text);
}

function saysNoAccess(text: string): boolean {
  return /couldn't access platform (secure )?storage/i.test(text);
}
