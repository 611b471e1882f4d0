/**
 * The registration file a DMS vendor provides (docs/provisioning.md). Invariant: what is wrong is named by its place in
 * the file, never by its value, which may be a secret.
 */
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { RegistrationInput } from "../../shared/views.ts";
import { registrationSchema } from "./guards.ts";

const fileSchema = z.strictObject({ version: z.literal(1), registrations: z.array(registrationSchema).min(1).max(50) });

/**
 * Reads the text of a registration file.
 *
 * @returns its registrations, or `registration_file_unreadable` saying where it is wrong
 */
export function parseRegistrationFile(text: string): Result<readonly RegistrationInput[]> {
  let value: unknown;
  try {
    // Editors on Windows put a byte order mark in front.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return unreadable("it is not JSON");
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return ok(parsed.data.registrations);
  const issue = parsed.error.issues[0];
  if (issue === undefined) return unreadable("it is not valid");
  // The names of unknown fields are not repeated: a secret may have been put there by mistake.
  const what = issue.code === "unrecognized_keys" ? `unknown fields: ${issue.keys.length}` : issue.message;
  return unreadable(`${issue.path.join(".") || "the file"}: ${what}`);
}

function unreadable(problem: string): Result<never> {
  return err(failure("registration_file_unreadable", { problem }));
}
