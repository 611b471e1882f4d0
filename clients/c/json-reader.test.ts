/** The C library's JSON reader beside JSON.parse, on good, bad and spoilt texts, with sanitizers where the compiler has them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileMs, compiler } from "./testing/c-library.ts";
import { availableSanitizers, compile, programName } from "./testing/c-toolchain.ts";
import { mutate, randomNumbers } from "./testing/mutations.ts";

/** As in dms_connect.c. */
const maxDepth = 32;
const spoiltTexts = 20_000;

const goodTexts = [
  '{"a":"b"}',
  ' { "b" : [ ] , "a" : { } } ',
  '{"a":"\\u0061\\n\\/\\\\\\"\\u20ac\\ud83d\\ude00é€😀"}',
  '{"a":1795306400,"b":[1,2,{"c":null}],"c":true,"d":false}',
  '{"a":-12.5e3,"b":0,"c":-0,"d":1E+2,"e":1.5e-7}',
  '{"\\u0061":"escaped name","A":""}',
  '{"a":1,"a":"twice"}',
  '{"a":9007199254740991}',
  '{"a":9007199254740992}',
  '{"a":1e400,"b":-1e400}',
  '{"a":0.00012e8}',
  '{"a":12345e-2}',
  '{"a":-0e99999999999}',
  '{"a":123e-99999999999}',
  `${"[".repeat(maxDepth)}${"]".repeat(maxDepth)}`,
  `${'{"a":'.repeat(maxDepth)}7${"}".repeat(maxDepth)}`,
  '"text"',
  "null",
  "-1.25",
  '{"a":"\\ud800"}',
  '{"a":"\\udc00\\ud800"}',
  '{"a":"\\ud83d\\ue000"}',
  '{"a":"\\u0000"}',
];
const badTexts = [
  ["", " ", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{,}", "[1,]", "[,1]", '{"a" 1}', "{a:1}", "{'a':1}"],
  ["01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nulll", "True", "1 2", "[1 2]", '"a'],
  ['"\\x"', '"\\u12g4"', '"\\u12', '"\\', '"\n"', '"\t"', '"\u0000"', "\u0000", "\uFEFF{}", "[1]]", "{}{}", "//", "[1]\u00A0"],
  [`${"[".repeat(maxDepth + 1)}${"]".repeat(maxDepth + 1)}`, "[".repeat(1_000_000), '{"a":'.repeat(200_000)],
].flat();
const notUtf8 = [
  [0x22, 0xff, 0x22],
  [0x22, 0xc3, 0x22],
  [0x22, 0xc0, 0x80, 0x22],
  [0x22, 0xe0, 0x9f, 0xbf, 0x22],
  [0x22, 0xed, 0xa0, 0x80, 0x22],
  [0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22],
  [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
  [0x22, 0xf8, 0x88, 0x80, 0x80, 0x80, 0x22],
  [0x22, 0xe2, 0x82, 0x22],
  [0x80],
].map((bytes) => Buffer.from(bytes));

describe.skipIf(compiler === undefined)("the C library's JSON reader", () => {
  let folder = "";
  let program = "";
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
    program = path.join(folder, programName("read_json"));
    const flags = availableSanitizers(compiler ?? "");
    // It includes the library as it is, and leaves most of it unused.
    compile({ compiler: compiler ?? "", sources: ["testing/read_json.c"], output: program, flags });
  }, compileMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** One line for each text. Throws if the program does not end well. */
  function read(texts: readonly Buffer[]): readonly string[] {
    const input = Buffer.concat(
      texts.flatMap((text) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return [length, text];
      }),
    );
    const { status, stdout, stderr } = spawnSync(program, { input, maxBuffer: 2 ** 30 });
    if (status !== 0) throw new Error(`the reader ended with ${status}: ${stderr.toString()}`);
    return stdout.toString().split(/\r?\n/).slice(0, -1);
  }

  it("accepts what is JSON", () => {
    const texts = goodTexts.map((text) => Buffer.from(text));
    const lines = read(texts);
    expect(lines).toEqual(texts.map(expectedLine));
    expect(lines.filter((line) => line === "invalid")).toEqual([]);
  });

  it("refuses what is not, and what is too deep", () => {
    expect(read(badTexts.map((text) => Buffer.from(text)))).toEqual(badTexts.map(() => "invalid"));
  });

  it("refuses what is not UTF-8", () => {
    expect(read(notUtf8)).toEqual(notUtf8.map(() => "invalid"));
  });

  it(`says the same as JSON.parse about ${spoiltTexts} spoilt texts`, () => {
    const seed = Date.now() % 1_000_000_000;
    const random = randomNumbers(seed);
    const spoilt = Array.from({ length: spoiltTexts }, (_, index) =>
      mutate(Buffer.from(goodTexts[index % goodTexts.length] ?? ""), random),
    ).filter(isComparable);
    const lines = read(spoilt);
    const different = spoilt.flatMap((text, index) =>
      lines[index] === expectedLine(text)
        ? []
        : [{ seed, text: text.toString("latin1"), read: lines[index], expected: expectedLine(text) }],
    );
    expect(different).toEqual([]);
    expect(lines.filter((line) => line !== "invalid").length).toBeGreaterThan(spoiltTexts / 20);
  });
});

/** What read_json.c prints, by JSON.parse. */
function expectedLine(text: Buffer): string {
  const value = parse(text);
  if (value === undefined || depthOf(value.parsed) > maxDepth) return "invalid";
  const { parsed } = value;
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed) || !Object.hasOwn(parsed, "a")) return "valid";
  const member: unknown = Object.entries(parsed).find(([name]) => name === "a")?.[1];
  return `valid ${textColumn(member)} ${numberColumn(member)}`;
}

function parse(text: Buffer): { readonly parsed: unknown } | undefined {
  try {
    return { parsed: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text)) };
  } catch {
    return undefined;
  }
}

function textColumn(value: unknown): string {
  return typeof value === "string" && value.isWellFormed() && !value.includes("\0") ? `x${Buffer.from(value).toString("hex")}` : "-";
}

function numberColumn(value: unknown): string {
  // Adding 0 makes 0 of -0.
  return typeof value === "number" && Number.isSafeInteger(Math.trunc(value)) ? String(Math.trunc(value) + 0) : "-";
}

/**
 * Fractions are cut off where JSON.parse rounds to the nearest it can hold: not compared where that makes another integer,
 * and where a number has more digits than the 15 that JSON.parse surely keeps apart.
 */
function isComparable(text: Buffer): boolean {
  const parsed = parse(text)?.parsed;
  const member: unknown =
    typeof parsed === "object" && parsed !== null ? Object.entries(parsed).find(([name]) => name === "a")?.[1] : undefined;
  const written = text.toString("latin1");
  if (typeof member !== "number" || !/[.eE]/.test(written)) return true;
  if (/\d(?:\.?\d){15}/.test(written)) return false;
  return Math.abs(member) < 2 ** 40 && (Number.isInteger(member) || Math.abs(member - Math.round(member)) > 1e-3);
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
