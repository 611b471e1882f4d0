/**
 * Writes a file that only its owner may read. Invariant: under its name stands the old content or the whole new one,
 * also after a power cut; never a part of it.
 */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { systemProblem } from "../../shared/system-problem.ts";

/** Writes `text` beside `path`, flushes it and renames it. Fails with `file_not_written`; then nothing of it is left. */
export async function writePrivateText(path: string, text: string): Promise<Result<undefined>> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFlushed(temporary, text);
    await rename(temporary, path);
    return ok();
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return err(failure("file_not_written", { problem: systemProblem(error) ?? "system error" }));
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  // `wx`: never through a link that somebody has put there.
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.sync();
}
