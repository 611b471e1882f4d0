/**
 * `dms-connect doctor`: finds out why a program gets no token, by small checks that each name their remedy: first the way from
 * the program to DMS Connect, then from this computer to each provider.
 */
import { isOpenToOthers, readCredentials } from "../clients/node/credentials-file.ts";
import { type BrokerClient, type BrokerFailure, connectToBroker } from "../clients/node/dms-connect-client.ts";
import { findPipe } from "../clients/node/find-pipe.ts";
import { type BrokerStatusResult, type PipeProvider, pipeProtocolVersion } from "../shared/pipe-protocol.ts";
import { credentialsFile, readArguments, readWords } from "./command-line.ts";
import { type Check, fail, failed, ok, printCheck, skip, skipped } from "./doctor-check.ts";
import { builtInDoctorProviders, checkProviders, type DoctorProvider, networkOfThisComputer } from "./doctor-network.ts";
import { exitCodes } from "./exit-codes.ts";
import type { SessionOptions } from "./with-broker.ts";

export const doctorUsage = "dms-connect doctor [--json]";

const pairFirst = "Run `dms-connect pair` and approve it in DMS Connect.";

/** Runs all checks and prints each. Returns 0 if none failed. */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, { json: { type: "boolean" } });
  readWords(positionals, []);
  const checks = await runChecks(values);
  if (values.json === true) console.log(JSON.stringify({ checks }, undefined, 2));
  else for (const check of checks) printCheck(check);
  return checks.some(({ outcome }) => outcome === "fail") ? exitCodes.failed : exitCodes.ok;
}

async function runChecks(options: SessionOptions): Promise<readonly Check[]> {
  const pipe = await findPipe(options.pipe);
  const session = await sessionChecks(pipe.name, credentialsFile(options.credentials));
  return [
    ok("pipe name", `${pipe.name} (from ${pipe.source})`),
    await brokerAnswers(pipe.name),
    await credentialsMode(credentialsFile(options.credentials)),
    ...session.checks,
    ...(await networkChecks(session.providers)),
  ];
}

/** @param registered what DMS Connect has told; without it, what this build knows is looked for */
async function networkChecks(registered: readonly DoctorProvider[] | undefined): Promise<readonly Check[]> {
  const providers = registered ?? (await builtInDoctorProviders());
  return providers === undefined ? [skip("way to the providers")] : checkProviders(providers, networkOfThisComputer());
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

interface SessionFindings {
  readonly checks: readonly Check[];
  /** What is registered; absent when DMS Connect has not told. */
  readonly providers?: readonly PipeProvider[];
}

async function sessionChecks(pipe: string, file: string): Promise<SessionFindings> {
  const credentials = await readCredentials(file);
  if (credentials === undefined) return { checks: [skip("genuine"), fail("paired", "no", pairFirst), ...skipped(statusChecks)] };
  const connected = await connectToBroker({ pipe, credentials });
  if (!connected.ok) return { checks: entryFailure(connected.error) };
  const client = connected.value;
  const entered = [ok("genuine", "the broker proved this program's key"), ok("paired", credentials.clientId)];
  try {
    const status = await statusOf(client);
    return { ...status, checks: [...entered, ...status.checks] };
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

async function statusOf(client: BrokerClient): Promise<SessionFindings> {
  const status = await client.brokerStatus();
  if (!status.ok) return { checks: [failed("broker status", status.error), ...skipped(statusChecks)] };
  const checks = [protocolCheck(status.value), vaultCheck(status.value), ...providerChecks(status.value)];
  // A locked vault tells of no provider: those that this build knows say more than none.
  const { providers } = status.value;
  return providers.length === 0 ? { checks } : { checks, providers };
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
  if (providers.length > 0) return providers.map(providerCheck);
  return [fail("providers", "none is registered", "Add the registration in DMS Connect, or import the file from your DMS vendor.")];
}

function providerCheck({ provider, environment, state, nextTryAt }: PipeProvider): Check {
  const found = `${provider} (${environment}) is registered`;
  if (state !== "paused") return ok("provider", found);
  const next = nextTryAt === undefined ? "" : ` at ${new Date(nextTryAt * 1000).toLocaleTimeString()}`;
  const problem = `${found}, but has failed several times in a row; DMS Connect tries again${next}`;
  return fail(
    "provider",
    problem,
    "See what is said below about the way to it. If nothing is wrong there, the provider is out of order: wait.",
  );
}
