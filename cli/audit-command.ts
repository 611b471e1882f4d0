/**
 * `dms-connect audit`: proves or exports the audit log of a profile, whether the app is running or not.
 *
 * Invariant: the vault itself is loaded only for these commands and those of `dms-connect vault`: it needs a newer Node.js
 * than the others.
 */
import { type AuditExportFormat, auditExportFormats } from "../shared/views.ts";
import type { AuditTask } from "./audit-task.ts";
import { readArguments, readWords, UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { hasNodeForVault } from "./node-for-vault.ts";

export const auditUsage = `dms-connect audit verify
usage: dms-connect audit export --format csv|jsonl [--output FILE]
       Each of them: [--vault-passphrase-file FILE], for a vault that this computer's keys do not open.`;

/** Runs one of the audit log's commands on the profile of this user. Returns the exit code. */
export async function auditCommand(args: readonly string[]): Promise<number> {
  const task = readTask(args);
  if (!hasNodeForVault("the page Audit log")) return exitCodes.failed;
  const { runAuditOnThisComputer } = await import("./vault-on-this-computer.ts");
  return runAuditOnThisComputer(task);
}

function readTask(args: readonly string[]): AuditTask {
  const { values, positionals } = readArguments(args, {
    format: { type: "string" },
    output: { type: "string" },
    "vault-passphrase-file": { type: "string" },
  });
  if (values.credentials !== undefined || values.pipe !== undefined) {
    throw new UsageError("the audit log's commands work on the profile folder and take neither --credentials nor --pipe");
  }
  const [action, ...words] = positionals;
  const { format, output } = values;
  const vaultPassphraseFile = values["vault-passphrase-file"];
  if (action === undefined) throw new UsageError("what to do with the audit log is missing");
  if (action !== "verify" && action !== "export") throw new UsageError(`the audit log has no command named ${action}`);
  readWords(words, []);
  if (action === "export") return { kind: action, format: readFormat(format), file: output, vaultPassphraseFile };
  if (format !== undefined || output !== undefined) throw new UsageError("--format and --output are for export only");
  return { kind: action, vaultPassphraseFile };
}

function readFormat(given: string | undefined): AuditExportFormat {
  const format = auditExportFormats.find((one) => one === given);
  if (format === undefined) throw new UsageError(given === undefined ? "--format is missing" : `there is no format named ${given}`);
  return format;
}
