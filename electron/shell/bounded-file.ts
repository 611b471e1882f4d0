/** Reads a file that a person or a start option names. Invariant: no more is read than allowed, whatever size the file claims to have. */
import { open } from "node:fs/promises";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";

/** A registration or program file takes a few kilobytes. */
const maxSmallBytes = 1024 * 1024;
/** An export takes about 5 kB a connection: this is more than 10,000. */
const maxTransferBytes = 64 * 1024 * 1024;

/** The text of a registration file, or `registration_file_unreadable` if it cannot be opened or is longer than 1 MiB. */
export async function readBoundedText(path: string): Promise<Result<string>> {
  return readSmall(path, "registration_file_unreadable");
}

/** The text of a program file, or `program_file_unreadable` if it cannot be opened or is longer than 1 MiB. */
export async function readProgramText(path: string): Promise<Result<string>> {
  return readSmall(path, "program_file_unreadable");
}

/** The text of an export, or `vault_transfer_unreadable` if it cannot be opened or is longer than 64 MiB. */
export async function readTransferText(path: string): Promise<Result<string>> {
  const text = await readUpTo(path, maxTransferBytes);
  return text.ok ? text : err(failure("vault_transfer_unreadable", { problem: text.error }));
}

async function readSmall(path: string, code: "registration_file_unreadable" | "program_file_unreadable"): Promise<Result<string>> {
  const text = await readUpTo(path, maxSmallBytes);
  if (text.ok) return text;
  return err(failure(code, { problem: text.error === "too large" ? "it is larger than 1 MiB" : "it could not be opened" }));
}

async function readUpTo(path: string, maxBytes: number): Promise<Result<string, "too large" | "not opened">> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await using file = await open(path, "r");
    // One byte more than allowed tells a full file from one that is too long; `end` counts from 0.
    for await (const chunk of file.createReadStream({ end: maxBytes, autoClose: false })) {
      const bytes = Buffer.from(chunk as Buffer); // a stream without encoding gives buffers
      chunks.push(bytes);
      length += bytes.length;
    }
  } catch {
    return err("not opened");
  }
  return length > maxBytes ? err("too large") : ok(Buffer.concat(chunks).toString("utf8"));
}
