/**
 * Replaces a small file so that a reader, or a computer that lost power, sees the old bytes or the new ones, never a mix.
 * Invariant: files are readable by their owner only, and no temporary file outlives the next write.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Writes and flushes a temporary file, calls `beforeRename`, renames it to `path` and flushes that folder. Throws the system's
 * error; then the old file is still there, unless `beforeRename` has moved it.
 *
 * @param temporaryFolder on the same disk as `path`; made if needed, for its owner only
 */
export function writeDurably(path: string, text: string, temporaryFolder: string, beforeRename: () => unknown = () => undefined): void {
  makeFolder(temporaryFolder);
  const temporary = join(temporaryFolder, `${randomBytes(6).toString("hex")}.tmp`);
  try {
    flush(temporary, "wx", (descriptor) => writeFileSync(descriptor, text));
    beforeRename();
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  // Windows cannot open a folder for flushing; NTFS journals the rename itself.
  if (process.platform !== "win32") flush(dirname(path), "r");
}

/** Removes, too, what a process left that was killed while it wrote. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  for (const name of readdirSync(folder)) if (name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
}

function flush(path: string, flags: "r" | "wx", write: (descriptor: number) => void = () => undefined): void {
  const descriptor = openSync(path, flags, 0o600);
  try {
    write(descriptor);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
