import { describe, expect, it } from "vitest";
import { type Finding, isClean, newTotals, seenLine, stepLine, summaryLine } from "./totals.ts";

function totalsWith(...findings: readonly Pick<Finding, "kind" | "avoidable">[]) {
  const totals = newTotals();
  totals.kills = 7;
  totals.findings.push(...findings.map((finding) => ({ ...finding, life: 1, text: "" })));
  return totals;
}

describe("the last lines of a crash run", () => {
  it("count each kind of finding, and the reconnects nobody could avoid", () => {
    const forced = [
      { kind: "reconnectForced", avoidable: false },
      { kind: "reconnectForced", avoidable: true },
      { kind: "reconnectForced", avoidable: false },
    ] as const;
    const totals = totalsWith(
      { kind: "acknowledgedLost" },
      { kind: "corrupt" },
      { kind: "corrupt" },
      { kind: "refreshTokenReused" },
      ...forced,
    );
    expect(summaryLine(totals)).toBe("kills=7 acknowledgedLost=1 corrupt=2 refreshTokenReused=1 reconnectsForced=3 unavoidable=2");
  });

  it("are clean with nothing but forced reconnects and notes", () => {
    expect(summaryLine(totalsWith())).toBe("kills=7 acknowledgedLost=0 corrupt=0 refreshTokenReused=0 reconnectsForced=0 unavoidable=0");
    expect(isClean(totalsWith({ kind: "reconnectForced", avoidable: false }, { kind: "note" }))).toBe(true);
  });

  it.each(["acknowledgedLost", "corrupt", "refreshTokenReused"] as const)("are not clean with %s", (kind) => {
    expect(isClean(totalsWith({ kind }))).toBe(false);
  });

  it("name every step, reached or not, and what was seen", () => {
    const totals = newTotals();
    totals.stepKills.set("answered", 3);
    totals.seen.rotations = 5;
    expect(stepLine(totals)).toMatch(/^steps killed: process-started=0 .* answered=3 /);
    expect(seenLine(totals)).toMatch(/^seen: tokensHanded=0 rotations=5 /);
  });
});
