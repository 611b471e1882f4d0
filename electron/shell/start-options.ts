/** The start options of the app. Chromium's own switches stand on the same command line, so what is unknown is left to it. */
import { parseArgs } from "node:util";
import { type Failure, failure } from "../../shared/failure.ts";

const options = {
  "import-registrations": { type: "string" },
  "import-programs": { type: "string" },
  "trust-loopback-certificate": { type: "string" },
} as const;

export interface StartOptions {
  /** A registration file to import (docs/provisioning.md). */
  readonly importRegistrationsFile: string | undefined;
  /** A program file to import (docs/provisioning.md). */
  readonly importProgramsFile: string | undefined;
  /** A PEM file whose certificate is trusted on loopback hosts; for trying things out with providers on this computer. */
  readonly trustLoopbackCertificateFile: string | undefined;
  /** `command_line_invalid` for each option that was given without a file. */
  readonly problems: readonly Failure[];
}

/** @param args the command line without the program's own name */
export function readStartOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  const file = (name: keyof typeof options) => (typeof values[name] === "string" && values[name] !== "" ? values[name] : undefined);
  const names = Object.keys(options) as (keyof typeof options)[]; // the keys of a constant
  return {
    importRegistrationsFile: file("import-registrations"),
    importProgramsFile: file("import-programs"),
    trustLoopbackCertificateFile: file("trust-loopback-certificate"),
    problems: names
      .filter((name) => values[name] !== undefined && file(name) === undefined)
      .map((name) => failure("command_line_invalid", { option: `--${name}` })),
  };
}
