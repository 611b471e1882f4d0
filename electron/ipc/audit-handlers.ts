/**
 * The window's calls about the audit log. Invariants: whoever checks or exports the log is in the log; the row of an export is
 * there before anything leaves, and a second one tells if the file was not written.
 */
import type { AuditQuery, CallName } from "../../shared/ipc-contract.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { AuditExportFormat, AuditPageView, AuditVerificationView } from "../../shared/views.ts";
import { outcomeOf } from "./audit-outcome.ts";
import type { CallHandlers } from "./router.ts";

/** The audit log of an open vault. */
export interface AuditLogAccess {
  readonly pageAudit: (query: AuditQuery) => Promise<Result<AuditPageView>>;
  readonly verifyAudit: () => Promise<Result<AuditVerificationView>>;
  /** The whole log in parts of a file. */
  readonly exportAudit: (format: AuditExportFormat) => AsyncIterable<Result<string>>;
  /** Writes a row about the person at the window; settles once the disk has it. */
  readonly record: (action: string, outcome: string) => Promise<Result<undefined>>;
}

export interface AuditHandlerParts {
  /** The broker, or why it could not be opened. */
  readonly broker: () => Result<{ readonly auditLog: AuditLogAccess }>;
  readonly files: {
    readonly saveParts: (suggestedName: string, makeParts: () => AsyncIterable<Result<string>>) => Promise<Result<boolean>>;
  };
}

type AuditCall = Extract<CallName, `audit.${string}`>;

/** Makes the handlers of all calls whose names begin with `audit.`. */
export function createAuditHandlers({ broker, files }: AuditHandlerParts): Pick<CallHandlers, AuditCall> {
  const withLog = async <T>(work: (log: AuditLogAccess) => Promise<Result<T>>): Promise<Result<T>> => {
    const opened = broker();
    return opened.ok ? work(opened.value.auditLog) : opened;
  };
  return {
    "audit.page": (query) => withLog((log) => log.pageAudit(query)),
    "audit.verify": () => withLog(verify),
    "audit.export": ({ format }) =>
      withLog(async (log) => {
        const saved = await files.saveParts(suggestedName(format, new Date()), () => recordedParts(log, format));
        // What failed before the first part has no row yet; what failed after it must not stay `ok`.
        if (!saved.ok) await log.record("audit.export", outcomeOf(saved));
        return saved.ok ? ok({ saved: saved.value }) : saved;
      }),
  };
}

async function verify(log: AuditLogAccess): Promise<Result<AuditVerificationView>> {
  const verified = await log.verifyAudit();
  const outcome = verified.ok && verified.value.kind === "broken" ? "audit_broken" : outcomeOf(verified);
  const recorded = await log.record("audit.verify", outcome);
  // A break is told even where the log takes no rows any more.
  return verified.ok && verified.value.kind === "intact" && !recorded.ok ? recorded : verified;
}

/** What the log cannot tell of does not leave. */
async function* recordedParts(log: AuditLogAccess, format: AuditExportFormat): AsyncGenerator<Result<string>, undefined> {
  const recorded = await log.record("audit.export", "ok");
  if (recorded.ok) yield* log.exportAudit(format);
  else yield recorded;
}

/** By the date of this computer's clock and place: it is for a person's eyes. */
function suggestedName(format: AuditExportFormat, now: Date): string {
  const parts = [String(now.getFullYear()), ...[now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0"))];
  return `dms-connect-audit-log-${parts.join("-")}.${format}`;
}
