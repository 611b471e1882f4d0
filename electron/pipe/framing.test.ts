import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFramer, type Frame } from "./framing.ts";

function frames(chunks: readonly (string | Buffer)[], maxBytes?: number): readonly Frame[] {
  const framer = createFramer(maxBytes);
  const found: Frame[] = [];
  for (const chunk of chunks) {
    framer.push(Buffer.from(chunk));
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) found.push(frame);
  }
  return found;
}
const message = (text: string): Frame => ({ kind: "message", text });

describe("framing", () => {
  it("finds several messages in one chunk, and one message in several chunks", () => {
    expect(frames(["a\nb\nc", "d", "e\n"])).toEqual([message("a"), message("b"), message("cde")]);
  });

  it("keeps characters whole that were cut between two chunks", () => {
    const bytes = Buffer.from("é€😀\n");
    expect(frames([...bytes].map((byte) => Buffer.of(byte)))).toEqual([message("é€😀")]);
  });

  it("tolerates CR LF and a byte order mark", () => {
    expect(frames(["\ufeffa\r\nb\r", "\n"])).toEqual([message("a"), message("b")]);
  });

  it("takes a message of exactly the limit with its line feed, in one piece or in many", () => {
    const line = `${"x".repeat(65_535)}\n`;
    expect(frames([line])).toEqual([message("x".repeat(65_535))]);
    expect(frames([line.slice(0, 40_000), line.slice(40_000, 65_535), "\n"])).toEqual([message("x".repeat(65_535))]);
  });

  it("refuses one byte more, in one piece or in many", () => {
    const line = `${"x".repeat(65_536)}\n`;
    expect(frames([line])).toEqual([{ kind: "too-large" }]);
    expect(frames([line.slice(0, 40_000), line.slice(40_000)])).toEqual([{ kind: "too-large" }]);
  });

  it("refuses a message that is too long before it ends, and says nothing about what follows", () => {
    expect(frames(["x".repeat(65_536), "\nb\n"])).toEqual([{ kind: "too-large" }]);
  });

  it("counts bytes, not characters", () => {
    expect(frames(["€€€\n"], 9)).toEqual([{ kind: "too-large" }]);
    expect(frames(["€€€\n"], 10)).toEqual([message("€€€")]);
  });

  it("reports a line that is not UTF-8 and goes on with the next", () => {
    expect(frames([Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a])])).toEqual([{ kind: "not-utf8" }, message("b")]);
  });

  it("keeps frames that nobody has pulled yet when more bytes arrive", () => {
    const framer = createFramer();
    framer.push(Buffer.from("a\nb\nc"));
    expect(framer.next()).toEqual(message("a"));
    framer.push(Buffer.from("d\n"));
    expect([framer.next(), framer.next(), framer.next()]).toEqual([message("b"), message("cd"), undefined]);
  });

  it("gives the same messages wherever the bytes are cut", () => {
    const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n\ufeff]/g, ""));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
        const chunks: Buffer[] = [];
        let start = 0;
        for (const cut of cuts) chunks.push(bytes.subarray(start, (start += cut)));
        chunks.push(bytes.subarray(start));
        expect(frames(chunks)).toEqual(lines.map(message));
      }),
    );
  });
});
