/** `dms-connect list`: shows the connections this program may use. */
import type { BrokerConnection } from "../clients/node/dms-connect-client.ts";
import { readArguments, readWords } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./report-failure.ts";
import { withBroker } from "./with-broker.ts";

export const listUsage = "dms-connect list [--json]";

/** Prints one line a connection, or the answer as JSON. Returns the exit code. */
export async function listCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, { json: { type: "boolean", default: false } });
  readWords(positionals, []);
  return withBroker(values, async (client) => {
    const list = await client.connectionList();
    if (!list.ok) return reportFailure(list.error);
    if (values.json) console.log(JSON.stringify({ connections: list.value }, undefined, 2));
    else if (list.value.length === 0) console.error("No connections.");
    else for (const row of table(list.value)) console.log(row);
    return exitCodes.ok;
  });
}

function table(connections: readonly BrokerConnection[]): readonly string[] {
  const header = ["PROVIDER", "ENVIRONMENT", "USER", "STATE", "GRANT ENDS", "PROBLEM"];
  const rows = [header, ...connections.map(cells)];
  const widths = header.map((_title, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function cells({
  provider,
  environment,
  user,
  state,
  grantExpiresAt,
  grantExpiryIsEstimate,
  problem,
}: BrokerConnection): readonly string[] {
  const date = grantExpiresAt === undefined ? "-" : new Date(grantExpiresAt * 1000).toISOString().slice(0, 10);
  return [
    provider,
    environment,
    user,
    state,
    grantExpiresAt !== undefined && grantExpiryIsEstimate ? `~${date}` : date,
    problem?.code ?? "-",
  ];
}
