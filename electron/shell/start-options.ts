/**
 * The start options of the app. Chromium's own switches stand on the same command line, so what is unknown is left to it.
 *
 * Invariant: where the command line holds a link of the app, no option counts. The system starts the app with a link that
 * any web page may have made; if that link broke out of its argument, what it brought along would look like options, such as
 * one that imports a registration with somebody else's endpoints. (Electron itself refuses switches behind a link on
 * Windows; this does not count on it.)
 */
import { parseArgs } from "node:util";
import { type Failure, failure } from "../../shared/failure.ts";
import { linkIn } from "./app-link.ts";

const files = ["import-registrations", "import-programs", "trust-loopback-certificate"] as const;
const options = {
  "import-registrations": { type: "string" },
  "import-programs": { type: "string" },
  "trust-loopback-certificate": { type: "string" },
  hidden: { type: "boolean" },
} as const;

export interface StartOptions {
  /** A registration file to import (docs/provisioning.md). */
  readonly importRegistrationsFile: string | undefined;
  /** A program file to import (docs/provisioning.md). */
  readonly importProgramsFile: string | undefined;
  /** A PEM file whose certificate is trusted on loopback hosts; for trying things out with providers on this computer. */
  readonly trustLoopbackCertificateFile: string | undefined;
  /** Start without a window. */
  readonly hidden: boolean;
  /** `command_line_invalid` for each option that was given without a file. */
  readonly problems: readonly Failure[];
}

/** What makes the app start without its window; the login item passes it. */
export const hiddenOption = "--hidden";

/** @param args the command line without the program's own name */
export function readStartOptions(args: readonly string[]): StartOptions {
  const counted = linkIn(args) === undefined ? [...args] : [];
  const { values } = parseArgs({ args: counted, options, strict: false, allowPositionals: true });
  const file = (name: (typeof files)[number]) => (typeof values[name] === "string" && values[name] !== "" ? values[name] : undefined);
  return {
    importRegistrationsFile: file("import-registrations"),
    importProgramsFile: file("import-programs"),
    trustLoopbackCertificateFile: file("trust-loopback-certificate"),
    hidden: values.hidden === true,
    problems: files
      .filter((name) => values[name] !== undefined && file(name) === undefined)
      .map((name) => failure("command_line_invalid", { option: `--${name}` })),
  };
}
