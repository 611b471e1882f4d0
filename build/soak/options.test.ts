import { describe, expect, it } from "vitest";
import { readSoakOptions } from "./options.ts";

const read = (...args: readonly string[]) => readSoakOptions(args, () => 7);

describe("the soak's command line", () => {
  it("has a minute, 200 connections, a new seed and no sabotage by default", () => {
    expect(read()).toEqual({ ok: true, value: { minutes: 1, seed: 7, connections: 200, sabotages: [], verbose: false } });
  });

  it("takes fractions of a minute", () => {
    expect(read("--minutes", "0.25")).toMatchObject({ value: { minutes: 0.25 } });
    expect(read("--minutes", ".5", "--seed", "12", "--connections", "4")).toMatchObject({
      value: { minutes: 0.5, seed: 12, connections: 4 },
    });
  });

  it("tells more when it is asked to", () => {
    expect(read("--verbose")).toMatchObject({ value: { verbose: true } });
  });

  it("takes several kinds of sabotage", () => {
    expect(read("--sabotage", "send-twice,reject")).toMatchObject({ value: { sabotages: ["send-twice", "reject"] } });
  });

  it.each([
    ["--minutes", "0"],
    ["--minutes", "ten"],
    ["--minutes", "-1"],
    ["--seed", "0"],
    ["--connections", "1.5"],
    ["--sabotage", "be-nice"],
    ["--sabotage", "reject,be-nice"],
    ["--loudly"],
    ["now"],
  ])("refuses %s %s", (...args) => {
    const refused = read(...args);
    expect(refused.ok).toBe(false);
    expect(refused).toMatchObject({ error: expect.stringContaining("soak:") as unknown });
  });
});
