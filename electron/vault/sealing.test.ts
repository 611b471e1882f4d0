import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openBytes, type RecordContext, sealBytes } from "./sealing.ts";

const key = randomBytes(32);
const context: RecordContext = {
  kind: "connection",
  names: ["mazda", "production", "mmd10030.johndoe"],
  recordVersion: 1,
  generation: 7,
};
const anyContext: fc.Arbitrary<RecordContext> = fc.record({
  kind: fc.constantFrom("connection", "registration", "client", "secret"),
  names: fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }),
  recordVersion: fc.nat(),
  generation: fc.nat(),
  boundText: fc.string({ unit: "binary" }),
});

describe("a sealed record", () => {
  it("opens with its key and context to what was sealed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), anyContext, (plain, context) => {
        expect(openBytes(key, context, sealBytes(key, context, plain))).toEqual(Buffer.from(plain));
      }),
      { numRuns: 60 },
    );
  });

  it("does not open for any other context", () => {
    fc.assert(
      fc.property(anyContext, anyContext, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(openBytes(key, other, sealBytes(key, one, Buffer.from("text")))).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  const others: readonly [string, Partial<RecordContext>][] = [
    ["user", { names: ["mazda", "production", "mmd10030.janedoe"] }],
    ["environment", { names: ["mazda", "acceptance", "mmd10030.johndoe"] }],
    ["provider", { names: ["webfleet", "production", "mmd10030.johndoe"] }],
    ["split of the same letters", { names: ["mazdap", "roduction", "mmd10030.johndoe"] }],
    ["number of names", { names: ["mazda", "production", "mmd10030.johndoe", ""] }],
    ["kind", { kind: "registration" }],
    ["record version", { recordVersion: 2 }],
    ["earlier generation", { generation: 6 }],
    ["later generation", { generation: 8 }],
    ["bound text", { boundText: "x" }],
  ];
  it.each(others)("does not open for another %s", (_name, change) => {
    const sealed = sealBytes(key, context, Buffer.from("text"));
    expect(openBytes(key, { ...context, ...change }, sealed)).toBeUndefined();
  });

  it("tells names apart that are equal in UTF-8 only", () => {
    const sealed = sealBytes(key, { ...context, names: ["\ud800"] }, Buffer.from("text"));
    expect(openBytes(key, { ...context, names: ["\ud801"] }, sealed)).toBeUndefined();
  });

  it("does not open with another key", () => {
    expect(openBytes(randomBytes(32), context, sealBytes(key, context, Buffer.from("text")))).toBeUndefined();
  });

  it("does not open once any bit was changed", () => {
    const sealed = sealBytes(key, context, Buffer.from("a text of some length"));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(openBytes(key, context, changed)).toBeUndefined();
    }
  });

  it("does not open when it was cut or lengthened", () => {
    const sealed = sealBytes(key, context, Buffer.from("text"));
    for (let length = 0; length < sealed.length; length += 1) {
      expect(openBytes(key, context, sealed.subarray(0, length))).toBeUndefined();
    }
    expect(openBytes(key, context, Buffer.concat([sealed, Buffer.of(0)]))).toBeUndefined();
  });

  it("never looks the same twice", () => {
    const seals = Array.from({ length: 50 }, () => sealBytes(key, context, Buffer.from("text")).toString("hex"));
    expect(new Set(seals).size).toBe(50);
  });

  it("is refused a key of another length", () => {
    expect(() => sealBytes(randomBytes(16), context, Buffer.from("text"))).toThrow("32 bytes");
  });
});
