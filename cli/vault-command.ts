/**
 * `dms-connect vault`: what an administrator does to the vault of a profile while the app is not running.
 *
 * Invariants: a passphrase is never an argument, which other users of the computer could read. The vault itself is loaded
 * only for these commands: it needs a newer Node.js than the others.
 */
import { readArguments, readWords, UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { hasNodeForVault } from "./node-for-vault.ts";
import type { VaultTask } from "./vault-task.ts";

export const vaultUsage = `dms-connect vault verify
usage: dms-connect vault rekey
usage: dms-connect vault export FILE [--include-sign-ins] [--passphrase-file FILE]
usage: dms-connect vault import FILE [--passphrase-file FILE]
       Each of them: [--vault-passphrase-file FILE], for a vault that this computer's keys do not open.`;

/** Runs one of the vault's commands on the profile of this user. Returns the exit code. */
export async function vaultCommand(args: readonly string[]): Promise<number> {
  const task = readTask(args);
  if (!hasNodeForVault("Settings")) return exitCodes.failed;
  const { runOnThisComputer } = await import("./vault-on-this-computer.ts");
  return runOnThisComputer(task);
}

function readTask(args: readonly string[]): VaultTask {
  const { values, positionals } = readArguments(args, {
    "include-sign-ins": { type: "boolean", default: false },
    "passphrase-file": { type: "string" },
    "vault-passphrase-file": { type: "string" },
  });
  if (values.credentials !== undefined || values.pipe !== undefined) {
    throw new UsageError("the vault's commands work on the profile folder and take neither --credentials nor --pipe");
  }
  const [action, ...words] = positionals;
  const passphraseFile = values["passphrase-file"];
  const includeSignIns = values["include-sign-ins"];
  const vaultPassphraseFile = values["vault-passphrase-file"];
  if (includeSignIns && action !== "export") throw new UsageError("--include-sign-ins is for export only");
  if (passphraseFile !== undefined && action !== "export" && action !== "import") {
    throw new UsageError("--passphrase-file is for export and import; the vault's own is given by --vault-passphrase-file");
  }
  switch (action) {
    case "verify":
    case "rekey":
      readWords(words, []);
      return { kind: action, vaultPassphraseFile };
    case "export":
      return { kind: action, file: readWords(words, ["FILE"])[0], includeSignIns, passphraseFile, vaultPassphraseFile };
    case "import":
      return { kind: action, file: readWords(words, ["FILE"])[0], passphraseFile, vaultPassphraseFile };
    case undefined:
      throw new UsageError("what to do with the vault is missing");
    default:
      throw new UsageError(`the vault has no command named ${action}`);
  }
}
