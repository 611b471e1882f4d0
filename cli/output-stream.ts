/** Writes a long text to standard output. Invariant: no faster than it is read, so that no more than a part of it waits in memory. */
import type { Writable } from "node:stream";
import { failure } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { systemProblem } from "../shared/system-problem.ts";

/** What a pipe says when its reader has gone; on Windows the first. */
const readerGone = new Set(["EOF", "EPIPE", "ERR_STREAM_DESTROYED"]);

/**
 * Writes all parts. A reader that has enough and goes away, as `head` does, is no failure. Fails with the first part that is
 * one, or `file_not_written`.
 */
export async function writeParts(output: Writable, parts: AsyncIterable<Result<string>>): Promise<Result<undefined>> {
  const { promise: broken, resolve } = Promise.withResolvers<Error>();
  // For good: an error that comes after the last part must not end the process with a stack.
  output.on("error", resolve);
  for await (const part of parts) {
    if (!part.ok) return part;
    const error = await Promise.race([written(output, part.value), broken]);
    if (error !== undefined) return outcomeOf(error);
  }
  return ok();
}

async function written(output: Writable, text: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    output.write(text, (error) => resolve(error ?? undefined));
  });
}

function outcomeOf(error: Error): Result<undefined> {
  if ("code" in error && typeof error.code === "string" && readerGone.has(error.code)) return ok();
  return err(failure("file_not_written", { problem: systemProblem(error) ?? "system error" }));
}
