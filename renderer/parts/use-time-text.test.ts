import { describe, expect, it } from "vitest";
import { countdownText, timeText } from "./use-time-text.ts";

const minute = 60_000;
const { relative, absolute, brief } = timeText("en", []);

describe("relative times", () => {
  it.each([
    [43 * minute, "in 43 minutes"],
    [10_000, "this minute"],
    [-3 * minute, "3 minutes ago"],
    [21 * 60 * minute, "in 21 hours"],
    [24 * 24 * 60 * minute, "in 24 days"],
  ])("says %i ms as %s", (differenceMs, words) => {
    expect(relative(1_000_000_000_000 + differenceMs, 1_000_000_000_000)).toBe(words);
  });
});

describe("absolute times", () => {
  it("puts the day before the month where the reader's region is not known", () => {
    expect(absolute(Date.UTC(2026, 10, 22, 12))).toMatch(/^22 Nov 2026, \d\d:\d\d$/);
  });

  it("follows the reader's region where it speaks the window's language", () => {
    expect(timeText("en", ["nl-NL", "en-US"]).absolute(Date.UTC(2026, 10, 22, 12))).toMatch(/^Nov 22, 2026/);
  });
});

describe("brief times", () => {
  const noon = new Date(2026, 10, 22, 12).getTime();

  it("leave out the date on the same day", () => {
    expect(brief(noon + 155 * minute, noon)).toBe("14:35");
  });

  it("have the date on any other day", () => {
    expect(brief(noon + 13 * 60 * minute, noon)).toBe("23 Nov 2026, 01:00");
    expect(brief(noon - 24 * 60 * minute, noon)).toBe("21 Nov 2026, 12:00");
  });
});

describe("a countdown", () => {
  it("counts minutes and seconds and stops at zero", () => {
    expect([countdownText(65_400), countdownText(600_000), countdownText(-5)]).toEqual(["1:05", "10:00", "0:00"]);
  });
});
