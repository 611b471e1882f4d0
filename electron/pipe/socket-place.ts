/**
 * The place of the Unix socket: a folder that is the user's alone, and no leftover socket in it.
 *
 * Invariant: only a socket that refuses connections is ever removed. A folder that others may enter is
 * refused, not repaired: it may be somebody else's.
 */
import { chmodSync } from "node:fs";
import { lstat, mkdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { errorCode } from "./error-code.ts";

/**
 * Makes `socketPath` ready to be listened on.
 *
 * @returns `pipe_in_use` if somebody listens there, `pipe_failed` if the place cannot be used
 */
export async function prepareSocketPlace(socketPath: string): Promise<Result<undefined>> {
  try {
    const folderProblem = await prepareFolder(path.dirname(socketPath));
    if (folderProblem !== undefined) return err(failure("pipe_failed", { problem: folderProblem }));
    return await removeStaleSocket(socketPath);
  } catch (error) {
    return err(failure("pipe_failed", { problem: errorCode(error) }));
  }
}

/**
 * Only the user may connect. The folder already keeps others out, so no moment is unguarded. Synchronous, so that it is done
 * before the first connection is looked at.
 */
export function closeSocketToOthers(socketPath: string): Result<undefined> {
  try {
    chmodSync(socketPath, 0o600);
    return ok();
  } catch (error) {
    return err(failure("pipe_not_private", { problem: errorCode(error) }));
  }
}

async function prepareFolder(folder: string): Promise<string | undefined> {
  // `mode` holds for the folders that are made; the checks below are for one that was there already.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return `${folder} is not a folder`;
  if (stats.uid !== process.getuid?.()) return `${folder} belongs to another user`;
  if ((stats.mode & 0o077) !== 0) return `${folder} is open to other users; it needs mode 0700`;
  return undefined;
}

/** A socket file outlives a killed broker (unix(7)): one that refuses connections is such a leftover. */
async function removeStaleSocket(socketPath: string): Promise<Result<undefined>> {
  const stats = await lstat(socketPath).catch(() => undefined);
  if (stats === undefined) return ok();
  if (!stats.isSocket()) return err(failure("pipe_failed", { problem: `${socketPath} is not a socket` }));
  const outcome = await probe(socketPath);
  if (outcome === "ENOENT") return ok();
  // EAGAIN: somebody listens, with a full queue.
  if (outcome === "connected" || outcome === "EAGAIN") return err(failure("pipe_in_use", { name: socketPath }));
  if (outcome !== "ECONNREFUSED") return err(failure("pipe_failed", { problem: outcome }));
  // Two brokers that start at once could remove each other's socket here; the app's single-instance lock excludes that.
  await unlink(socketPath);
  return ok();
}

function probe(socketPath: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", (error) => resolve(errorCode(error)));
  });
}
