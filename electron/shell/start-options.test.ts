import { describe, expect, it } from "vitest";
import { readStartOptions } from "./start-options.ts";

describe("the start options", () => {
  it("name their files and leave Chromium's switches alone", () => {
    expect(
      readStartOptions([
        "--no-sandbox",
        "--import-registrations=/a.json",
        "--import-programs=/c.json",
        "--trust-loopback-certificate",
        "/b.pem",
        "app",
      ]),
    ).toEqual({
      importRegistrationsFile: "/a.json",
      importProgramsFile: "/c.json",
      trustLoopbackCertificateFile: "/b.pem",
      problems: [],
    });
  });

  it.each([["--import-registrations"], ["--import-registrations="]])("are refused without a file: %s", (given) => {
    const read = readStartOptions([given]);
    expect(read.importRegistrationsFile).toBeUndefined();
    expect(read.problems).toMatchObject([{ code: "command_line_invalid", params: { option: "--import-registrations" } }]);
  });

  it("are all optional", () => {
    expect(readStartOptions([]).problems).toEqual([]);
  });
});
