import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessTokenEnd, grantEnd } from "./token-lifetime.ts";

const nowMs = Date.UTC(2026, 10, 22, 12);
const nowSeconds = nowMs / 1000;
const dayMs = 86_400_000;
const unknown = { atMs: nowMs + 600_000, isEstimate: true };

describe("the end of an access token", () => {
  it.each([
    ["seconds", 3600, 3_600_000],
    ["seconds", "3600", 3_600_000],
    ["seconds", " 3600 ", 3_600_000],
    ["seconds", "59.5", 59_500],
    ["seconds-or-epoch", 86_400, dayMs],
    ["seconds-or-epoch", nowSeconds + 3600, 3_600_000],
    ["seconds-or-epoch", String(nowSeconds + 3600), 3_600_000],
    ["seconds-or-epoch", nowMs + 3_600_000, 3_600_000],
    ["seconds-or-epoch", String(nowMs + 3_600_000), 3_600_000],
    ["seconds", 400 * 86_400, 400 * dayMs],
  ] as const)("read as %s from %j is %i ms away", (reading, expiresIn, awayMs) => {
    expect(accessTokenEnd(expiresIn, reading, nowMs, 0)).toEqual({ atMs: nowMs + awayMs, isEstimate: false });
  });

  it.each([
    ["seconds", undefined],
    ["seconds", null],
    ["seconds", ""],
    ["seconds", "soon"],
    ["seconds", "0x10"],
    ["seconds", true],
    ["seconds", 0],
    ["seconds", -1],
    ["seconds", Number.NaN],
    ["seconds", 400 * 86_400 + 1],
    ["seconds", nowSeconds + 3600],
    ["seconds-or-epoch", nowSeconds - 1],
    ["seconds-or-epoch", nowSeconds + 401 * 86_400],
    ["seconds-or-epoch", nowMs - 1],
    ["seconds-or-epoch", 1_000_000_000],
    ["seconds-or-epoch", 1_000_000_000_000],
  ] as const)("read as %s from %j is unknown: ten minutes", (reading, expiresIn) => {
    expect(accessTokenEnd(expiresIn, reading, nowMs, 0)).toEqual(unknown);
  });

  it("is always ahead and at most 400 days away, whatever is sent", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.integer(), fc.string(), fc.anything()),
        fc.constantFrom("seconds" as const, "seconds-or-epoch" as const),
        fc.nat(),
        (sent, reading, tookMs) => {
          const { atMs } = accessTokenEnd(sent, reading, nowMs, tookMs);
          expect(Number.isInteger(atMs)).toBe(true);
          expect(atMs).toBeGreaterThan(nowMs);
          expect(atMs).toBeLessThanOrEqual(nowMs + 400 * dayMs);
        },
      ),
    );
  });
});

describe("the end of a grant", () => {
  it("is a guess where the provider sends none", () => {
    expect(grantEnd({ kind: "estimate", days: 21 }, 60, nowMs)).toEqual({ atMs: nowMs + 21 * dayMs, isEstimate: true });
  });

  it("is a whole number of milliseconds, as the vault wants it, even when the seconds have a fraction", () => {
    const end = grantEnd({ kind: "refresh_expires_in", idleDays: 30 }, 1800.0005, nowMs);
    expect(end).toEqual({ atMs: nowMs + 1_800_001, isEstimate: false });
  });

  it.each([60, "60"])("is exact where it is sent (%j)", (sent) => {
    expect(grantEnd({ kind: "refresh_expires_in", idleDays: 30 }, sent, nowMs)).toEqual({ atMs: nowMs + 60_000, isEstimate: false });
  });

  it.each([0, "0", undefined, -1, "x", 1e12])("is the idle timeout where %j is sent", (sent) => {
    expect(grantEnd({ kind: "refresh_expires_in", idleDays: 30 }, sent, nowMs)).toEqual({ atMs: nowMs + 30 * dayMs, isEstimate: true });
  });
});
