/** Reads a file that a person or a start option names. Invariant: at most 1 MiB is read, whatever size the file claims to have. */
import { open } from "node:fs/promises";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";

/** A registration file takes a few kilobytes. */
const maxFileBytes = 1024 * 1024;

/** The text of a file, or `registration_file_unreadable` if it cannot be opened or is longer than 1 MiB. */
export async function readBoundedText(path: string): Promise<Result<string>> {
  try {
    await using file = await open(path, "r");
    // One byte more than allowed tells a full file from one that is too long, whatever its stated size.
    const buffer = Buffer.alloc(maxFileBytes + 1);
    const bytes = await fill(file, buffer);
    if (bytes > maxFileBytes) return unreadable("it is larger than 1 MiB");
    return ok(buffer.toString("utf8", 0, bytes));
  } catch {
    return unreadable("it could not be opened");
  }
}

async function fill(file: Awaited<ReturnType<typeof open>>, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function unreadable(problem: string): Result<string> {
  return err(failure("registration_file_unreadable", { problem }));
}
