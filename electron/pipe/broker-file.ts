/**
 * `broker.json` in the profile folder: tells programs where the broker listens.
 *
 * Invariant: a reader finds a whole file or none, and a broker never removes another one's file.
 */
import { randomUUID } from "node:crypto";
import { readFile, rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { type BrokerFile, pipeProtocolVersion } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { errorCode } from "./error-code.ts";

const brokerFile: z.ZodType<BrokerFile> = z.object({ name: z.string(), protocol: z.int(), processId: z.int() });

/**
 * Writes `broker.json`.
 *
 * @param profileFolder must exist
 * @param name the pipe's name
 * @returns `pipe_failed` if it cannot be written
 */
export async function publishBrokerFile(profileFolder: string, name: string): Promise<Result<undefined>> {
  const content: BrokerFile = { name, protocol: pipeProtocolVersion, processId: process.pid };
  const temporaryFile = path.join(profileFolder, `.broker-${randomUUID()}.json`);
  try {
    await writeFile(temporaryFile, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporaryFile, brokerFilePath(profileFolder));
    return ok();
  } catch (error) {
    await unlink(temporaryFile).catch(() => undefined);
    return err(failure("pipe_failed", { problem: `broker.json: ${errorCode(error)}` }));
  }
}

/** Removes `broker.json` if it is this process's own. A file that is missing or unreadable is left alone. */
export async function removeBrokerFile(profileFolder: string): Promise<void> {
  const file = brokerFilePath(profileFolder);
  try {
    const content = brokerFile.parse(JSON.parse(await readFile(file, "utf8")));
    if (content.processId === process.pid) await unlink(file);
  } catch {
    // Missing, or not a broker file: nothing of ours to remove.
  }
}

function brokerFilePath(profileFolder: string): string {
  return path.join(profileFolder, "broker.json");
}
