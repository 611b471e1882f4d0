import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStartOptions } from "./start-options.ts";

const none = readStartOptions([]);

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
      hidden: false,
      problems: [],
    });
  });

  it.each([["--import-registrations"], ["--import-registrations="]])("are refused without a file: %s", (given) => {
    const read = readStartOptions([given]);
    expect(read.importRegistrationsFile).toBeUndefined();
    expect(read.problems).toMatchObject([{ code: "command_line_invalid", params: { option: "--import-registrations" } }]);
  });

  it("are all optional", () => {
    expect(none).toMatchObject({ hidden: false, problems: [] });
  });

  it("start without a window when they say so", () => {
    expect(readStartOptions(["--no-sandbox", "--hidden"]).hidden).toBe(true);
    expect(readStartOptions(["--hidden=x"]).hidden).toBe(false);
    expect(readStartOptions(["hidden"]).hidden).toBe(false);
  });

  it("do not count on a command line that holds a link, wherever it stands and however it is spelt", () => {
    const link = fc.tuple(fc.constantFrom("dms-connect:", "DMS-CONNECT:", "dms-connect://"), fc.string()).map((parts) => parts.join(""));
    const option = fc.constantFrom(
      "--import-registrations=/evil.json",
      "--import-registrations",
      "--import-programs=/evil.json",
      "--trust-loopback-certificate=/evil.pem",
      "--hidden",
      "--",
      "/evil.json",
    );
    fc.assert(
      fc.property(fc.array(option, { maxLength: 4 }), link, fc.array(option, { maxLength: 4 }), (before, given, after) => {
        expect(readStartOptions([...before, given, ...after])).toEqual(none);
      }),
    );
  });

  it("may name a file whose name resembles a link", () => {
    expect(readStartOptions(["--import-registrations=dms-connect://settings"]).importRegistrationsFile).toBe("dms-connect://settings");
  });
});
