import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { testClientProgram } from "../testing/client-program-tests.ts";
import { findPython } from "../testing/toolchains.ts";

const python = findPython();
if (python === undefined) console.log("skipped: the Python client was not exercised, because there is no python3 of 3.8 or newer.");

describe.skipIf(python === undefined)("the Python client", () => {
  testClientProgram(() => [python ?? "", "-B", "-W", "error", path.join(import.meta.dirname, "sample.py")]);

  it("computes the test vectors of the document, and finds the default pipe", async () => {
    const script = path.join(import.meta.dirname, "self_check.py");
    const { stdout } = await promisify(execFile)(python ?? "", ["-B", "-W", "error", script]);
    expect(stdout).toContain("self-check: ok");
  });
});
