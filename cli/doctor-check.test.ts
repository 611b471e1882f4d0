import { describe, expect, it } from "vitest";
import { fail, failed, ok, shortened, skip } from "./doctor-check.ts";

const hostile = "Evil\u001b[2K\r\nok    all: well\u2028\u2029\u202e\u009b31m\u0000";
const harmless = "Evil[2Kok    all: well31m";

describe("a finding", () => {
  it("stays in its line and moves no cursor, whatever a server has said", () => {
    expect(ok(hostile, hostile)).toEqual({ outcome: "ok", name: harmless, found: harmless });
    expect(fail(hostile, hostile, hostile)).toEqual({ outcome: "fail", name: harmless, found: harmless, remedy: harmless });
    expect(skip(hostile)).toEqual({ outcome: "skip", name: harmless });
  });

  it("keeps the beginning of a text from outside, in whole characters", () => {
    expect(shortened(hostile)).toBe(harmless);
    expect(shortened("🚗".repeat(100))).toBe("🚗".repeat(100));
    expect(shortened("🚗".repeat(101))).toBe(`${"🚗".repeat(100)}…`);
  });

  it("of a failure that a stranger on the pipe made up is as harmless, and has an end", () => {
    const long = `${hostile}${"x".repeat(5_000)}`;
    const check = failed("paired", { code: "not_paired", detail: long, message: long, remedy: long, retryable: false });
    const text = JSON.stringify(check);
    expect(text).toContain(`[not_paired, ${harmless}`);
    expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(text.length).toBeLessThan(1_500);
  });
});
