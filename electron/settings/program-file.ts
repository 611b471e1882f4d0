/**
 * Programs that an administrator sets up without a prompt: the entries of a program file and of the policy
 * (docs/provisioning.md). Invariant: what is wrong is named by its place in the file, never by its value, which may be a key.
 */
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AccessPolicy, ProgramOrigin } from "../../shared/views.ts";
import { type DmsClientRecord, reservedActors } from "../core/ports.ts";

const plainText = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), "holds a character that cannot be seen")
    .refine((text) => /\S/u.test(text), "is blank");
const names = z.union([z.literal("all"), z.array(plainText(256)).min(1).max(1000)], 'must be "all" or a list of 1 to 1,000 names');

export const programEntries = z
  .array(
    z.strictObject({
      /** The pipe protocol's form of a client id. */
      clientId: z
        .string()
        .regex(/^[\w.~-]{1,128}$/, "1 to 128 of A–Z a–z 0–9 . ~ _ -")
        .refine((id) => !reservedActors.includes(id), "this word is the broker's own"),
      clientKey: z.string().regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/, "32 bytes in base64url, 43 characters"),
      name: plainText(64),
      publisher: plainText(64).exactOptional(),
      users: names,
      providers: names,
      until: z.iso.date().exactOptional(),
      requestsPerMinute: z.int().min(1).max(10_000_000).exactOptional(),
    }),
  )
  .min(1)
  .max(100)
  .refine((entries) => new Set(entries.map(({ clientId }) => clientId)).size === entries.length, "a clientId occurs twice");
const fileSchema = z.strictObject({ version: z.literal(1), programs: programEntries });

export type ProgramEntry = z.infer<typeof programEntries>[number];

/**
 * Reads the text of a program file.
 *
 * @returns its entries, or `program_file_unreadable` saying where it is wrong
 */
export function parseProgramFile(text: string): Result<readonly ProgramEntry[]> {
  const parsed = parseJsonFile(text, fileSchema);
  return parsed.ok ? ok(parsed.value.programs) : err(failure("program_file_unreadable", { problem: parsed.error }));
}

/** What a file holds, or in one line what is wrong with it. */
export function parseJsonFile<T>(text: string, schema: z.ZodType<T>): Result<T, string> {
  let value: unknown;
  try {
    // Editors on Windows put a byte order mark in front.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return err("it is not JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  if (issue === undefined) return err("it is not valid");
  // The names of unknown fields are not repeated: a key may have been put there by mistake.
  const what = issue.code === "unrecognized_keys" ? `unknown fields: ${issue.keys.length}` : issue.message;
  return err(`${issue.path.join(".") || "the file"}: ${what}`);
}

/** The program of an entry, as the broker keeps it. `until` is the last day of its access, local time. */
export function programOf(entry: ProgramEntry, origin: ProgramOrigin, nowMs: number): DmsClientRecord {
  const { clientId, clientKey, name, publisher, users, providers, until, requestsPerMinute } = entry;
  const access: AccessPolicy = {
    users,
    providers,
    ...(until === undefined ? {} : { untilMs: endOfDayMs(until) }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  };
  return { clientId, clientKey, name, ...(publisher === undefined ? {} : { publisher }), access, origin, pairedAtMs: nowMs };
}

function endOfDayMs(isoDate: string): number {
  const day = new Date(`${isoDate}T00:00:00`);
  // Not 24 hours later: days have 23 or 25 when clocks change.
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}
