/**
 * A second account, and acting as it, to show what another user may do. For tests only.
 *
 * Invariant: while the process acts as another user, nothing but synchronous calls is made, and it acts as itself again
 * before the function returns; if that should fail, the process ends.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { openNativeLibrary } from "../native-library.ts";
import { type NativeNumber, succeed, type WindowsCalls } from "../windows-calls.ts";
import { sidOfToken } from "../windows-user.ts";

/** LogonUser: the kind of logon, and who checks it (winbase.h). */
const logons = {
  /** At the computer itself. */
  interactive: { kind: 2, provider: 0 },
  /** From another computer: the token has NETWORK in it. */
  network: { kind: 3, provider: 0 },
  /** As oneself on this computer, and with the other account's name and password wherever a path leads over the network. */
  credentialsForNetwork: { kind: 9, provider: 3 },
} as const;

export type Logon = keyof typeof logons;

export interface OtherUser {
  readonly sid: string;
  /** Does `work` as that user, who has logged on in that way. */
  readonly act: <T>(logon: Logon, work: () => T) => T;
  /** Removes the account. */
  readonly remove: () => void;
}

/**
 * Makes a local account with no rights but those of a user. Throws if this process is not an administrator's, and where
 * Windows has no such accounts (Wine).
 */
export async function createOtherUser(calls: WindowsCalls): Promise<OtherUser> {
  const advapi32 = await openNativeLibrary("advapi32.dll");
  if (advapi32 === undefined) throw new Error("advapi32 could not be loaded");
  const logOn = advapi32.func("LogonUserW", "int", ["str16", "str16", "str16", "int", "int", "void *"]);
  const impersonate = advapi32.func("ImpersonateLoggedOnUser", "int", ["intptr_t"]);
  const revert = advapi32.func("RevertToSelf", "int", []);
  const name = `dms-${randomBytes(4).toString("hex")}`;
  // 14 characters: `net` asks a question about longer ones. Small, large, digit and sign, as Windows wants it.
  const password = `aA1!${randomBytes(5).toString("hex")}`;
  net("user", name, password, "/add");
  const withToken = <T>(logon: Logon, work: (token: NativeNumber) => T): T => {
    const token = new BigUint64Array(1);
    const { kind, provider } = logons[logon];
    succeed(calls, `LogonUser (${logon})`, Number(logOn(name, ".", password, kind, provider, token)));
    const [handle = 0n] = token;
    try {
      return work(handle);
    } finally {
      calls.closeHandle(handle);
    }
  };
  const act: OtherUser["act"] = (logon, work) =>
    withToken(logon, (token) => {
      succeed(calls, "ImpersonateLoggedOnUser", Number(impersonate(token)));
      try {
        return work();
      } finally {
        if (Number(revert()) === 0) process.kill(process.pid, "SIGKILL");
      }
    });
  const remove = (): void => net("user", name, "/delete");
  try {
    return { sid: withToken("interactive", (token) => sidOfToken(calls, token)), act, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** net.exe by its full path, so that no folder on PATH can slip in another one. Throws if it refuses. */
function net(...args: readonly string[]): void {
  const file = path.win32.join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", "net.exe");
  try {
    execFileSync(file, args, { stdio: "ignore", timeout: 30_000, windowsHide: true });
  } catch {
    // Its own error would repeat the arguments, and with them the password.
    throw new Error(`net ${args[0] ?? ""} failed; is this an administrator's session?`);
  }
}
