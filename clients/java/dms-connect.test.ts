import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { testClientProgram } from "../testing/client-program-tests.ts";
import { compile, hasJava, outputFolder } from "../testing/toolchains.ts";

const isJavaHere = hasJava();
if (!isJavaHere) console.log("skipped: the Java client was not exercised, because there is no JDK of 16 or newer.");

describe.skipIf(!isJavaHere)("the Java client", () => {
  const classes = outputFolder();
  // A small heap and no optimizing compiler: it starts sooner, and many start at once.
  const java = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", classes];

  beforeAll(() => {
    const sources = ["DmsConnect.java", "Sample.java", "SelfCheck.java"].map((name) => path.join(import.meta.dirname, name));
    compile("javac", ["--release", "16", "-Xlint:all", "-Werror", "-d", classes, ...sources]);
  }, 120_000);

  testClientProgram(() => ["java", ...java, "Sample"]);

  it("computes the test vectors of the document, and finds the default pipe", async () => {
    const folder = path.join(classes, "self-check");
    await mkdir(folder);
    const env = { ...process.env, DMS_CONNECT_PIPE: "", DMS_CONNECT_PROFILE: folder, XDG_RUNTIME_DIR: folder };
    const { stdout } = await promisify(execFile)("java", [...java, "SelfCheck", folder], { env });
    expect(stdout).toContain("self-check: ok");
    expect(stdout).toContain(process.platform === "win32" ? "pipe: \\\\.\\pipe\\dms-connect-" : `pipe: ${folder}/dms-connect/broker.sock`);
  });
});
