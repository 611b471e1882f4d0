/**
 * Writes a program file and the credentials that belong to it.
 *
 * Invariants: the new program is in both files or in neither. A program file that is there keeps its programs, and under
 * its name stands the old content or the whole new one.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { type ProgramEntry, parseProgramFile, programEntries, programOf } from "../electron/settings/program-file.ts";
import { failure } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import { systemProblem } from "../shared/system-problem.ts";
import { UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportLocalFailure } from "./report-failure.ts";

export interface ProgramFileTask {
  /** The program without its key; a client id is made if absent. */
  readonly entry: Omit<ProgramEntry, "clientId" | "clientKey"> & { readonly clientId?: string };
  /** The program file: made, or added to. */
  readonly file: string;
  readonly credentialsFile: string;
}

/** What DMS Connect reads of a program file at most. */
const maxFileBytes = 1024 * 1024;

/** Does the task and says what to do next. Throws `UsageError`. Returns the exit code. */
export async function writeProgramFile(task: ProgramFileTask): Promise<number> {
  const [file, credentialsFile] = [path.resolve(task.file), path.resolve(task.credentialsFile)];
  if (file === credentialsFile) throw new UsageError("--output and --credentials-output are the same file");
  const entry = newEntry(task.entry);
  // Made first and renamed last: of two commands at a time, the second one finds it and adds nothing to old content.
  const newFile = `${file}.new`;
  try {
    const handle = await open(newFile, "wx", 0o600).catch((error: unknown) => {
      throw isThere(error) ? new BeingWritten() : error;
    });
    try {
      return await addTo({ file, newFile, credentialsFile }, handle, entry);
    } finally {
      await handle.close();
      await rm(newFile, { force: true });
    }
  } catch (error) {
    if (error instanceof BeingWritten) return reportBeingWritten(newFile);
    const problem = systemProblem(error);
    if (problem === undefined) throw error;
    return reportLocalFailure(failure("file_not_written", { problem }));
  }
}

interface Files {
  readonly file: string;
  readonly newFile: string;
  readonly credentialsFile: string;
}

class BeingWritten extends Error {}

async function addTo(files: Files, handle: FileHandle, entry: ProgramEntry): Promise<number> {
  const { file, newFile, credentialsFile } = files;
  const before = await readPrograms(file);
  if (!before.ok) return reportLocalFailure(before.error, `Correct ${file}, or choose another file with --output.`);
  const programs = [...(before.value ?? []), entry];
  const text = textOf(programs);
  await writeCredentials(credentialsFile, entry);
  try {
    if (before.value === undefined) await writeNew(file, text);
    else {
      await writeFlushed(handle, text);
      await handle.close();
      await rename(newFile, file);
    }
  } catch (error) {
    await rm(credentialsFile, { force: true });
    throw error;
  }
  tellNextSteps(files, entry, programs.length);
  return exitCodes.ok;
}

/** The checked entry with a new key. Throws `UsageError` naming the option, never a value. */
function newEntry(given: ProgramFileTask["entry"]): ProgramEntry {
  const clientKey = randomBytes(32).toString("base64url");
  const parsed = programEntries.safeParse([{ clientId: randomUUID(), clientKey, ...given }]);
  const [entry] = parsed.data ?? [];
  if (entry === undefined) {
    throw new UsageError(problemOf(parsed.error?.issues[0]));
  }
  const nowMs = Date.now();
  if ((programOf(entry, "imported", nowMs).access.untilMs ?? nowMs + 1) <= nowMs) throw new UsageError("--until: this day is over");
  return entry;
}

const options: Readonly<Record<string, string>> = {
  clientId: "--client-id",
  users: "--user",
  providers: "--provider",
  requestsPerMinute: "--requests-per-minute",
};

function problemOf(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): string {
  const field = String(issue?.path[1]);
  const isList = field === "users" || field === "providers";
  const problem = isList ? "at most 1,000, each of 1 to 256 characters that can be seen" : (issue?.message ?? "it is not valid");
  return `${options[field] ?? `--${field}`}: ${problem}`;
}

/** The programs of the file; undefined if there is no such file. */
async function readPrograms(file: string): Promise<Result<readonly ProgramEntry[] | undefined>> {
  try {
    const { size } = await stat(file);
    // A file of this size is none that DMS Connect would take.
    return parseProgramFile(size > maxFileBytes ? "" : await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return ok(undefined);
    throw error;
  }
}

function textOf(programs: readonly ProgramEntry[]): string {
  const text = `${JSON.stringify({ version: 1, programs }, undefined, 2)}\n`;
  const parsed = parseProgramFile(text);
  if (!parsed.ok) throw new UsageError(`with this program the file could not be imported: ${String(parsed.error.params["problem"])}`);
  if (Buffer.byteLength(text) > maxFileBytes) throw new UsageError("with this program the file would be larger than 1 MiB");
  return text;
}

async function writeCredentials(file: string, { clientId, clientKey }: ProgramEntry): Promise<void> {
  try {
    await writeNew(file, `${JSON.stringify({ clientId, clientKey })}\n`);
  } catch (error) {
    throw isThere(error) ? new UsageError(`${file} is there already; choose another name`) : error;
  }
}

/** Makes a file that is not there yet. If that fails nothing of it is left. */
async function writeNew(file: string, text: string): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await writeFlushed(handle, text);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function writeFlushed(handle: FileHandle, text: string): Promise<void> {
  await handle.writeFile(text);
  await handle.sync();
}

function isThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function reportBeingWritten(newFile: string): number {
  console.error(`dms-connect: ${newFile} is there: another command is writing, or one was interrupted.`);
  console.error("What to do: Wait for the other command. If there is none, delete this file and try again.");
  return exitCodes.failed;
}

function tellNextSteps({ file, credentialsFile }: Files, entry: ProgramEntry, count: number): void {
  console.log(`Client id: ${entry.clientId}`);
  console.log(`Access: ${accessOf(entry)}`);
  console.log(`Program file: ${file} (${count} ${count === 1 ? "program" : "programs"})`);
  console.log(`Credentials: ${credentialsFile}`);
  console.error(`
What to do next:
1. Bring ${path.basename(file)} to DMS Connect: choose it on the page DMS programs, or start DMS Connect with
   --import-programs=FILE, or copy what it holds into the computer's policy. Then delete it.
2. Give ${path.basename(credentialsFile)} to the program's user, where only this user can read it.
Both files hold the program's key, which is a secret. See docs/provisioning.md.`);
  if (process.platform === "win32") console.error("On Windows everybody who may read their folder may read them.");
}

function accessOf({ users, providers, until, requestsPerMinute }: ProgramEntry): string {
  const names = (what: string, which: "all" | readonly string[]) => (which === "all" ? `all ${what}` : `${what} ${which.join(", ")}`);
  return [
    names("users", users),
    names("providers", providers),
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute} requests a minute`]),
  ].join("; ");
}
