import { describe, expect, it } from "vitest";
import { detailLines, faultKinds, isClean, newTotals, shortcomings, summaryLine } from "./totals.ts";

const troubles = new Map(Object.entries({ "cut-request": 1, "cut-answer": 1, "corrupt-answer": 1, close: 1 }));

describe("the last line of a soak", () => {
  it("counts requests, tokens and each kind of fault", () => {
    const totals = newTotals();
    totals.seen.requests = 12;
    totals.seen.served = 9;
    totals.faults.stuckConnections = 2;
    expect(summaryLine(totals)).toBe(
      "requests=12 served=9 wrongUserTokens=0 expiredTokensServed=0 refreshTokenReused=0 stuckConnections=2 unhandledRejections=0",
    );
  });

  it.each(faultKinds)("is not clean with %s", (kind) => {
    const totals = newTotals();
    expect(isClean(totals)).toBe(true);
    totals.faults[kind] = 1;
    expect(isClean(totals)).toBe(false);
  });

  it("has lines before it for what happened", () => {
    const totals = newTotals();
    totals.seen.longestGapMs = 1_250;
    totals.refusals.set("grant_dead", 3);
    expect(detailLines(totals, troubles)).toEqual([
      expect.stringMatching(/^seen: .*kills=0 .*longestGapSeconds=1\.3/),
      "network: close=1 corrupt-answer=1 cut-answer=1 cut-request=1",
      "refusals: grant_dead=3",
      "longest gap: none",
    ]);
  });
});

describe("a soak proves nothing", () => {
  it("without a token that was served", () => {
    expect(shortcomings(newTotals(), troubles, 0.1)).toEqual(["no served"]);
  });

  it("when it was long enough for chaos and there was none", () => {
    const totals = newTotals();
    totals.seen.served = 1;
    expect(shortcomings(totals, new Map(), 2)).toEqual([]);
    expect(shortcomings(totals, new Map(), 2.1)).toEqual(
      expect.arrayContaining(["no quits", "no kills", "no serverRestarts", "no reconnects", "no cut-answer"]),
    );
  });

  it("and does prove something with all of it", () => {
    const totals = newTotals();
    Object.assign(totals.seen, { served: 1, quits: 1, kills: 1, serverRestarts: 1, rotations: 1, reconnects: 1 });
    expect(shortcomings(totals, troubles, 30)).toEqual([]);
  });
});
