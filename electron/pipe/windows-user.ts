/**
 * Who this process is, by Windows' own word: the user's SID and the logon session.
 *
 * Invariant: both come from the process's token and number, which no environment variable and no program on PATH can change.
 */
import type { WindowsUser } from "../../clients/node/default-pipe-name.ts";
import { allocatedText, loadWindowsCalls, type NativeNumber, succeed, type WindowsCalls } from "./windows-calls.ts";

/** GetCurrentProcess: a number that always means this process. */
const thisProcess = -1;
/** For a token: that of the calling thread. */
const thisThread = 0;
const tokenQuery = 0x8;
/** TOKEN_INFORMATION_CLASS */
const tokenUser = 1;
/** A TOKEN_USER with the longest SID takes 84 bytes. */
const tokenUserBytes = 128;
/** NT AUTHORITY\\NETWORK: in every token that was made for a logon over the network. */
const networkSid = "S-1-5-2";

/** @returns undefined where Windows cannot be asked */
export async function readWindowsUserNatively(): Promise<WindowsUser | undefined> {
  try {
    const calls = await loadWindowsCalls();
    return calls && { identity: ownSid(calls), sessionId: String(ownSessionId(calls)) };
  } catch {
    return undefined;
  }
}

/** `S-1-5-21-…` of the user this process runs as. Throws a `WindowsCallError`. */
export function ownSid(calls: WindowsCalls): string {
  const token = new BigUint64Array(1);
  succeed(calls, "OpenProcessToken", calls.openProcessToken(thisProcess, tokenQuery, token));
  const [handle = 0n] = token;
  try {
    return sidOfToken(calls, handle);
  } finally {
    calls.closeHandle(handle);
  }
}

/** The user of a token. Throws a `WindowsCallError`. */
export function sidOfToken(calls: WindowsCalls, token: NativeNumber): string {
  const user = Buffer.alloc(tokenUserBytes);
  const read = calls.getTokenInformation(token, tokenUser, user, tokenUserBytes, new Uint32Array(1));
  succeed(calls, "GetTokenInformation", read);
  // TOKEN_USER begins with the address of the SID, which lies behind it in the same buffer.
  return allocatedText(calls, "ConvertSidToStringSid", (text) => calls.convertSidToStringSid(calls.addressIn(user), text));
}

/** Whether this process runs in a session that was opened from another computer (SSH, WinRM; not Remote Desktop). */
export function isNetworkLogon(calls: WindowsCalls): boolean {
  const place = new BigUint64Array(1);
  succeed(calls, "ConvertStringSidToSid", calls.convertStringToSid(networkSid, place));
  const [sid = 0n] = place;
  const isMember = new Uint32Array(1);
  try {
    succeed(calls, "CheckTokenMembership", calls.checkTokenMembership(thisThread, sid, isMember));
  } finally {
    calls.localFree(sid);
  }
  return isMember[0] !== 0;
}

function ownSessionId(calls: WindowsCalls): number {
  const sessionId = new Uint32Array(1);
  succeed(calls, "ProcessIdToSessionId", calls.processIdToSessionId(process.pid, sessionId));
  return sessionId[0] ?? 0;
}
