import { describe, expect, it } from "vitest";
import { readSearchReport } from "./search-report.ts";

const complete = `
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
	never claim         	- (not selected)
	assertion violations	+

State-vector 84 byte, depth reached 255, errors: 0
   413049 states, stored
   772505 states, matched

  128.000	memory used for hash table (-w24)

unreached in proctype Refresh
	rotation.pml:135, state 101, "-end-"
	(1 of 101 states)
unreached in proctype Ending
	rotation.pml:94, state 64, "committed = 0"
	rotation.pml:177, state 81, "-end-"
	(2 of 81 states)
unreached in claim durable
	_spin_nvr.tmp:3, state 6, "(1)"
	(1 of 10 states)
`;

describe("the report of a search", () => {
  it("holds after a complete search without an error", () => {
    expect(readSearchReport(complete, 0)).toMatchObject({ verdict: "holds", why: undefined, states: 413_049 });
  });

  it("names what no run reaches, but neither the ends of endless processes nor the properties' own states", () => {
    expect(readSearchReport(complete, 0).unreached).toEqual(["Ending: committed = 0"]);
  });

  it("is a violation when an error was found", () => {
    const found = complete.replace("errors: 0", "errors: 1").replace("(Spin", "pan:1: acceptance cycle (at depth 52)\n(Spin");
    expect(readSearchReport(found, 0)).toMatchObject({ verdict: "violated", why: "pan:1: acceptance cycle (at depth 52)" });
  });

  it.each(["error: max search depth too small", "pan: out of memory", "pan: reached -DMEMLIM bound", "Warning: Search not completed"])(
    "does not hold after: %s",
    (line) => {
      expect(readSearchReport(`${line}\n${complete}`, 0).verdict).toBe("not completed");
    },
  );

  it("does not hold when states were only hashed, nothing was stored, or the verifier was killed", () => {
    expect(readSearchReport(complete.replace("Full statespace", "Bitstate statespace"), 0).verdict).toBe("not completed");
    expect(readSearchReport(complete.replace("413049", "0"), 0).verdict).toBe("not completed");
    expect(readSearchReport(complete, null).verdict).toBe("not completed");
    expect(readSearchReport("", 127)).toMatchObject({ verdict: "not completed", why: "the verifier ended with status 127" });
  });
});
