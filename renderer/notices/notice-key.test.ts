import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { noticeKey } from "./notice-key.ts";

describe("which notices are the same", () => {
  it("is told by what they are about", () => {
    expect(noticeKey(failure("vault_record_damaged", { what: "one" }))).not.toBe(
      noticeKey(failure("vault_record_damaged", { what: "two" })),
    );
    expect(noticeKey(failure("clock_fast", { offset: "6 min" }))).not.toBe(noticeKey(failure("clock_slow", { offset: "6 min" })));
  });

  it("is not changed by a value that moves on", () => {
    expect(noticeKey(failure("clock_fast", { offset: "6 min" }))).toBe(noticeKey(failure("clock_fast", { offset: "7 min" })));
  });
});
