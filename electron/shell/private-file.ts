/**
 * Writes a file that only its owner may read. Invariant: under its name stands the old content or the whole new one,
 * also after a power cut; never a part of it.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { systemProblem } from "../../shared/system-problem.ts";

/** Writes `text` beside `path`, flushes it and renames it. Fails with `file_not_written`; then nothing of it is left. */
export function writePrivateText(path: string, text: string): Promise<Result<undefined>> {
  return writeWhole(path, async (file) => {
    await file.writeFile(text);
    return ok();
  });
}

/** The same for a text that comes in parts and is never in memory as a whole. Fails with the first part that is a failure, too. */
export function writePrivateParts(path: string, parts: AsyncIterable<Result<string>>): Promise<Result<undefined>> {
  return writeWhole(path, async (file) => {
    for await (const part of parts) {
      if (!part.ok) return part;
      await file.writeFile(part.value);
    }
    return ok();
  });
}

async function writeWhole(path: string, write: (file: FileHandle) => Promise<Result<undefined>>): Promise<Result<undefined>> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const written = await writeFlushed(temporary, write);
    if (written.ok) await rename(temporary, path);
    else await rm(temporary, { force: true });
    return written;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return err(failure("file_not_written", { problem: systemProblem(error) ?? "system error" }));
  }
}

async function writeFlushed(path: string, write: (file: FileHandle) => Promise<Result<undefined>>): Promise<Result<undefined>> {
  // `wx`: never through a link that somebody has put there.
  await using file = await open(path, "wx", 0o600);
  const written = await write(file);
  if (written.ok) await file.sync();
  return written;
}
