import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { testClientProgram } from "../testing/client-program-tests.ts";
import { compile, hasMono, outputFolder } from "../testing/toolchains.ts";

const isMonoHere = hasMono();
if (!isMonoHere) console.log("skipped: the C# client was not exercised, because there is no Mono (mcs and mono).");

describe.skipIf(!isMonoHere)("the C# client", () => {
  const folder = outputFolder();
  const sample = path.join(folder, "Sample.exe");
  const selfCheck = path.join(folder, "SelfCheck.exe");

  beforeAll(() => {
    // C# 5, because Windows PowerShell compiles the same file.
    const build = (output: string, source: string): string => {
      const sources = ["DmsConnect.cs", `sample/${source}`].map((name) => path.join(import.meta.dirname, name));
      return compile("mcs", ["-langversion:5", "-warn:4", "-warnaserror", `-out:${output}`, ...sources]);
    };
    build(sample, "Sample.cs");
    build(selfCheck, "SelfCheck.cs");
  }, 120_000);

  testClientProgram(() => ["mono", sample]);

  it("computes the test vectors of the document, and finds the default pipe", async () => {
    const profile = path.join(folder, "self-check");
    await mkdir(profile);
    const env = { ...process.env, DMS_CONNECT_PIPE: "", DMS_CONNECT_PROFILE: profile, XDG_RUNTIME_DIR: profile };
    const { stdout } = await promisify(execFile)("mono", [selfCheck, profile], { env });
    expect(stdout).toContain("self-check: ok");
    expect(stdout).toContain(`pipe: ${profile}/dms-connect/broker.sock`);
  });
});
