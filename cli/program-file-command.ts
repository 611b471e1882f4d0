/**
 * `dms-connect program-file`: what an administrator needs to set a program up without a prompt (docs/provisioning.md).
 *
 * Invariant: the key is printed nowhere, and no file that is there is lost.
 */
import { readArguments, readWords, UsageError } from "./command-line.ts";
import type { ProgramFileTask } from "./write-program-file.ts";

export const programFileUsage = `dms-connect program-file --name NAME [--publisher P] [--user U]… [--provider P]… [--until YYYY-MM-DD]
       [--requests-per-minute N] [--client-id ID] --output FILE --credentials-output FILE`;

/** Makes a client id and a key and writes them into both files. Returns the exit code. */
export async function programFileCommand(args: readonly string[]): Promise<number> {
  const task = readTask(args);
  // Late: the other commands need not load what checks a program file.
  const { writeProgramFile } = await import("./write-program-file.ts");
  return writeProgramFile(task);
}

function readTask(args: readonly string[]): ProgramFileTask {
  const { values, positionals } = readArguments(args, {
    name: { type: "string" },
    publisher: { type: "string" },
    user: { type: "string", multiple: true },
    provider: { type: "string", multiple: true },
    until: { type: "string" },
    "requests-per-minute": { type: "string" },
    "client-id": { type: "string" },
    output: { type: "string" },
    "credentials-output": { type: "string" },
  });
  readWords(positionals, []);
  if (values.credentials !== undefined || values.pipe !== undefined) {
    throw new UsageError("program-file talks to nobody and takes neither --credentials nor --pipe; see --credentials-output");
  }
  const limit = values["requests-per-minute"];
  return {
    entry: {
      ...(values["client-id"] === undefined ? {} : { clientId: values["client-id"] }),
      name: required("--name NAME", values.name),
      ...(values.publisher === undefined ? {} : { publisher: values.publisher }),
      users: allOr("--user", values.user),
      providers: allOr("--provider", values.provider),
      ...(values.until === undefined ? {} : { until: values.until }),
      ...(limit === undefined ? {} : { requestsPerMinute: readCount(limit) }),
    },
    file: required("--output FILE", values.output),
    credentialsFile: required("--credentials-output FILE", values["credentials-output"]),
  };
}

function required(option: string, value: string | undefined): string {
  if (value === undefined || value === "") throw new UsageError(`${option} is missing`);
  return value;
}

function allOr(option: string, names: readonly string[] | undefined): "all" | string[] {
  // Taken as a name it would allow nobody.
  if (names?.includes("all")) throw new UsageError(`leave ${option} out to allow all`);
  return names === undefined ? "all" : [...new Set(names)];
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError("--requests-per-minute must be a whole number");
  return Number(text);
}
