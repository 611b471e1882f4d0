/**
 * Keeps a program's credentials in a file that only its user can read.
 *
 * Invariant: the file appears whole and with mode 0600, or not at all. On Windows the folder's own
 * permissions protect it: keep it under %LOCALAPPDATA%.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseCredentials } from "./parse-answers.ts";
import type { Credentials } from "./session-proof.ts";

/** The credentials in `file`; undefined if there is none, or it cannot be read as one. */
export async function readCredentials(file: string): Promise<Credentials | undefined> {
  try {
    return parseCredentials(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** Replaces `file`, making its folder if need be. Rejects if the disk refuses. */
export async function writeCredentials(file: string, { clientId, clientKey }: Credentials): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporaryFile = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporaryFile, `${JSON.stringify({ clientId, clientKey })}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporaryFile, file);
  } catch (error) {
    await unlink(temporaryFile).catch(() => undefined);
    throw error;
  }
}

/** Whether others may read `file`. Always false on Windows, where the mode says nothing. */
export async function isOpenToOthers(file: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  const { mode } = await stat(file);
  return (mode & 0o077) !== 0;
}
