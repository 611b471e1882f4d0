/** `dms-connect pair`: makes the command line a paired program. */
import { hostname, userInfo } from "node:os";
import { writeCredentials } from "../clients/node/credentials-file.ts";
import { connectToBroker } from "../clients/node/dms-connect-client.ts";
import { credentialsFile, readArguments, readWords } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./report-failure.ts";

export const pairUsage = "dms-connect pair [--name NAME]";

/** Asks the person for approval and stores the credentials, replacing earlier ones. Returns the exit code. */
export async function pairCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, { name: { type: "string" } });
  readWords(positionals, []);
  const file = credentialsFile(values.credentials);
  const connected = await connectToBroker(values.pipe === undefined ? {} : { pipe: values.pipe });
  if (!connected.ok) return reportFailure(connected.error);
  const client = connected.value;
  const paired = await client.pair({
    name: values.name ?? "DMS Connect command line",
    reason: `Commands typed by ${userInfo().username} on ${hostname()}`,
    onCode: (code, seconds) => {
      console.error(`Code: ${code}`);
      console.error(`Open DMS Connect, compare the code and approve within ${seconds} seconds.`);
    },
  });
  client.close();
  if (!paired.ok) return reportFailure(paired.error);
  try {
    await writeCredentials(file, paired.value);
  } catch {
    console.error(`dms-connect: the credentials could not be written to ${file}.`);
    console.error("What to do: Make the folder writable or choose another file with --credentials, and pair again.");
    return exitCodes.failed;
  }
  console.log(`Paired. The credentials are in ${file}.`);
  return exitCodes.ok;
}
