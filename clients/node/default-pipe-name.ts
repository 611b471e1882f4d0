/**
 * The names a broker has when nobody chose one. Broker and programs must arrive at the same string
 * without talking to each other, so this is the only place where it is made.
 *
 * Invariant: two users, and two sessions of one terminal server, never share a name.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { homedir, tmpdir, userInfo } from "node:os";
import path from "node:path";

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export interface WindowsUser {
  /** The user's SID, or `domain\user` in lower case where the SID cannot be read. */
  readonly identity: string;
  /** Number of the logon session (terminal servers have many). */
  readonly sessionId: string;
}

/** What a name depends on; replaceable, so that every platform's rule runs in tests. */
export interface PipeNameSources {
  readonly platform: NodeJS.Platform;
  readonly env: EnvironmentVariables;
  readonly temporaryFolder: string;
  readonly userId: number;
  readonly windowsUser: () => Promise<WindowsUser>;
}

/** The sources of the running process. */
export function systemPipeNameSources(): PipeNameSources {
  return {
    platform: process.platform,
    env: process.env,
    temporaryFolder: tmpdir(),
    userId: process.getuid?.() ?? 0,
    windowsUser: readWindowsUser,
  };
}

/** The pipe name of this user and session: a Windows pipe, or a Unix socket in a folder of the user's own. */
export async function defaultPipeName(sources: PipeNameSources): Promise<string> {
  if (sources.platform === "win32") return windowsPipeName(await sources.windowsUser());
  // XDG Base Directory Specification: XDG_RUNTIME_DIR is the user's own, mode 0700, and must be absolute.
  const runtimeFolder = sources.env["XDG_RUNTIME_DIR"];
  if (runtimeFolder !== undefined && path.isAbsolute(runtimeFolder)) return path.join(runtimeFolder, "dms-connect", "broker.sock");
  return path.join(sources.temporaryFolder, `dms-connect-${sources.userId}`, "broker.sock");
}

/** `\\.\pipe\dms-connect-<first 16 hex digits of SHA-256 of the identity>-<session id>`. The pipe namespace is machine-wide. */
export function windowsPipeName(user: WindowsUser): string {
  const identityHash = createHash("sha256").update(user.identity, "utf8").digest("hex").slice(0, 16);
  return `\\\\.\\pipe\\dms-connect-${identityHash}-${user.sessionId}`;
}

/** The folder in which the app publishes `broker.json`: local to this computer, never roaming. `DMS_CONNECT_PROFILE` overrides. */
export function defaultProfileFolder(platform: NodeJS.Platform, env: EnvironmentVariables, home: string = homedir()): string {
  const chosen = env["DMS_CONNECT_PROFILE"];
  if (chosen !== undefined && chosen !== "") return chosen;
  if (platform === "win32") return path.win32.join(env["LOCALAPPDATA"] ?? path.win32.join(home, "AppData", "Local"), "dms-connect");
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "dms-connect");
  const configFolder = env["XDG_CONFIG_HOME"];
  return path.join(configFolder !== undefined && path.isAbsolute(configFolder) ? configFolder : path.join(home, ".config"), "dms-connect");
}

/** Takes the SID out of `whoami /user /fo csv /nh`: `"domain\user","S-1-5-21-…"`. */
export function parseWhoami(output: string): string | undefined {
  return /"(S-1-[0-9-]+)"/.exec(output)?.[1];
}

/** Takes the session number out of `tasklist /fi "PID eq N" /fo csv /nh`: its fourth column. */
export function parseTasklist(output: string): string | undefined {
  return /^"[^"]*","\d+","[^"]*","(\d+)"/m.exec(output)?.[1];
}

/** Neither changes while a process runs, and asking starts two programs: a program that looks for the broker again must not. */
let known: WindowsUser | undefined;

async function readWindowsUser(): Promise<WindowsUser> {
  if (known !== undefined) return known;
  const [whoami, tasklist] = await Promise.all([
    runSystemProgram("whoami.exe", ["/user", "/fo", "csv", "/nh"]),
    runSystemProgram("tasklist.exe", ["/fi", `PID eq ${process.pid}`, "/fo", "csv", "/nh"]),
  ]);
  const [sid, sessionId] = [parseWhoami(whoami), parseTasklist(tasklist)];
  if (sid !== undefined && sessionId !== undefined) known = { identity: sid, sessionId };
  const accountName = `${process.env["USERDOMAIN"] ?? "."}\\${userInfo().username}`.toLowerCase();
  return { identity: sid ?? accountName, sessionId: sessionId ?? "0" };
}

/** Runs a program of System32 by its full path, so that no folder on PATH can slip in another one. Empty when it fails. */
function runSystemProgram(name: string, args: readonly string[]): Promise<string> {
  const file = path.win32.join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", name);
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 5_000, windowsHide: true }, (error, stdout) => resolve(error === null ? stdout : ""));
  });
}
