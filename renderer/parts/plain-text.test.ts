import { describe, expect, it } from "vitest";
import { plainText } from "./plain-text.ts";

describe("text written by a program", () => {
  it("stays as it is when it is harmless", () => {
    expect(plainText("Great DMS – Größe 7, 日本", 80)).toBe("Great DMS – Größe 7, 日本");
  });

  it("cannot reorder the words around it", () => {
    expect(plainText("evil\u202Etxt.exe\u2066\u200F", 80)).toBe("eviltxt.exe");
  });

  it("cannot hide characters in it", () => {
    expect(plainText("Ma\u200Bz\u00ADda\u{E0041}", 80)).toBe("Mazda");
  });

  it("stays on one line", () => {
    expect(plainText(" Mazda\r\n\u2028\n\tApproved\u0000 ", 80)).toBe("Mazda Approved");
  });

  it("cannot paint over the lines above and below", () => {
    expect(plainText(`a${"\u0301".repeat(50)}b`, 80)).toBe("a\u0301\u0301b");
  });

  it("is cut at the limit, between whole characters", () => {
    expect(plainText("😀".repeat(10), 4)).toBe("😀😀😀…");
    expect(plainText("abcd", 4)).toBe("abcd");
  });
});
