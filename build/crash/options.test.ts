import { describe, expect, it } from "vitest";
import { readCrashOptions } from "./options.ts";

const newSeed = () => 42;

describe("the command line of the crash harness", () => {
  it("has a standard for everything", () => {
    expect(readCrashOptions([], newSeed)).toEqual({
      ok: true,
      value: { kills: 100, seed: 42, workers: 2, verbose: false, sabotage: undefined },
    });
  });

  it("takes what is given", () => {
    const args = [
      "--kills",
      "1000",
      "--seed",
      "7",
      "--workers",
      "1",
      "--steps",
      "answered,answering",
      "--sabotage",
      "forget-in-flight",
      "--verbose",
    ];
    expect(readCrashOptions(args, newSeed)).toEqual({
      ok: true,
      value: { kills: 1000, seed: 7, workers: 1, verbose: true, sabotage: "forget-in-flight", steps: ["answered", "answering"] },
    });
  });

  it.each([
    [["--kills", "many"]],
    [["--kills"]],
    [["--steps", "nowhere"]],
    [["--sabotage", "all"]],
    [["--unknown"]],
    [["--kills", "0"]],
    [["--seed", "-1"]],
  ])("refuses %j with a sentence", (args) => {
    const read = readCrashOptions(args, newSeed);
    expect(read.ok ? "" : read.error).toMatch(/^crash: /);
  });
});
