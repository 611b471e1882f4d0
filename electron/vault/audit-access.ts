/**
 * The audit log of the open vault as the rest of the app reads it.
 *
 * Invariants: whoever reads sees every row that was written before, those that still wait included; a log of any length takes
 * no more memory than a short one and keeps nobody waiting.
 */
import type { AuditQuery } from "../../shared/ipc-contract.ts";
import type { Result } from "../../shared/result.ts";
import type { AuditExportFormat, AuditPageView } from "../../shared/views.ts";
import type { AuditVerification } from "./audit-chain.ts";
import { takeAuditNotes } from "./audit-notes.ts";
import type { AuditRow } from "./audit-reader.ts";
import type { AuditRows } from "./audit-rows.ts";
import { atTheEnd, partByPart, type Step } from "./audit-turns.ts";

/** What can be read of an audit log, in the open vault or beside it. */
export interface ReadableAudit {
  /** Walks the whole audit chain. A break that the log has recorded about itself counts, too. */
  readonly verifyAudit: () => Promise<Result<AuditVerification>>;
  /** The whole log as it is now, in parts of a file; a failure is the last part. */
  readonly exportAudit: (format: AuditExportFormat) => AsyncGenerator<Result<string>, undefined>;
  /** At most `limit` rows, newest first, older than `beforeSequence`. */
  readonly listAudit: (limit: number, beforeSequence?: number) => Promise<Result<readonly AuditRow[]>>;
}

export interface AuditAccess extends ReadableAudit {
  /** The newest rows that meet `query`. */
  readonly pageAudit: (query: AuditQuery) => Promise<Result<AuditPageView>>;
}

export interface AuditAccessParts {
  readonly rows: AuditRows;
  readonly folder: string;
  readonly step: Step;
  /** Writes the rows that wait. */
  readonly flush: () => void;
}

export function accessAudit({ rows, folder, step, flush }: AuditAccessParts): AuditAccess {
  /** A disk that takes no rows now keeps nobody from reading; notes then stay where they are. */
  const upToDate = () => {
    flush();
    step(() => takeAuditNotes(folder, rows.append));
  };
  upToDate();
  return {
    listAudit: async (limit, beforeSequence) => {
      upToDate();
      return step(() => rows.list(limit, beforeSequence));
    },
    pageAudit: (query) => {
      upToDate();
      return atTheEnd(rows.searching(query), step);
    },
    verifyAudit: () => {
      upToDate();
      return atTheEnd(rows.verifying({ recorded: true }), step);
    },
    exportAudit: (format) => {
      upToDate();
      return partByPart(rows.exporting(format), step);
    },
  };
}
