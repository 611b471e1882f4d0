import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quietMinutesLeft } from "./quiet-hours.ts";

const at = (hours: number, minutes = 0): number => hours * 60 + minutes;

describe("quiet hours", () => {
  it.each([
    ["within a day", "12:00", "13:30", at(12), 90],
    ["a minute before their end", "12:00", "13:30", at(13, 29), 1],
    ["at their end", "12:00", "13:30", at(13, 30), 0],
    ["before they begin", "12:00", "13:30", at(11, 59), 0],
    ["past midnight, in the evening", "22:00", "06:30", at(23), 450],
    ["past midnight, in the morning", "22:00", "06:30", at(6), 30],
    ["past midnight, by day", "22:00", "06:30", at(12), 0],
    ["that are not set", "", "", at(3), 0],
    ["of which only one time is set", "22:00", "", at(23), 0],
    ["of no length", "22:00", "22:00", at(22), 0],
  ] as const)("%s", (_what, quietFrom, quietTo, now, left) => {
    expect(quietMinutesLeft({ quietFrom, quietTo }, now)).toBe(left);
  });

  it("are over after the minutes they say, and not a minute sooner", () => {
    const time = fc.integer({ min: 0, max: 1439 });
    const text = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    fc.assert(
      fc.property(time, time, time, (from, to, now) => {
        const hours = { quietFrom: text(from), quietTo: text(to) };
        const left = quietMinutesLeft(hours, now);
        expect(left === 0 || quietMinutesLeft(hours, (now + left) % 1440) === 0).toBe(true);
        expect(left === 0 || quietMinutesLeft(hours, (now + left - 1) % 1440) === 1).toBe(true);
      }),
    );
  });
});
