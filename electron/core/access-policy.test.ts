import { describe, expect, it } from "vitest";
import { isAllowed, notPermitted } from "./access-policy.ts";

const subject = { provider: "mazda", user: "jdoe" };

describe("the access policy", () => {
  it("allows everything when both parts say all", () => {
    expect(isAllowed({ users: "all", providers: "all" }, subject)).toBe(true);
  });

  it("needs both the user and the provider to be covered", () => {
    expect(isAllowed({ users: ["jdoe"], providers: ["mazda"] }, subject)).toBe(true);
    expect(isAllowed({ users: ["jdoe"], providers: ["webfleet"] }, subject)).toBe(false);
    expect(isAllowed({ users: ["asmith"], providers: ["mazda"] }, subject)).toBe(false);
  });

  it("allows nothing with empty lists", () => {
    expect(isAllowed({ users: [], providers: "all" }, subject)).toBe(false);
    expect(isAllowed({ users: "all", providers: [] }, subject)).toBe(false);
  });

  it("compares exactly: neither case nor a part of a name is enough", () => {
    expect(isAllowed({ users: ["JDOE", "jdoe2", "jd"], providers: "all" }, subject)).toBe(false);
  });

  it("refuses with not_permitted, naming what was asked for", () => {
    expect(notPermitted(subject)).toMatchObject({ code: "not_permitted", params: subject, retryable: false });
  });
});
