import { describe, expect, it } from "vitest";
import { mutedUserProblem, mutedUsersLimit } from "./muted-list.ts";

describe("a user to be muted", () => {
  it("is named, not too long, and not in the list yet", () => {
    expect(mutedUserProblem("johndoe", [])).toBeUndefined();
    expect(mutedUserProblem("", [])).toBe("mutedMissing");
    expect(mutedUserProblem("x".repeat(129), [])).toBe("mutedTooLong");
    expect(mutedUserProblem("johndoe", ["johndoe"])).toBe("mutedTwice");
  });

  it("finds room in the list", () => {
    const many = Array.from({ length: mutedUsersLimit }, (_none, index) => `user${index}`);
    expect(mutedUserProblem("one.more", many)).toBe("mutedFull");
  });
});
