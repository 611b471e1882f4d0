/**
 * Turns errors of SQLite and the file system into failures. A failure holds one short problem word or phrase from the
 * lists below, never SQL, a path's content or a value.
 */
import { ZodError } from "zod";
import { type Failure, type FailureParams, failure } from "../../shared/failure.ts";
import { systemProblem } from "../../shared/system-problem.ts";
import type { EnvelopeName } from "./key-envelope.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const sqliteProblems: Readonly<Record<number, string>> = {
  5: "in use by another program",
  6: "in use by another program",
  7: "out of memory",
  8: "read-only",
  10: "input/output error",
  11: "damaged file",
  13: "disk full",
  14: "cannot be opened",
  26: "damaged file",
};

/** What an error of SQLite or the file system means; `undefined` for any other error, which is a bug. */
export function problemOf(error: unknown): string | undefined {
  if (error instanceof ZodError) return "damaged file";
  const code = sqliteCode(error);
  // A database error nobody foresaw must not become an exception on the way to saving a rotated token.
  if (code !== undefined) return sqliteProblems[code] ?? "database error";
  return systemProblem(error);
}

/** Codes that a sound vault of ours does not give to statements of ours: ERROR (no such column), CORRUPT, CONSTRAINT, MISMATCH, NOTADB. */
const damageCodes = new Set([1, 11, 19, 20, 26]);

/**
 * Whether the error says that the file's content is no sound vault: SQLite's word, or a value of a form nothing of ours
 * writes.
 */
export function saysDamaged(error: unknown): boolean {
  const code = sqliteCode(error);
  return (code !== undefined && damageCodes.has(code)) || error instanceof ZodError;
}

/** Whether another process holds the file (SQLITE_BUSY, SQLITE_LOCKED). */
export function saysInUse(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6;
}

/** `vault_write_failed` for an error of SQLite or the file system. Throws any other error on: it is a bug. */
export function writeFailed(error: unknown): Failure {
  const problem = problemOf(error);
  if (problem === undefined) throw error;
  return failure("vault_write_failed", { problem });
}

/** `vault_backup_failed` for an error of SQLite or the file system. Throws any other error on. */
export function backupFailed(error: unknown): Failure {
  const problem = problemOf(error);
  if (problem === undefined) throw error;
  return failure("vault_backup_failed", { problem });
}

/** Damage that was met while the vault is open. */
export function needsRepair(): Failure {
  return failure("vault_needs_repair");
}

/** A vault that no envelope opens. `problems` says why, in one word for each place. */
export function lockedOut(problems: FailureParams): Failure {
  return failure("vault_locked", problems);
}

/** Another process has this vault open. */
export function vaultInUse(): Failure {
  return failure("vault_in_use");
}

/** The vault opens, but one of the two places for its key cannot be used. */
export function oneEnvelopeOnly(missing: EnvelopeName): Failure {
  const place = missing === "safeStorage" ? "the safe storage of this computer" : "the credential store of this computer";
  return failure("vault_key_single_copy", { missing, place });
}

/** A record that does not open for what it says it is. */
export function unreadable(provider: string): Failure {
  return failure("grant_unreadable", { provider });
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  // The low byte of an extended result code is its primary code.
  return error.errcode & 0xff;
}
