/**
 * The work of the audit log's commands: on the opened vault, or, where it cannot be opened now, on a copy.
 *
 * Invariants: whoever checks or exports the log is in the log (a copy's reader leaves a note, which the app takes in); the row
 * of an export is there before anything leaves; stdout holds results only.
 */
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import { writePrivateParts } from "../electron/shell/private-file.ts";
import type { ReadableAudit } from "../electron/vault/audit-access.ts";
import type { AuditBeside } from "../electron/vault/audit-beside.ts";
import type { BrokenAudit } from "../electron/vault/audit-chain.ts";
import type { AuditNote } from "../electron/vault/audit-notes.ts";
import type { LockedVault, OpenedVault, OpenVaultOptions } from "../electron/vault/vault.ts";
import type { FailureCode } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import type { AuditExportFormat, AuditVerificationView } from "../shared/views.ts";
import { breakText } from "./audit-break.ts";
import { UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { writeParts } from "./output-stream.ts";
import { reportLocalFailure } from "./report-failure.ts";
import { openWithPassphrase, printNotices, reportLocked, reportNoVault, type VaultPassphrase } from "./vault-opening.ts";
import type { VaultTaskParts } from "./vault-task.ts";

interface VerifyTask extends VaultPassphrase {
  readonly kind: "verify";
}
interface ExportTask extends VaultPassphrase {
  readonly kind: "export";
  readonly format: AuditExportFormat;
  /** Standard output if absent. */
  readonly file: string | undefined;
}
export type AuditTask = VerifyTask | ExportTask;

export interface AuditTaskParts extends Pick<VaultTaskParts, "profileFolder" | "vaultIsThere" | "openVault" | "ask"> {
  /** A copy of the log of a vault that the app holds. */
  readonly openBeside: () => Promise<Result<AuditBeside>>;
  /** What opens the vault's key for that copy. */
  readonly vaultOptions: (passphrase: string | undefined) => OpenVaultOptions;
  readonly output: Writable;
}

/** The log of the opened vault or of the copy. */
interface AuditSource extends Pick<ReadableAudit, "exportAudit" | "listAudit"> {
  readonly verifyAudit: () => Promise<Result<AuditVerificationView, LockedVault>>;
  readonly record: (entry: AuditNote) => Promise<Result<undefined>>;
  readonly close: () => Promise<void>;
}

/** Does the task and closes what it opened. Throws `UsageError`. Returns the exit code. */
export async function runAuditTask(task: AuditTask, parts: AuditTaskParts): Promise<number> {
  if (!parts.vaultIsThere()) return reportNoVault(parts.profileFolder);
  if (task.kind === "export" && task.file !== undefined && existsSync(task.file)) {
    throw new UsageError(`${task.file} is there already; choose another name`);
  }
  const source = await openSource(task, parts);
  if (!source.ok) return reportLocked(source.error, remedies);
  try {
    return task.kind === "verify" ? await verify(source.value) : await exportLog(task, source.value, parts.output);
  } finally {
    await source.value.close();
  }
}

const remedies = {
  vault_in_use: "Run this command again, or use the page Audit log in the window of DMS Connect. Nothing was changed.",
  vault_keys_unavailable: "Use the page Audit log in the window of DMS Connect: not all keys of this computer can be used from here.",
} as const;

/** The rows themselves are not sealed: they can be exported although the vault does not open. */
const readableWithoutKey: readonly FailureCode[] = [
  "vault_in_use",
  "vault_locked",
  "vault_access_denied",
  "vault_keys_unavailable",
  "vault_passphrase_needed",
  "vault_protection_missing",
];

async function openSource(task: AuditTask, parts: AuditTaskParts): Promise<Result<AuditSource, LockedVault>> {
  const opening = await openWithPassphrase(task, parts.ask, parts.openVault);
  if (opening.ok) {
    printNotices(opening.value.opened.notices);
    return ok(openedSource(opening.value.opened));
  }
  const readable: readonly FailureCode[] = task.kind === "verify" ? ["vault_in_use"] : readableWithoutKey;
  if (!readable.includes(opening.error.failure.code)) return opening;
  const beside = await parts.openBeside();
  return beside.ok ? ok(besideSource(beside.value, task, parts)) : err({ ...opening.error, failure: beside.error });
}

function openedSource(opened: OpenedVault): AuditSource {
  return {
    ...opened,
    verifyAudit: async () => {
      const verified = await opened.verifyAudit();
      return verified.ok ? verified : err(notLocked(verified.error));
    },
    record: (entry) => opened.vault.appendAudit({ ...entry, actor: "command-line" }),
    close: async () => opened.close(),
  };
}

function besideSource(beside: AuditBeside, task: AuditTask, parts: AuditTaskParts): AuditSource {
  return {
    ...beside,
    verifyAudit: async () => {
      const verified = await openWithPassphrase(task, parts.ask, (passphrase) => beside.verifyAudit(parts.vaultOptions(passphrase)));
      return verified.ok ? ok(verified.value.opened) : verified;
    },
    record: async (entry) => beside.leaveNote(entry),
  };
}

function notLocked(failure: LockedVault["failure"]): LockedVault {
  return { failure, exists: true, places: [], canUsePassphrase: false, canChoosePassphrase: false };
}

async function verify(source: AuditSource): Promise<number> {
  const newest = await source.listAudit(1);
  const verified = await source.verifyAudit();
  if (!verified.ok) {
    await source.record(noteOf("audit.verify", verified.error.failure.code));
    return reportLocked(verified.error, remedies);
  }
  if (verified.value.kind === "broken") {
    printBreak(verified.value);
    await source.record(noteOf("audit.verify", "audit_broken"));
    return exitCodes.auditBroken;
  }
  const recorded = await source.record(noteOf("audit.verify", "ok"));
  if (!recorded.ok) return reportLocalFailure(recorded.error);
  console.log(`audit log: ${verified.value.rows} rows, unbroken`);
  const [row] = newest.ok ? newest.value : [];
  if (row !== undefined) console.log(`row ${row.sequence}: ${row.hash}`);
  return exitCodes.ok;
}

function printBreak(broken: BrokenAudit): void {
  console.log(`audit log: broken: ${breakText(broken)}`);
  console.log(`What to do: Keep a copy of the profile folder and an export of the log as they are now.
Compare them with earlier exports to see what was changed. Then find out who had access to this profile,
and whether somebody restored an older copy of it. See docs/audit.md, "When the log is broken".`);
}

async function exportLog(task: ExportTask, source: AuditSource, output: Writable): Promise<number> {
  const recorded = await source.record(noteOf("audit.export", "ok"));
  if (!recorded.ok) return reportLocalFailure(recorded.error);
  const parts = source.exportAudit(task.format);
  const written = await (task.file === undefined ? writeParts(output, parts) : writePrivateParts(task.file, parts));
  if (!written.ok) {
    await source.record(noteOf("audit.export", written.error.code));
    return reportLocalFailure(written.error);
  }
  if (task.file !== undefined) console.log(`Exported to ${task.file}.`);
  return exitCodes.ok;
}

function noteOf(action: AuditNote["action"], outcome: string): AuditNote {
  return { atMs: Date.now(), action, outcome };
}
