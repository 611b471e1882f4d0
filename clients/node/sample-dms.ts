/**
 * A small DMS program: pairs, asks for a token, calls a provider's API with it, and shows what it did.
 * Run: `node clients/node/sample-dms.ts --provider mazda --user mmd10030.johndoe --api-url https://…`
 *
 * Invariant: a token is never printed, stored or logged whole.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { ConnectStartParams, TokenGetResult } from "../../shared/pipe-protocol.ts";
import { environments } from "../../shared/views.ts";
import { readCredentials, writeCredentials } from "./credentials-file.ts";
import { type BrokerClient, type BrokerFailure, connectToBroker } from "./dms-connect-client.ts";
import { getWithHeaders } from "./sample-api-call.ts";

interface SampleOptions {
  readonly params: ConnectStartParams;
  readonly apiUrl: URL;
  readonly credentialsFile: string;
  readonly caFile?: string;
  readonly watch: boolean;
}

const usage =
  "usage: sample-dms --provider ID --user USER --api-url URL [--environment acceptance|production] [--organisation ID]\n" +
  "                  [--credentials FILE] [--ca-file FILE] [--watch]";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.error(usage);
    return 2;
  }
  const client = await openSession(options.credentialsFile);
  if (client === undefined) return 1;
  if (options.watch) return watch(client, options);
  const succeeded = await callApi(client, options);
  client.close();
  return succeeded ? 0 : 1;
}

function readOptions(args: readonly string[]): SampleOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        provider: { type: "string" },
        user: { type: "string" },
        environment: { type: "string" },
        organisation: { type: "string" },
        "api-url": { type: "string" },
        credentials: { type: "string", default: "sample-dms-credentials.json" },
        "ca-file": { type: "string" },
        watch: { type: "boolean", default: false },
      },
    });
    const { provider, user, environment: word, organisation } = values;
    const environment = environments.find((known) => known === word);
    const apiUrl = values["api-url"];
    if (provider === undefined || user === undefined || environment !== word) return undefined;
    if (apiUrl === undefined || !URL.canParse(apiUrl)) return undefined;
    return {
      params: { provider, user, ...(environment && { environment }), ...(organisation !== undefined && { organisation }) },
      apiUrl: new URL(apiUrl),
      credentialsFile: values.credentials,
      ...(values["ca-file"] !== undefined && { caFile: values["ca-file"] }),
      watch: values.watch,
    };
  } catch {
    // parseArgs throws for unknown or incomplete options.
    return undefined;
  }
}

/** A session with the stored credentials, or a new pairing where there are none. */
async function openSession(credentialsFile: string): Promise<BrokerClient | undefined> {
  const credentials = await readCredentials(credentialsFile);
  const connected = await connectToBroker(credentials === undefined ? {} : { credentials });
  if (!connected.ok) {
    report(connected.error);
    return undefined;
  }
  const client = connected.value;
  if (credentials !== undefined) return client;

  const paired = await client.pair({
    name: "Sample DMS",
    publisher: "DMS Connect",
    reason: "Shows how a DMS program gets its tokens.",
    onCode: (code, seconds) => console.log(`Pairing code: ${code}. Approve it in DMS Connect within ${seconds} seconds.`),
  });
  if (!paired.ok) {
    client.close();
    report(paired.error);
    return undefined;
  }
  await writeCredentials(credentialsFile, paired.value);
  console.log("Paired.");
  return client;
}

/** Calls the API; a 401 is reported to the broker, and the call made once more with another token. */
async function callApi(client: BrokerClient, options: SampleOptions): Promise<boolean> {
  const token = await client.tokenGet(options.params);
  if (!token.ok) return report(token.error);
  const status = await callOnce(token.value, options);
  if (status !== 401) return isSuccess(status);

  console.log("The API refused the token: reporting it to DMS Connect.");
  const other = await client.tokenRejected({ ...options.params, tokenId: token.value.tokenId });
  if (!other.ok) return report(other.error);
  return isSuccess(await callOnce(other.value, options));
}

async function callOnce(token: TokenGetResult, { apiUrl, caFile }: SampleOptions): Promise<number | undefined> {
  console.log(`GET ${apiUrl.origin}${apiUrl.pathname}`);
  for (const [name, value] of Object.entries(token.headers)) console.log(`  ${name}: ${cutToken(value, token.accessToken)}`);
  const ca = caFile === undefined ? undefined : await readFile(caFile);
  try {
    const status = await getWithHeaders(apiUrl, token.headers, ca);
    console.log(`Status: ${status}`);
    return status;
  } catch (error) {
    console.error(`The API could not be reached: ${error instanceof Error && "code" in error ? String(error.code) : "unknown error"}`);
    return undefined;
  }
}

/** Prints each change of the user's connection, and calls the API whenever it becomes Active. */
async function watch(client: BrokerClient, options: SampleOptions): Promise<number> {
  const { provider, user, environment } = options.params;
  let lastState = "";
  const subscribed = await client.subscribe(({ connection }) => {
    const isOurs = connection.provider === provider && connection.user === user;
    if (!isOurs || (environment !== undefined && connection.environment !== environment)) return;
    console.log(`Connection: ${connection.state}`);
    const becameActive = connection.state === "Active" && lastState !== "Active";
    lastState = connection.state;
    if (becameActive) void callApi(client, options);
  });
  if (!subscribed.ok) {
    client.close();
    report(subscribed.error);
    return 1;
  }
  await callApi(client, options);
  await client.closed;
  console.log("DMS Connect has ended the session.");
  return 0;
}

/** The first six characters are enough to tell two tokens apart in a log. */
function cutToken(header: string, token: string): string {
  return header.replace(token, `${token.length > 12 ? token.slice(0, 6) : ""}… (${token.length} characters)`);
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** Shows a failure; false, because whatever was tried did not succeed. */
function report({ code, detail, message, remedy }: BrokerFailure): false {
  console.error(`${message} ${remedy} [${code}, ${detail}]`);
  return false;
}
