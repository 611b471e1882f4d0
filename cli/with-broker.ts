/** Runs a command's work in an authenticated session. */
import { readCredentials } from "../clients/node/credentials-file.ts";
import { type BrokerClient, connectToBroker } from "../clients/node/dms-connect-client.ts";
import { credentialsFile } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./report-failure.ts";

export interface SessionOptions {
  readonly credentials?: string | undefined;
  readonly pipe?: string | undefined;
}

/**
 * Opens a session with the stored credentials, runs `work` and closes it.
 *
 * @returns the exit code, of `work` or of why it could not run
 */
export async function withBroker(options: SessionOptions, work: (client: BrokerClient) => Promise<number>): Promise<number> {
  const file = credentialsFile(options.credentials);
  const credentials = await readCredentials(file);
  if (credentials === undefined) {
    console.error(`dms-connect: there are no credentials in ${file}.`);
    console.error("What to do: Run `dms-connect pair` first and approve it in DMS Connect.");
    return exitCodes.notPaired;
  }
  const connected = await connectToBroker({ credentials, ...(options.pipe === undefined ? {} : { pipe: options.pipe }) });
  if (!connected.ok) return reportFailure(connected.error);
  const client = connected.value;
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
