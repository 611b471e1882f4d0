/**
 * The operating system's credential store: Windows Credential Manager, macOS Keychain, Secret Service on Linux.
 *
 * Invariant: it holds 32-byte keys only (Windows caps an entry at 2560 bytes), and on Linux never the kernel keyring,
 * which forgets at reboot. Errors of the library end here, as one word without its texts.
 */
import { err, ok, type Result } from "../../shared/result.ts";

/** Why the store gave no answer. All of these may pass; none of them means that a key is gone. */
export type CredentialProblem = "unavailable" | "locked" | "denied" | "timed_out" | "failed";

export interface CredentialStore {
  /** The secret of `account`; `undefined` only when the store answered that it holds none. */
  readonly read: (account: string) => Promise<Result<Uint8Array | undefined, CredentialProblem>>;
  readonly write: (account: string, secret: Uint8Array) => Promise<Result<undefined, CredentialProblem>>;
}

/** The store of this computer, through `@napi-rs/keyring`. Opens nothing until it is used. */
export function createKeyringCredentialStore(service = "DMS Connect"): CredentialStore {
  const entry = async (account: string) => {
    // Loaded late: a native module that does not load is a store that is not there, not a broker that does not start.
    const { AsyncEntry } = await import("@napi-rs/keyring");
    return new AsyncEntry(service, account, { linux: { store: "secret-service" } });
  };
  return {
    read: (account) =>
      attempt(async () => {
        const secret = await (await entry(account)).getSecret();
        return secret === null ? undefined : Uint8Array.from(secret);
      }),
    write: (account, secret) =>
      attempt(async () => {
        await (await entry(account)).setSecret(secret);
        return undefined;
      }),
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<Result<T, CredentialProblem>> {
  try {
    return ok(await work());
  } catch (error) {
    return err(credentialProblem(error));
  }
}

/** keyring-rs names its error variants in its texts: PlatformFailure, NoStorageAccess, Ambiguous, … */
export function credentialProblem(error: unknown): CredentialProblem {
  const text = error instanceof Error ? error.message : "";
  if (/denied|not permitted|not allowed/i.test(text)) return "denied";
  if (/couldn't access platform storage|locked|dismissed/i.test(text)) return "locked";
  if (/platform failure|dbus|d-bus|secret service|no default|cannot find (native|module)/i.test(text)) return "unavailable";
  return "failed";
}
