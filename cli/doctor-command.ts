/** `dms-connect doctor`: finds out why a program gets no token, by small checks that each name their remedy. */
import { isOpenToOthers, readCredentials } from "../clients/node/credentials-file.ts";
import { type BrokerClient, type BrokerFailure, connectToBroker } from "../clients/node/dms-connect-client.ts";
import { findPipe } from "../clients/node/find-pipe.ts";
import { type BrokerStatusResult, pipeProtocolVersion } from "../shared/pipe-protocol.ts";
import { credentialsFile, readArguments, readWords } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import type { SessionOptions } from "./with-broker.ts";

export const doctorUsage = "dms-connect doctor";

type Check =
  | { readonly outcome: "ok"; readonly name: string; readonly found: string }
  | { readonly outcome: "fail"; readonly name: string; readonly found: string; readonly remedy: string }
  /** Could not be looked at, because an earlier check failed. */
  | { readonly outcome: "skip"; readonly name: string };

const pairFirst = "Run `dms-connect pair` and approve it in DMS Connect.";

/** Runs all checks and prints each. Returns 0 if none failed. */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {});
  readWords(positionals, []);
  const checks = await runChecks(values);
  for (const check of checks) print(check);
  return checks.some(({ outcome }) => outcome === "fail") ? exitCodes.failed : exitCodes.ok;
}

async function runChecks(options: SessionOptions): Promise<readonly Check[]> {
  const pipe = await findPipe(options.pipe);
  return [
    ok("pipe name", `${pipe.name} (from ${pipe.source})`),
    await brokerAnswers(pipe.name),
    await credentialsMode(credentialsFile(options.credentials)),
    ...(await sessionChecks(pipe.name, credentialsFile(options.credentials))),
  ];
}

async function brokerAnswers(pipe: string): Promise<Check> {
  const connected = await connectToBroker({ pipe });
  if (!connected.ok) return failed("broker answers", connected.error);
  connected.value.close();
  return ok("broker answers", "yes");
}

async function credentialsMode(file: string): Promise<Check> {
  const name = "credentials file";
  try {
    if (!(await isOpenToOthers(file))) return ok(name, file);
  } catch {
    return fail(name, `${file} does not exist or cannot be read`, pairFirst);
  }
  return fail(
    name,
    `${file} can be read by other users`,
    `Run: chmod 600 "${file}". If others may have read it, remove the program in DMS Connect and pair again.`,
  );
}

async function sessionChecks(pipe: string, file: string): Promise<readonly Check[]> {
  const credentials = await readCredentials(file);
  if (credentials === undefined) return [skip("genuine"), fail("paired", "no", pairFirst), ...skipped(statusChecks)];
  const connected = await connectToBroker({ pipe, credentials });
  if (!connected.ok) return entryFailure(connected.error);
  const client = connected.value;
  try {
    return [ok("genuine", "the broker proved this program's key"), ok("paired", credentials.clientId), ...(await statusOf(client))];
  } finally {
    client.close();
  }
}

const statusChecks = ["protocol version", "vault", "providers"] as const;

/** Which of the entry's checks a failed entry means. */
function entryFailure(error: BrokerFailure): readonly Check[] {
  const [protocol, ...others] = statusChecks;
  if (error.detail === "protocol_unsupported") return [skip("genuine"), skip("paired"), failed(protocol, error), ...skipped(others)];
  if (error.detail === "broker_not_genuine") return [failed("genuine", error), skip("paired"), ...skipped(statusChecks)];
  if (error.code === "not_paired") return [ok("genuine", "yes"), failed("paired", error), ...skipped(statusChecks)];
  return [skip("genuine"), failed("paired", error), ...skipped(statusChecks)];
}

async function statusOf(client: BrokerClient): Promise<readonly Check[]> {
  const status = await client.brokerStatus();
  if (!status.ok) return [failed("broker status", status.error), ...skipped(statusChecks)];
  return [protocolCheck(status.value), vaultCheck(status.value), ...providerChecks(status.value)];
}

function protocolCheck({ protocol, version }: BrokerStatusResult): Check {
  const found = `${protocol} (DMS Connect ${version})`;
  if (protocol === pipeProtocolVersion) return ok("protocol version", found);
  return fail("protocol version", found, "Update this command line or DMS Connect.");
}

function vaultCheck({ vault }: BrokerStatusResult): Check {
  if (vault === "open") return ok("vault", vault);
  return fail("vault", vault, "Open DMS Connect and follow the steps shown there. Nothing was deleted.");
}

function providerChecks({ providers }: BrokerStatusResult): readonly Check[] {
  if (providers.length > 0)
    return providers.map(({ provider, environment }) => ok("provider", `${provider} (${environment}) is registered`));
  return [fail("providers", "none is registered", "Add the registration in DMS Connect, or import the file from your DMS vendor.")];
}

function ok(name: string, found: string): Check {
  return { outcome: "ok", name, found };
}

function fail(name: string, found: string, remedy: string): Check {
  return { outcome: "fail", name, found, remedy };
}

function failed(name: string, { message, remedy, code, detail }: BrokerFailure): Check {
  return fail(name, `${message} [${code}, ${detail}]`, remedy);
}

function skip(name: string): Check {
  return { outcome: "skip", name };
}

function skipped(names: readonly string[]): readonly Check[] {
  return names.map(skip);
}

function print(check: Check): void {
  if (check.outcome === "skip") return console.log(`skip  ${check.name}`);
  console.log(`${check.outcome.padEnd(4)}  ${check.name}: ${check.found}`);
  if (check.outcome === "fail") console.log(`      What to do: ${check.remedy}`);
}
