#!/usr/bin/env node
/**
 * The command line of DMS Connect: a paired program like any other, for scripts and for finding faults; and, for
 * the commands of the vault and its audit log, a hand on the profile's files.
 *
 * Invariant: stdout holds results only; everything for a person goes to stderr. Bad usage exits with 2.
 */
import packageFile from "../package.json" with { type: "json" };
import { auditCommand, auditUsage } from "./audit-command.ts";
import { UsageError } from "./command-line.ts";
import { conformanceCommand, conformanceUsage } from "./conformance-command.ts";
import { doctorCommand, doctorUsage } from "./doctor-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { listCommand, listUsage } from "./list-command.ts";
import { pairCommand, pairUsage } from "./pair-command.ts";
import { programFileCommand, programFileUsage } from "./program-file-command.ts";
import { tokenCommand, tokenUsage } from "./token-command.ts";
import { vaultCommand, vaultUsage } from "./vault-command.ts";

interface Command {
  readonly run: (args: readonly string[]) => Promise<number>;
  readonly usage: string;
}

const commands: ReadonlyMap<string, Command> = new Map([
  ["pair", { run: pairCommand, usage: pairUsage }],
  ["token", { run: tokenCommand, usage: tokenUsage }],
  ["list", { run: listCommand, usage: listUsage }],
  ["doctor", { run: doctorCommand, usage: doctorUsage }],
  ["vault", { run: vaultCommand, usage: vaultUsage }],
  ["audit", { run: auditCommand, usage: auditUsage }],
  ["program-file", { run: programFileCommand, usage: programFileUsage }],
  ["conformance", { run: conformanceCommand, usage: conformanceUsage }],
]);

const help = `${[...commands.values()].map(({ usage }) => `usage: ${usage}`).join("\n")}

All commands but vault, audit, program-file and conformance take --credentials FILE and --pipe NAME. See also --help and --version.
The vault's commands need DMS Connect not to be running; those of the audit log work beside it, too.

Exit codes: 0 done, 1 internal error or a failed check, 2 bad usage, 3 not_paired, 4 not_permitted, 5 not_connected,
6 reconnect_required, 7 provider_unavailable, 8 invalid_request, 9 rate_limited, 10 vault_locked, 11 shutting_down,
12 DMS Connect is not running, 13 the program on the pipe is not DMS Connect, 14 DMS Connect is running and has the vault,
15 the audit log is broken.`;

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "help" || args.includes("--help")) {
    console.log(help);
    return exitCodes.ok;
  }
  if (name === "--version") {
    console.log(packageFile.version);
    return exitCodes.ok;
  }
  const command = commands.get(name ?? "");
  if (command === undefined) return badUsage(name === undefined ? "a command is missing" : `there is no command named ${name}`, help);
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) return badUsage(error.message, `usage: ${command.usage}`);
    throw error;
  }
}

function badUsage(problem: string, usage: string): number {
  console.error(`dms-connect: invalid_usage: ${problem}`);
  console.error(usage);
  console.error("Correct the command, or see dms-connect --help.");
  return exitCodes.usage;
}
