import { describe, expect, it } from "vitest";
import type { AuditExportFormat, AuditPageView } from "../../shared/views.ts";
import type { AuditEntry } from "../core/ports.ts";
import { entry, filled, tamper } from "./testing/audit-log.ts";
import { failureOf, Profile, valueOf } from "./testing/profile.ts";
import type { OpenedVault } from "./vault.ts";

describe("a page of the audit log", () => {
  /** 5,000 rows: more than are looked through at once. Every thousandth is a refusal of somebody with an umlaut. */
  async function long(): Promise<OpenedVault> {
    const opened = await new Profile().open();
    const entries = Array.from({ length: 5_000 }, (_, index): AuditEntry => {
      const number = index + 1;
      if (number % 1_000 > 0) return entry(number);
      return { ...entry(number), actorName: '100% "DMS"_\\', user: "Jürgen MÜLLER", outcome: "not_permitted" };
    });
    for (const result of await Promise.all(entries.map((one) => opened.vault.appendAudit(one)))) valueOf(result);
    return opened;
  }
  const sequences = ({ rows }: AuditPageView) => rows.map(({ sequence }) => sequence);

  it("is followed by the next one without gap or repetition", async () => {
    const opened = await long();
    const first = valueOf(await opened.pageAudit({ limit: 3 }));
    expect([sequences(first), first.hasMore]).toEqual([[5_000, 4_999, 4_998], true]);
    expect(first.rows[1]).toEqual({ sequence: 4_999, ...entry(4_999) });
    expect(sequences(valueOf(await opened.pageAudit({ limit: 2, before: 4_998 })))).toEqual([4_997, 4_996]);
    expect(valueOf(await opened.pageAudit({ limit: 2, before: 2 }))).toEqual({ rows: [{ sequence: 1, ...entry(1) }], hasMore: false });
    expect(valueOf(await opened.pageAudit({ limit: 2, before: 1 }))).toEqual({ rows: [], hasMore: false });
  });

  it("finds refusals however far apart they lie, and says when there are no more", async () => {
    const opened = await long();
    const first = valueOf(await opened.pageAudit({ limit: 3, outcome: "refused" }));
    expect([sequences(first), first.hasMore]).toEqual([[5_000, 4_000, 3_000], true]);
    const rest = valueOf(await opened.pageAudit({ limit: 3, outcome: "refused", before: 3_000 }));
    expect([sequences(rest), rest.hasMore]).toEqual([[2_000, 1_000], false]);
    expect(sequences(valueOf(await opened.pageAudit({ limit: 2, outcome: "ok" })))).toEqual([4_999, 4_998]);
    const exactly = valueOf(await opened.pageAudit({ limit: 5, outcome: "refused" }));
    expect([exactly.rows.length, exactly.hasMore]).toEqual([5, false]);
  });

  it.each([
    ["USER-1234", [1_234]],
    ["müller", [5_000, 4_000, 3_000, 2_000, 1_000]],
    ["jÜrGeN", [5_000, 4_000, 3_000, 2_000, 1_000]],
    ["100%", [5_000, 4_000, 3_000, 2_000, 1_000]],
    ['"dms"_\\', [5_000, 4_000, 3_000, 2_000, 1_000]],
    ["not_permitted", [5_000, 4_000, 3_000, 2_000, 1_000]],
    ["not-permitted", []],
    ["user_1234", []],
    ["%", [5_000, 4_000, 3_000, 2_000, 1_000]],
    // Names of columns, and what stands between them, are not what a person looks for.
    ["sequence", []],
    ['","', []],
    ["1234567", []],
  ])("finds %s in the columns, whatever the case of letters", async (text, expected) => {
    const opened = await long();
    expect(sequences(valueOf(await opened.pageAudit({ limit: 10, text })))).toEqual(expected);
  });

  it("meets all conditions at once", async () => {
    const opened = await long();
    const found = valueOf(await opened.pageAudit({ limit: 10, text: "müller", outcome: "refused", before: 3_000 }));
    expect(sequences(found)).toEqual([2_000, 1_000]);
    expect(valueOf(await opened.pageAudit({ limit: 10, text: "müller", outcome: "ok" }))).toEqual({ rows: [], hasMore: false });
  });

  it("shows a row that somebody has made unreadable, and goes on behind a gap", async () => {
    const profile = await filled(4);
    tamper(profile, "UPDATE audit SET entry = 'gone' WHERE sequence = 3; DELETE FROM audit WHERE sequence = 2");
    const opened = await profile.open();
    const { rows } = valueOf(await opened.pageAudit({ limit: 10, outcome: "refused" }));
    expect(rows).toEqual([{ sequence: 3, atMs: 0, action: "audit.unreadable", actor: "broker", outcome: "audit_broken" }]);
    expect(sequences(valueOf(await opened.pageAudit({ limit: 10 })))).toEqual([4, 3, 1]);
  });

  it("is refused once the vault is closed", async () => {
    const opened = await (await filled(1)).open();
    opened.close();
    expect(failureOf(await opened.pageAudit({ limit: 1 })).code).toBe("vault_locked");
  });
});

describe("an export of the audit log", () => {
  async function exported(opened: Pick<OpenedVault, "exportAudit">, format: AuditExportFormat): Promise<readonly string[]> {
    const parts: string[] = [];
    for await (const part of opened.exportAudit(format)) parts.push(valueOf(part));
    return parts;
  }

  it("comes in parts, and holds the rows there are when it begins", async () => {
    const opened = await (await filled(1_000)).open();
    const parts: string[] = [];
    for await (const part of opened.exportAudit("jsonl")) {
      parts.push(valueOf(part));
      valueOf(await opened.vault.appendAudit(entry(2_000)));
    }
    expect(parts.length).toBeGreaterThan(3);
    const lines = parts.join("").split("\n");
    expect([lines.length, lines.at(-1)]).toEqual([1_001, ""]);
    expect(JSON.parse(lines[999] ?? "")).toMatchObject({ sequence: 1_000, ...entry(1_000) });
  });

  it("lets others have their turn", async () => {
    const opened = await (await filled(1_000)).open();
    let turns = 0;
    let done = false;
    const count = () => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const parts = await exported(opened, "csv");
    done = true;
    expect(turns).toBeGreaterThanOrEqual(parts.length - 1);
  });

  it("ends with the failure when the vault is closed in the middle of it", async () => {
    const opened = await (await filled(1_000)).open();
    const codes: string[] = [];
    for await (const part of opened.exportAudit("jsonl")) {
      codes.push(part.ok ? "ok" : part.error.code);
      opened.close();
    }
    expect(codes).toEqual(["ok", "vault_locked"]);
  });

  it("of an empty log is the heading alone", async () => {
    const opened = await new Profile().open();
    expect(await exported(opened, "jsonl")).toEqual([]);
    expect(await exported(opened, "csv")).toEqual([
      "\uFEFFsequence,time,action,actor,actorName,provider,environment,user,outcome,hash\r\n",
    ]);
  });
});
