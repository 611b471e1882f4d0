/**
 * The audit log as files for others (docs/audit.md).
 *
 * Invariants: JSON lines carry each row's text byte for byte, so that the chain can be checked without this program; no cell
 * of the CSV is taken for a formula by a spreadsheet; every row is in the file, also one that cannot be read.
 */
import type { AuditExportFormat, AuditRowView } from "../../shared/views.ts";
import { readEntry, type StoredAuditRow } from "./audit-chain.ts";

export interface AuditFileForm {
  readonly heading: string;
  readonly line: (row: StoredAuditRow) => string;
}

const columns = ["sequence", "time", "action", "actor", "actorName", "provider", "environment", "user", "outcome", "hash"] as const;

/** How a file of each format is written. */
export const auditFileForms: Readonly<Record<AuditExportFormat, AuditFileForm>> = {
  // The byte order mark has Excel read the rest as UTF-8.
  csv: { heading: `\uFEFF${columns.join(",")}\r\n`, line: csvLine },
  jsonl: { heading: "", line: jsonLine },
};

/** The row's own text with its hash added at the end. */
function jsonLine({ sequence, entry, hash }: StoredAuditRow): string {
  const hex = toHex(hash);
  // A text that somebody has changed could break out of its line.
  const isOneObject = entry.endsWith("}") && !/[\r\n]/.test(entry) && readEntry(entry) !== undefined;
  if (!isOneObject) return `${JSON.stringify({ sequence, unreadable: entry, hash: hex })}\n`;
  return `${entry.slice(0, -1)},"hash":"${hex}"}\n`;
}

/** RFC 4180, with an unreadable row's text in the place of its action. */
function csvLine({ sequence, entry, hash }: StoredAuditRow): string {
  const row: Partial<AuditRowView> = readEntry(entry) ?? { action: `unreadable: ${entry}` };
  const cells = [
    String(sequence),
    row.atMs === undefined ? "" : isoTime(row.atMs),
    ...[row.action, row.actor, row.actorName, row.provider, row.environment, row.user, row.outcome].map((value) => csvCell(value ?? "")),
    toHex(hash),
  ];
  return `${cells.join(",")}\r\n`;
}

/**
 * A spreadsheet takes a cell for a formula that begins with one of these, also in their full-width forms. It may separate
 * cells where this file does not (a semicolon in much of Europe), so the beginning of a cell is wherever one could be.
 */
const formulaStart = /(^|[;,|\t\r\n])(["'\s]*)([=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/** An apostrophe in front makes it text. */
function csvCell(value: string): string {
  const text = value.replace(/^[\t\r]/, "'$&").replace(formulaStart, "$1$2'$3");
  return /[",;\r\n\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isoTime(atMs: number): string {
  const time = new Date(atMs);
  // A changed row may hold any number.
  return Number.isNaN(time.getTime()) ? String(atMs) : time.toISOString();
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
