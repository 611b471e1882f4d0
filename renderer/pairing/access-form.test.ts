import { describe, expect, it } from "vitest";
import type { AccessPolicy } from "../../shared/views.ts";
import { type AccessForm, accessForm, accessPolicy, accessProblems, initialAccessForm, isSound, requestsLimit } from "./access-form.ts";

/** Noon of a day of this computer's calendar: its time zone is not this test's to choose. */
const nowMs = new Date(2026, 10, 22, 12).getTime();
const form = (changes: Partial<AccessForm>): AccessForm => ({ ...initialAccessForm, ...changes });

describe("the access a person chooses", () => {
  it("is everything, always, unless the person says otherwise", () => {
    expect(isSound(accessProblems(initialAccessForm, nowMs))).toBe(true);
    expect(accessPolicy(initialAccessForm, nowMs)).toEqual({ users: "all", providers: "all" });
  });

  it("ends with the last day, in this computer's time zone", () => {
    const { untilMs } = accessPolicy(form({ until: "date", lastDay: "2026-11-30" }), nowMs);
    expect(untilMs).toBe(new Date(2026, 11, 1).getTime() - 1);
  });

  it.each([
    ["2026-11-22", undefined],
    ["2026-11-21", "lastDayPast"],
    ["", "lastDayMissing"],
    ["22-11-2026", "lastDayMissing"],
  ])("may last until %s: %s", (lastDay, problem) => {
    expect(accessProblems(form({ until: "date", lastDay }), nowMs).lastDay).toBe(problem);
  });

  it("does not mind what was typed where another choice was made", () => {
    const left = form({ userList: "x".repeat(300), lastDay: "2001-01-01", providerIds: ["mazda"] });
    expect(isSound(accessProblems(left, nowMs))).toBe(true);
    expect(accessPolicy(left, nowMs)).toEqual({ users: "all", providers: "all" });
  });

  it.each([["0"], ["-1"], ["1.5"], ["6,000"], ["1e3"], ["many"], [String(requestsLimit + 1)]])(
    "takes no limit of %s requests",
    (requests) => {
      expect(accessProblems(form({ requests }), nowMs).requests).toBe("requestsInvalid");
    },
  );

  it("refuses lists that the main process would refuse", () => {
    const users = (userList: string) => accessProblems(form({ users: "some", userList }), nowMs).userList;
    expect(users(" \n ")).toBe("userListMissing");
    expect(users("x".repeat(257))).toBe("userListTooLong");
    expect(users(Array.from({ length: 1001 }, (_none, index) => `u${index}`).join("\n"))).toBe("userListTooMany");
    expect(accessProblems(form({ providers: "some" }), nowMs).providerIds).toBe("providerListMissing");
  });
});

describe("stored access shown in the form", () => {
  it.each<[string, AccessPolicy]>([
    ["everything", { users: "all", providers: "all" }],
    ["lists and a limit", { users: ["johndoe", "mary"], providers: ["mazda"], requestsPerMinute: 600 }],
    ["an end in the middle of a day", { users: "all", providers: "all", untilMs: new Date(2026, 10, 22, 15, 30).getTime() }],
  ])("comes back as it was when nothing is changed: %s", (_name, stored) => {
    const shown = accessForm(stored);
    expect(isSound(accessProblems(shown, nowMs))).toBe(true);
    expect(accessPolicy(shown, nowMs, stored)).toEqual(stored);
  });

  it("is given again from now on when its last day is today and its end is over", () => {
    const stored: AccessPolicy = { users: "all", providers: "all", untilMs: new Date(2026, 10, 22, 9).getTime() };
    expect(accessPolicy(accessForm(stored), nowMs, stored).untilMs).toBe(new Date(2026, 10, 23).getTime() - 1);
  });

  it("must not be saved unchanged when its last day is over", () => {
    const shown = accessForm({ users: "all", providers: "all", untilMs: new Date(2026, 9, 1).getTime() });
    expect(accessProblems(shown, nowMs).lastDay).toBe("lastDayPast");
  });

  it("never ends when a file names an end that no calendar holds", () => {
    expect(accessForm({ users: "all", providers: "all", untilMs: Number.MAX_SAFE_INTEGER }).until).toBe("always");
  });
});
