import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../core/ports.ts";
import { chainedHash, entryText, genesis, type StoredAuditRow } from "./audit-chain.ts";
import { auditFileForms } from "./audit-format.ts";
import { nowMs } from "./testing/profile.ts";

const columns = "sequence,time,action,actor,actorName,provider,environment,user,outcome,hash";

function stored(changes: Partial<AuditEntry>, sequence = 1): StoredAuditRow {
  const entry = entryText(sequence, { atMs: nowMs, action: "token.get", actor: "client-1", outcome: "ok", ...changes });
  return { sequence, entry, hash: chainedHash(genesis.hash, entry) };
}

/** RFC 4180, read strictly: quotes only around a whole cell, doubled inside. */
function cellsOf(line: string): readonly string[] {
  expect(line.endsWith("\r\n")).toBe(true);
  const cells: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "\r\n") break;
  }
  expect(cells).toHaveLength(columns.split(",").length);
  return cells;
}

function cell(column: string, changes: Partial<AuditEntry>): string {
  return cellsOf(auditFileForms.csv.line(stored(changes)))[columns.split(",").indexOf(column)] ?? "";
}

describe("the audit log as CSV", () => {
  it("begins with a byte order mark and the names of its columns", () => {
    expect(auditFileForms.csv.heading).toBe(`\uFEFF${columns}\r\n`);
  });

  it("has one cell for each column, and times in UTC", () => {
    const row = stored({ actorName: "DMS", provider: "mazda", environment: "acceptance", user: "mmd10030.johndoe" });
    const hash = Buffer.from(row.hash).toString("hex");
    expect(auditFileForms.csv.line(row)).toBe(
      `1,2026-11-22T14:30:05.000Z,token.get,client-1,DMS,mazda,acceptance,mmd10030.johndoe,ok,${hash}\r\n`,
    );
    expect(cellsOf(auditFileForms.csv.line(stored({})))).toContain("");
  });

  it.each(["a,b", 'say "hi"', "two\r\nlines", "two\nlines", " spaces ", "semi;colon", "tab\tinside", "Jürgen 🚗", '"', ""])(
    "gives %j back as it was",
    (value) => {
      expect(cell("user", { user: value })).toBe(value);
    },
  );

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://evil","x")', "＝1", "＋1", "－1", "＠x"])("takes %j for text", (value) => {
    expect(cell("actorName", { actorName: value })).toBe(`'${value}`);
  });

  it.each([
    // Where another separator is usual, or the quotes are not understood, these would begin a cell.
    ["a;=1+1", "a;'=1+1"],
    ["a,=1+1", "a,'=1+1"],
    ["a\t=1", "a\t'=1"],
    ["a\n=1", "a\n'=1"],
    ["a|=1", "a|'=1"],
    ['a;"=1', `a;"'=1`],
    ["a; =1", "a; '=1"],
    ["  =1", "  '=1"],
    ["\t=1", "'\t'=1"],
    ["\r1", "'\r1"],
    ["=1;=2", "'=1;'=2"],
  ])("lets %j begin no formula inside either", (value, expected) => {
    expect(cell("user", { user: value })).toBe(expected);
  });

  it("changes nothing that is no formula", () => {
    for (const value of ["mmd10030.johndoe", "john-doe", "john@dealer.example", "a = b", "1-1", "'quoted"]) {
      expect(cell("user", { user: value })).toBe(value);
    }
  });

  it("has a line for a row that somebody has changed into anything", () => {
    const hash = new Uint8Array(32);
    const line = auditFileForms.csv.line({ sequence: 7, entry: "=cmd()\r\n", hash });
    expect(cellsOf(line).slice(0, 3)).toEqual(["7", "", "unreadable: =cmd()\r\n"]);
    const odd = auditFileForms.csv.line({ sequence: 7, entry: stored({ atMs: 1e300 }).entry, hash });
    expect(cellsOf(odd)[1]).toBe("1e+300");
  });
});

describe("the audit log as JSON lines", () => {
  it("holds each row's text byte for byte, with its hash behind it", () => {
    const row = stored({ actorName: "Jürgen \u2028 🚗", user: 'a"b\\c\n' });
    const line = auditFileForms.jsonl.line(row);
    expect(line).toBe(`${row.entry.slice(0, -1)},"hash":"${Buffer.from(row.hash).toString("hex")}"}\n`);
    expect(JSON.parse(line)).toMatchObject({ sequence: 1, atMs: nowMs, user: 'a"b\\c\n' });
  });

  it.each(["gone", "", '{"sequence":1}', '{\n"sequence":1}', "[]}", `${stored({}).entry}\n`, stored({}).entry.replace(",", ",\n")])(
    "stays one object a line when a row was changed to %j",
    (entry) => {
      const line = auditFileForms.jsonl.line({ sequence: 3, entry, hash: new Uint8Array(32) });
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(JSON.parse(line)).toEqual({ sequence: 3, unreadable: entry, hash: "00".repeat(32) });
    },
  );

  it("is what the document shows for its three rows", () => {
    const document = readFileSync(new URL("../../docs/audit.md", import.meta.url), "utf8");
    const vector = /```jsonl\n([^`]*)```/.exec(document)?.[1] ?? "";
    let previous = genesis.hash;
    const written = vector
      .trimEnd()
      .split("\n")
      .map((line, index) => {
        // Unknown JSON of our own document: a wrong field would change the line that is compared.
        const entry = JSON.parse(line) as AuditEntry;
        const text = entryText(index + 1, entry);
        previous = chainedHash(previous, text);
        return auditFileForms.jsonl.line({ sequence: index + 1, entry: text, hash: previous });
      });
    expect(written).toHaveLength(3);
    expect(written.join("")).toBe(vector);
  });
});
