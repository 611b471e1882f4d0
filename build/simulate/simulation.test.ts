import { describe, expect, it } from "vitest";
import { RequestCounts } from "./request-counts.ts";
import { simulate } from "./simulation.ts";

describe("two weeks of a small workstation", () => {
  it("serve everybody, storm nobody, and ask nobody to sign in again who need not", async () => {
    const result = await simulate({ days: 14, connections: 40, seed: 3 });
    expect(result).toMatchObject({ storms: 0, falseReconnects: 0, expiredServed: 0 });
    expect(result.served).toBeGreaterThan(1_000);
    expect(result.refreshesPerConnectionPerDay).toBeGreaterThan(1);
    expect(result.longestUnservedSeconds).toBeLessThan(90);
  });

  it("are the same each time they are lived", async () => {
    const options = { days: 2, connections: 10, seed: 5 };
    expect(await simulate(options)).toEqual(await simulate(options));
  });
});

describe("the simulation finds", () => {
  it("a storm, where no cap holds requests back", async () => {
    const result = await simulate({ days: 2, connections: 400, seed: 3, sabotage: "no-cap" });
    expect(result.storms).toBeGreaterThan(0);
    expect(result.maxRefreshesPerSecond).toBeGreaterThan(20);
  });

  it("false reconnects, where an outage is taken for a logout", async () => {
    const result = await simulate({ days: 14, connections: 20, seed: 3, sabotage: "outage-taken-for-logout" });
    expect(result.falseReconnects).toBeGreaterThan(0);
  });

  it("expired tokens, where nobody tells the app what time it is", async () => {
    const result = await simulate({ days: 72, connections: 10, seed: 3, sabotage: "deaf-to-time" });
    expect(result.expiredServed).toBeGreaterThan(0);
  });
});

it("counts what went to one provider in any second, not in the seconds of a clock", () => {
  const counts = new RequestCounts(2);
  for (const atMs of [100, 900, 1_050, 2_500]) counts.sent("mazda", atMs);
  counts.sent("webfleet", 1_050);
  expect([counts.all, counts.mostPerSecond, counts.storms]).toEqual([5, 3, 1]);
});
