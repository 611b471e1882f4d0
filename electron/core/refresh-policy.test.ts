import { assert, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Grant } from "./connection-state.ts";
import { callerRetryAtMs, isFreshEnough, isStillValid, type RefreshPlan, refreshDueAtMs, retryDelayMs } from "./refresh-policy.ts";
import { grantAt, minuteMs } from "./testing/records.ts";

const dayMs = 24 * 60 * minuteMs;
const times = integer({ min: 1_000_000_000_000, max: 3_000_000_000_000 });
const lives = integer({ min: 1_000, max: 60 * dayMs });
const random = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = integer({ min: 1, max: 5_000 });
const retryAfter = integer({ min: 0, max: 86_400 });
const grantOf = (obtainedAtMs: number, lifeMs: number): Grant =>
  grantAt(obtainedAtMs, "any", { accessTokenExpiresAtMs: obtainedAtMs + lifeMs });

const usual: RefreshPlan = { nowMs: 0, keepAliveDays: 7, random: 0, isSaving: false, lastAskedAtMs: undefined };

describe("the background refresh", () => {
  it("is due after the token was obtained and before it ends, whatever its life, the jitter and the computer's wish to save", () => {
    assert(
      property(times, lives, integer({ min: 1, max: 30 }), random, (obtainedAtMs, lifeMs, keepAliveDays, chance) => {
        const plan = { ...usual, nowMs: obtainedAtMs, keepAliveDays, random: chance };
        const dueAtMs = refreshDueAtMs(grantOf(obtainedAtMs, lifeMs), plan) ?? Number.NaN;
        expect(dueAtMs).toBeGreaterThan(obtainedAtMs);
        expect(dueAtMs).toBeLessThan(obtainedAtMs + lifeMs);
        expect(dueAtMs).toBeLessThanOrEqual(obtainedAtMs + lifeMs * 0.8);
        expect(dueAtMs).toBeLessThanOrEqual(obtainedAtMs + keepAliveDays * dayMs);
        const saving =
          refreshDueAtMs(grantOf(obtainedAtMs, lifeMs), { ...plan, isSaving: true, lastAskedAtMs: obtainedAtMs }) ?? Number.NaN;
        expect(saving).toBeGreaterThanOrEqual(dueAtMs);
        expect(saving).toBeLessThan(obtainedAtMs + lifeMs);
      }),
    );
  });

  it("is due at 80% of an hour's life, and five minutes before the end of twelve minutes' life", () => {
    expect(refreshDueAtMs(grantOf(0, 60 * minuteMs), usual)).toBe(48 * minuteMs);
    expect(refreshDueAtMs(grantOf(0, 12 * minuteMs), usual)).toBe(7 * minuteMs);
  });

  it("comes sooner by jitter, by a twentieth of the wait at most", () => {
    const due = (chance: number) => refreshDueAtMs(grantOf(0, 60 * minuteMs), { ...usual, random: chance });
    expect([due(0.5), due(0.999_999)]).toEqual([48 * minuteMs * 0.975, expect.closeTo(48 * minuteMs * 0.95, -1)]);
  });

  it("is due after the keep-alive days even for a token that lasts for months, and for an idle one while the computer saves", () => {
    expect(refreshDueAtMs(grantOf(0, 90 * dayMs), usual)).toBe(7 * dayMs);
    expect(refreshDueAtMs(grantOf(0, 60 * minuteMs), { ...usual, isSaving: true })).toBe(7 * dayMs);
  });

  it("is due at half of the grant's own life, where the provider tells that it ends sooner", () => {
    const grant = { ...grantOf(0, 30 * dayMs), grantExpiresAtMs: dayMs, grantExpiryIsEstimate: false };
    expect([refreshDueAtMs(grant, usual), refreshDueAtMs(grant, { ...usual, isSaving: true })]).toEqual([dayMs / 2, dayMs / 2]);
    expect(refreshDueAtMs({ ...grant, grantExpiryIsEstimate: true }, usual)).toBe(7 * dayMs);
    expect(refreshDueAtMs({ ...grant, grantExpiresAtMs: -dayMs }, usual)).toBe(minuteMs);
  });

  it("is due at once for a grant that a wrong clock has put into the future", () => {
    expect(refreshDueAtMs(grantOf(dayMs, 60 * minuteMs), { ...usual, nowMs: 5 })).toBe(5);
  });

  it("is never due for a grant without a refresh token", () => {
    const { refreshToken: _none, ...grant } = grantOf(0, dayMs);
    expect(refreshDueAtMs(grant, usual)).toBeUndefined();
  });
});

describe("freshness", () => {
  it("a token that is fresh enough for some validity is still valid, and fresh enough for any shorter one", () => {
    assert(
      property(times, lives, lives, integer({ min: 1, max: 86_400 }), (obtainedAtMs, lifeMs, ageMs, seconds) => {
        const nowMs = obtainedAtMs + ageMs;
        const grant = grantOf(obtainedAtMs, lifeMs);
        const isFresh = isFreshEnough(grant, nowMs, seconds);
        expect(isFresh).toBe(grant.accessTokenExpiresAtMs >= nowMs + seconds * 1000);
        expect(!isFresh || isStillValid(grant, nowMs)).toBe(true);
        expect(!isFresh || isFreshEnough(grant, nowMs, seconds - 1)).toBe(true);
      }),
    );
  });

  it("counts the asked validity to the millisecond", () => {
    const grant = grantOf(0, 60_000);
    expect([isFreshEnough(grant, 0, 60), isFreshEnough(grant, 1, 60)]).toEqual([true, false]);
    expect([isStillValid(grant, 59_999), isStillValid(grant, 60_000)]).toEqual([true, false]);
  });
});

describe("the back-off", () => {
  it("is never shorter than the provider's Retry-After nor than a second, and without Retry-After never over five minutes", () => {
    assert(
      property(failures, random, retryAfter, (count, chance, seconds) => {
        const delayMs = retryDelayMs(count, chance, seconds);
        expect(delayMs).toBeGreaterThanOrEqual(Math.max(1_000, seconds * 1000));
        expect(delayMs).toBeLessThanOrEqual(Math.max(5 * minuteMs, seconds * 1000));
      }),
    );
  });

  it("does not shrink as failures go on", () => {
    assert(
      property(failures, random, (count, chance) => {
        expect(retryDelayMs(count + 1, chance)).toBeGreaterThanOrEqual(retryDelayMs(count, chance));
      }),
    );
    expect([1, 2, 3, 4].map((count) => retryDelayMs(count, 0.5))).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  it("lets a program try after ten seconds at the latest, but never before the provider's Retry-After", () => {
    assert(
      property(times, failures, random, retryAfter, (failedAtMs, count, chance, seconds) => {
        const nextTryAtMs = failedAtMs + retryDelayMs(count, chance, seconds);
        const callerAtMs = callerRetryAtMs(failedAtMs, nextTryAtMs, seconds);
        expect(callerAtMs).toBeGreaterThanOrEqual(failedAtMs + seconds * 1000);
        expect(callerAtMs).toBeLessThanOrEqual(Math.max(failedAtMs + 10_000, failedAtMs + seconds * 1000));
        expect(callerAtMs).toBeLessThanOrEqual(nextTryAtMs);
      }),
    );
  });
});
