import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AuditVerificationView } from "../../shared/views.ts";
import { type AuditLogAccess, createAuditHandlers } from "./audit-handlers.ts";

const locked = err(failure("vault_locked"));
const notWritten = err(failure("file_not_written", { problem: "disk full" }));
const logFull = err(failure("vault_write_failed", { problem: "disk full" }));
const page = { rows: [], hasMore: false };

/** The handlers over a log that notes what it was asked, and a dialog that writes into `file`. */
function start(options: {
  readonly open?: boolean;
  readonly verified?: Result<AuditVerificationView>;
  readonly recorded?: Result<undefined>;
  readonly parts?: readonly Result<string>[];
  readonly cancelled?: boolean;
  readonly saved?: Result<boolean>;
}) {
  const done: string[] = [];
  const log: AuditLogAccess = {
    pageAudit: async (query) => {
      done.push(`page ${JSON.stringify(query)}`);
      return ok(page);
    },
    verifyAudit: async () => options.verified ?? ok({ kind: "intact", rows: 3 }),
    exportAudit: async function* (format) {
      done.push(`export ${format}`);
      yield* options.parts ?? [ok("one "), ok("two")];
    },
    record: async (action, outcome) => {
      done.push(`row ${action} ${outcome}`);
      return options.recorded ?? ok();
    },
  };
  const handlers = createAuditHandlers({
    broker: () => (options.open === false ? locked : ok({ auditLog: log })),
    files: {
      saveParts: async (suggestedName, makeParts) => {
        done.push(`ask ${suggestedName.replace(/\d{4}-\d\d-\d\d/, "DATE")}`);
        if (options.cancelled === true) return ok(false);
        let file = "";
        for await (const part of makeParts()) {
          if (!part.ok) return part;
          file += part.value;
        }
        if (options.saved === undefined) done.push(`file ${file}`);
        return options.saved ?? ok(true);
      },
    },
  });
  return { handlers, done };
}

describe("the audit log's pages", () => {
  it("come as they were asked for, and need an open vault", async () => {
    const { handlers, done } = start({});
    const query = { limit: 50, before: 7, outcome: "refused", text: "dms" } as const;
    expect(await handlers["audit.page"](query)).toEqual(ok(page));
    expect(done).toEqual([`page ${JSON.stringify(query)}`]);
    const closed = start({ open: false });
    expect(await closed.handlers["audit.page"](query)).toEqual(locked);
    expect(await closed.handlers["audit.verify"]()).toEqual(locked);
    expect(await closed.handlers["audit.export"]({ format: "csv" })).toEqual(locked);
    expect(closed.done).toEqual([]);
  });
});

describe("a check of the audit log", () => {
  it.each([
    [ok({ kind: "intact", rows: 3 } as const), "ok"],
    [ok({ kind: "broken", sequence: 2, problem: "missing" } as const), "audit_broken"],
    [err(failure("vault_needs_repair")), "vault_needs_repair"],
  ])("is told and is in the log: %j", async (verified, outcome) => {
    const { handlers, done } = start({ verified });
    expect(await handlers["audit.verify"]()).toEqual(verified);
    expect(done).toEqual([`row audit.verify ${outcome}`]);
  });

  it("is told as broken even where the log takes no rows, but not as proved", async () => {
    const broken = ok({ kind: "broken", sequence: 2, problem: "missing" } as const);
    expect(await start({ verified: broken, recorded: logFull }).handlers["audit.verify"]()).toEqual(broken);
    expect(await start({ recorded: logFull }).handlers["audit.verify"]()).toEqual(logFull);
  });
});

describe("an export of the audit log from the window", () => {
  it("is in the log before anything of it is in the file", async () => {
    const { handlers, done } = start({});
    expect(await handlers["audit.export"]({ format: "jsonl" })).toEqual(ok({ saved: true }));
    expect(done).toEqual(["ask dms-connect-audit-log-DATE.jsonl", "row audit.export ok", "export jsonl", "file one two"]);
  });

  it("leaves no row when the person cancels", async () => {
    const { handlers, done } = start({ cancelled: true });
    expect(await handlers["audit.export"]({ format: "csv" })).toEqual(ok({ saved: false }));
    expect(done).toEqual(["ask dms-connect-audit-log-DATE.csv"]);
  });

  it("lets nothing leave that the log could not take", async () => {
    const { handlers, done } = start({ recorded: logFull });
    expect(await handlers["audit.export"]({ format: "csv" })).toEqual(logFull);
    expect(done.filter((step) => step.startsWith("export") || step.startsWith("file"))).toEqual([]);
  });

  it("tells in a second row that the file was not written, or the log not read to its end", async () => {
    const failed = start({ saved: notWritten });
    expect(await failed.handlers["audit.export"]({ format: "csv" })).toEqual(notWritten);
    expect(failed.done.slice(1)).toEqual(["row audit.export ok", "export csv", "row audit.export file_not_written"]);
    const closed = start({ parts: [ok("one "), locked] });
    expect(await closed.handlers["audit.export"]({ format: "csv" })).toEqual(locked);
    expect(closed.done.at(-1)).toBe("row audit.export vault_locked");
  });
});
