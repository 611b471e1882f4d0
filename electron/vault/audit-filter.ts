/**
 * Finds rows of the audit log by what is in their columns, whatever the case of letters.
 *
 * Invariant: the conditions for SQLite let through every row that `matches` would (the Kelvin sign, which is a capital k, aside);
 * they only spare reading most of the others.
 */
import type { AuditQuery } from "../../shared/ipc-contract.ts";
import type { AuditRowView } from "../../shared/views.ts";

/** Its outcome is a time, which is no refusal. */
const toldTime = "revoke.copies_end";

type Filter = Pick<AuditQuery, "outcome" | "text">;

/** Whether `row` meets every condition of `filter`. */
export function matches(row: AuditRowView, { outcome, text }: Filter): boolean {
  if (outcome === "ok" && row.outcome !== "ok") return false;
  if (outcome === "refused" && (row.outcome === "ok" || row.action === toldTime)) return false;
  if (text === undefined) return true;
  const wanted = text.toLowerCase();
  const columns = [row.action, row.actor, row.actorName, row.provider, row.user, row.outcome];
  return columns.some((column) => column?.toLowerCase().includes(wanted) ?? false);
}

/**
 * `text` as a LIKE pattern (escape character `\`) for the JSON of a row. LIKE knows upper and lower case of ASCII only, and
 * JSON writes some characters as escapes: those may be anything here.
 */
export function likePattern(text: string | undefined): string {
  if (text === undefined) return "%";
  const literal = text.toLowerCase().replace(otherThanPlain, "\0").replace(/[%_]/g, "\\$&");
  return `%${literal.replaceAll("\0", "%")}%`;
}

/** A GLOB pattern that every row with `text` fits: one that is not ASCII is in no row that is. */
export function globPattern(text: string | undefined): string {
  const isSeen = text !== undefined && text.isWellFormed() && /[^\0-\x7f]/.test(text.toLowerCase());
  return isSeen ? "*[^ -~]*" : "*";
}

/** Ends every row whose outcome is `ok`, and no other one: the text's last key is the outcome. */
export const okEnding = `%"outcome":"ok"}`;

/** What JSON escapes, and what has a case that LIKE does not know. */
const otherThanPlain = /[^ -~]+|["\\]+/g;
