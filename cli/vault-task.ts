/**
 * The work of the vault's commands on an opened vault.
 *
 * Invariants: the vault is closed however a task ends; an export or import that was done has its audit row, or is undone
 * and reported; stdout holds results only.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Connections } from "../electron/core/connections.ts";
import type { ProviderDefinition } from "../electron/core/provider-definition.ts";
import { Registrations } from "../electron/core/registrations.ts";
import { type ExportedTransfer, exportAction, importAction, VaultTransfer } from "../electron/core/vault-transfer.ts";
import { readTransferText } from "../electron/shell/bounded-file.ts";
import { writePrivateText } from "../electron/shell/private-file.ts";
import { systemClock } from "../electron/shell/system-ports.ts";
import { createTransferSeal } from "../electron/vault/transfer-file.ts";
import type { LockedVault, OpenedVault } from "../electron/vault/vault.ts";
import { assertNever, ok, type Result } from "../shared/result.ts";
import { UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { type AskPassphrase, readNewPassphrase, readPassphrase } from "./passphrase-input.ts";
import { reportLocalFailure } from "./report-failure.ts";
import {
  type Opened,
  openWithPassphrase,
  printNotices,
  readVaultPassphrase,
  recorded,
  reportLocked,
  reportNoVault,
  type VaultPassphrase,
} from "./vault-opening.ts";
import { verifyVault } from "./vault-verify.ts";

interface TransferPassphrase extends VaultPassphrase {
  readonly file: string;
  readonly passphraseFile: string | undefined;
}
interface ExportTask extends TransferPassphrase {
  readonly kind: "export";
  readonly includeSignIns: boolean;
}
interface ImportTask extends TransferPassphrase {
  readonly kind: "import";
}
export type VaultTask = (VaultPassphrase & { readonly kind: "verify" | "rekey" }) | ExportTask | ImportTask;

export interface VaultTaskParts {
  readonly profileFolder: string;
  /** Whether the profile holds a vault, or what one could be recovered from. */
  readonly vaultIsThere: () => boolean;
  readonly openVault: (passphrase: string | undefined) => Promise<Result<OpenedVault, LockedVault>>;
  readonly providers: () => Promise<readonly ProviderDefinition[]>;
  readonly ask: AskPassphrase;
}

const signInWarning = `Warning: the file lets whoever has the passphrase act as these users. On this computer, forget the
connections afterwards: two computers must not use the same sign-in.`;

/** Opens the vault, does the task and closes it. Throws `UsageError`. Returns the exit code. */
export async function runVaultTask(task: VaultTask, parts: VaultTaskParts): Promise<number> {
  // An import may be the first thing that happens on a new computer.
  if (task.kind !== "import" && !parts.vaultIsThere()) return reportNoVault(parts.profileFolder);
  if (task.kind === "export" && existsSync(task.file)) throw new UsageError(`${task.file} is there already; choose another name`);
  const text = task.kind === "import" ? await readTransferText(task.file) : ok("");
  if (!text.ok) return reportLocalFailure(text.error);
  const opening = await openWithPassphrase(task, parts.ask, parts.openVault);
  if (!opening.ok) return reportLocked(opening.error);
  try {
    return await perform(task, text.value, opening.value, parts);
  } finally {
    opening.value.opened.close();
  }
}

/** `text`: of the file that an import reads. */
async function perform(task: VaultTask, text: string, opening: Opened<OpenedVault>, parts: VaultTaskParts): Promise<number> {
  const { opened } = opening;
  if (task.kind !== "verify") printNotices(opened.notices);
  switch (task.kind) {
    case "verify":
      return verifyVault(opened, parts.profileFolder);
    case "rekey":
      return rekey(opening, task, parts.ask);
    case "export":
      return exportTo(opened, task, parts);
    case "import":
      return importFrom(opened, text, task, parts);
    default:
      return assertNever(task);
  }
}

async function rekey({ opened, vaultPassphrase }: Opened<OpenedVault>, task: VaultPassphrase, ask: AskPassphrase): Promise<number> {
  // The new key has to be sealed under the passphrase, too; a vault that has none gets none.
  const passphrase = opened.hasPassphrase() ? (vaultPassphrase ?? (await readVaultPassphrase(task, ask))) : undefined;
  const changed = await recorded(opened, "vault.rekey", await opened.rekey(passphrase));
  if (!changed.ok) return reportLocalFailure(changed.error);
  console.log("The vault's key was changed, and everything in it is sealed anew.");
  return exitCodes.ok;
}

async function exportTo(opened: OpenedVault, task: ExportTask, parts: VaultTaskParts): Promise<number> {
  if (task.includeSignIns) console.error(signInWarning);
  const request = { file: task.passphraseFile, option: "--passphrase-file", prompt: "Passphrase for the file: " };
  const passphrase = await readNewPassphrase(request, parts.ask);
  const transfer = await transferOn(opened, parts);
  if (!transfer.ok) return reportLocalFailure(transfer.error);
  const written = await writeExport(transfer.value, task, passphrase);
  const exported = await recorded(opened, exportAction(task.includeSignIns), written);
  if (!exported.ok) {
    // What the audit log cannot tell of does not leave.
    if (written.ok) await rm(task.file, { force: true });
    return reportLocalFailure(exported.error);
  }
  const { registrations, connections, withSignIn } = exported.value;
  console.log(`Exported to ${task.file}:`);
  printCounts({ registrations, connections, "of these with sign-in": withSignIn });
  return exitCodes.ok;
}

async function writeExport(transfer: VaultTransfer, task: ExportTask, passphrase: string): Promise<Result<ExportedTransfer>> {
  const exported = await transfer.exportAll({ passphrase, includeSignIns: task.includeSignIns });
  if (!exported.ok) return exported;
  const written = await writePrivateText(task.file, exported.value.text);
  return written.ok ? exported : written;
}

async function importFrom(opened: OpenedVault, text: string, task: ImportTask, parts: VaultTaskParts): Promise<number> {
  const request = { file: task.passphraseFile, option: "--passphrase-file", prompt: "Passphrase of the file: " };
  const passphrase = await readPassphrase(request, parts.ask);
  const transfer = await transferOn(opened, parts);
  if (!transfer.ok) return reportLocalFailure(transfer.error);
  const taken = await transfer.value.importAll(text, passphrase);
  const imported = await recorded(opened, importAction(taken.ok && taken.value.withSignIn > 0), taken);
  if (!imported.ok) return reportLocalFailure(imported.error);
  const { registrations, connections, withSignIn, skipped } = imported.value;
  console.log(`Imported from ${task.file}:`);
  printCounts({ registrations, connections, "of these with sign-in": withSignIn, "skipped, here already or unknown": skipped });
  return exitCodes.ok;
}

async function transferOn({ vault }: OpenedVault, parts: VaultTaskParts): Promise<Result<VaultTransfer>> {
  const registrations = new Registrations(vault, await parts.providers());
  const ready = await registrations.open();
  if (!ready.ok) return ready;
  const connections = new Connections({ vault, clock: systemClock, describe: (key) => registrations.describe(key) });
  // Nobody refreshes here: a refresh that the app left unfinished is in doubt.
  const refreshSettled = async () => undefined;
  return ok(new VaultTransfer({ vault, connections, registrations, clock: systemClock, seal: createTransferSeal(), refreshSettled }));
}

function printCounts(counts: Readonly<Record<string, number>>): void {
  for (const [what, count] of Object.entries(counts)) console.log(`  ${what}: ${count}`);
}
