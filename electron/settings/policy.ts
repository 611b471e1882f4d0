/**
 * What an administrator has ruled for every user of this computer (docs/provisioning.md).
 *
 * Invariants: read once, at the start. A policy that is there and cannot be used forbids what it might have forbidden. On
 * Unix it counts only if nobody but its owner, root or this user, could have written it, and if it holds keys, only if not
 * everybody could read them.
 */
import { constants, type FileHandle, lstat, open } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { systemProblem } from "../../shared/system-problem.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import { parseJsonFile, programEntries, programOf } from "./program-file.ts";

/** Room for a hundred programs with long lists of users. */
const maxPolicyBytes = 4 * 1024 * 1024;
const policySchema = z.strictObject({
  version: z.literal(1),
  pairing: z.enum(["allowed", "forbidden"]).exactOptional(),
  programs: programEntries.exactOptional(),
  startAtLogin: z.boolean().exactOptional(),
});

export interface ComputerPolicy {
  readonly pairing: "allowed" | "forbidden";
  readonly programs: readonly DmsClientRecord[];
  /** Whether the app starts when somebody signs in to the computer; absent: each person chooses. */
  readonly startAtLogin?: boolean;
  /** `policy_unreadable`, when there is one that cannot be used. */
  readonly notices: readonly Failure[];
}

/**
 * Where the policy of a computer may lie; the first that is there counts. The first place is a folder that only
 * administrators may write; the second, `DMS_CONNECT_POLICY`, is for trying one out and cannot replace the first.
 */
export function policyFiles(platform: NodeJS.Platform, environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const tried = environment["DMS_CONNECT_POLICY"];
  return [computerFile(platform, environment), ...(tried === undefined || tried === "" ? [] : [tried])];
}

function computerFile(platform: NodeJS.Platform, environment: Readonly<Record<string, string | undefined>>): string {
  if (platform === "win32") return path.win32.join(environment["ProgramData"] ?? "C:\\ProgramData", "dms-connect", "policy.json");
  return platform === "darwin" ? "/Library/Application Support/dms-connect/policy.json" : "/etc/dms-connect/policy.json";
}

/** Reads the first policy that is there. Never fails; without one everything is allowed. */
export async function readPolicy(files: readonly string[], nowMs: number): Promise<ComputerPolicy> {
  for (const file of files) {
    const read = await readTrusted(file);
    if (read !== undefined) return policyOf(file, read, nowMs);
  }
  return { pairing: "allowed", programs: [], notices: [] };
}

function policyOf(file: string, read: Result<TrustedText, string>, nowMs: number): ComputerPolicy {
  if (!read.ok) return unusable(file, read.error);
  const { text, everybodyReads } = read.value;
  const parsed = parseJsonFile(text, policySchema);
  if (!parsed.ok) return unusable(file, parsed.error);
  const { pairing = "allowed", programs = [], startAtLogin } = parsed.value;
  if (programs.length > 0 && everybodyReads) {
    return unusable(file, "it holds keys, and every user of this computer may read it");
  }
  return {
    pairing,
    programs: programs.map((entry) => programOf(entry, "policy", nowMs)),
    ...(startAtLogin === undefined ? {} : { startAtLogin }),
    notices: [],
  };
}

function unusable(file: string, problem: string): ComputerPolicy {
  return { pairing: "forbidden", programs: [], notices: [failure("policy_unreadable", { file, problem })] };
}

interface TrustedText {
  readonly text: string;
  readonly everybodyReads: boolean;
}

/** The text of the file; undefined if there is none. */
async function readTrusted(file: string): Promise<Result<TrustedText, string> | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY);
    return await readHandle(handle);
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    // A link that leads nowhere is a policy that cannot be read just now.
    if (isAbsent && (await isThere(file))) return err("the file that it links to is not there");
    return isAbsent ? undefined : err(systemProblem(error) ?? "system error");
  }
}

function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

async function readHandle(handle: FileHandle): Promise<Result<TrustedText, string>> {
  const { size, mode, uid } = await handle.stat();
  if (size > maxPolicyBytes) return err("it is larger than 4 MiB");
  const me = process.getuid?.();
  if (me === undefined) return ok({ text: await handle.readFile("utf8"), everybodyReads: false });
  if (uid !== 0 && uid !== me) return err("it belongs to another user");
  if ((mode & 0o022) !== 0) return err("others may write it");
  return ok({ text: await handle.readFile("utf8"), everybodyReads: (mode & 0o004) !== 0 });
}
