import { array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { OnceAMinute } from "./once-a-minute.ts";
import { RequestLimits } from "./request-limits.ts";

describe("a limit of requests", () => {
  it("answers a minute's requests at once, then as many as flow in", () => {
    const limits = new RequestLimits();
    const take = (nowMs: number) => limits.take("dms", 60, nowMs);
    expect(Array.from({ length: 60 }, () => take(0))).toEqual(Array.from({ length: 60 }, () => 0));
    expect(take(0)).toBe(1_000);
    expect([take(400), take(1_000), take(1_000)]).toEqual([600, 0, 1_000]);
    expect(limits.take("another", 60, 1_000)).toBe(0);
  });

  it("never answers more than one minute's store and what has flown in since, however the clock jumps", () => {
    const moves = array(integer({ min: -200_000, max: 200_000 }), { maxLength: 300 });
    assert(
      property(moves, integer({ min: 1, max: 50 }), (jumps, perMinute) => {
        const limits = new RequestLimits();
        let nowMs = 10_000_000;
        let forwardMs = 0;
        let answered = 0;
        for (const jump of jumps) {
          nowMs += jump;
          forwardMs += Math.max(0, jump);
          if (limits.take("dms", perMinute, nowMs) === 0) answered += 1;
        }
        expect(answered).toBeLessThanOrEqual(perMinute + (forwardMs * perMinute) / 60_000);
      }),
    );
  });

  it("follows a changed limit at once", () => {
    const limits = new RequestLimits();
    limits.take("dms", 1_000, 0);
    expect([limits.take("dms", 1, 0), limits.take("dms", 1, 0)]).toEqual([0, 60_000]);
  });
});

describe("once a minute", () => {
  it("is due once for each key, and for so many keys at most", () => {
    const once = new OnceAMinute(64);
    expect([once.isDue("a", 0), once.isDue("a", 59_999), once.isDue("a", 60_000)]).toEqual([true, false, true]);
    const due = Array.from({ length: 200 }, (_, index) => once.isDue(`key ${index}`, 60_000));
    expect(due.filter(Boolean)).toHaveLength(63);
    expect(once.isDue("a", 0)).toBe(true);
  });
});
