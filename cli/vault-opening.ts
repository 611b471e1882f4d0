/** How a command opens the vault of a profile, and what it says when the vault does not open. */
import type { LockedVault, OpenedVault } from "../electron/vault/vault.ts";
import type { Failure, FailureCode } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import { exitCodes } from "./exit-codes.ts";
import { type AskPassphrase, readPassphrase } from "./passphrase-input.ts";
import { reportLocalFailure } from "./report-failure.ts";
import { concernsThisProcess } from "./vault-verify.ts";

export interface VaultPassphrase {
  readonly vaultPassphraseFile: string | undefined;
}

/** What was opened, and the vault's passphrase if the person had to give it. */
export interface Opened<T> {
  readonly opened: T;
  readonly vaultPassphrase: string | undefined;
}

const vaultPrompt = "Passphrase of the vault: ";

/** With this computer's keys if they do; the passphrase is asked for only where it is needed. Throws `UsageError`. */
export async function openWithPassphrase<T>(
  task: VaultPassphrase,
  ask: AskPassphrase,
  open: (passphrase: string | undefined) => Promise<Result<T, LockedVault>>,
): Promise<Result<Opened<T>, LockedVault>> {
  const given = task.vaultPassphraseFile === undefined ? undefined : await readVaultPassphrase(task, ask);
  const first = await open(given);
  if (first.ok) return ok({ opened: first.value, vaultPassphrase: given });
  if (given !== undefined || !first.error.canUsePassphrase) return first;
  const typed = await ask(vaultPrompt);
  if (typed === undefined) return first;
  const second = await open(typed);
  return second.ok ? ok({ opened: second.value, vaultPassphrase: typed }) : second;
}

/** The vault's passphrase from its file or from the person. Throws `UsageError`. */
export function readVaultPassphrase(task: VaultPassphrase, ask: AskPassphrase): Promise<string> {
  return readPassphrase({ file: task.vaultPassphraseFile, option: "--vault-passphrase-file", prompt: vaultPrompt }, ask);
}

/** `done`, once the audit log has it; otherwise why it has not. */
export async function recorded<T>({ vault }: Pick<OpenedVault, "vault">, action: string, done: Result<T>): Promise<Result<T>> {
  const outcome = done.ok ? "ok" : done.error.code;
  const appended = await vault.appendAudit({ atMs: Date.now(), action, actor: "command-line", outcome });
  return done.ok && !appended.ok ? appended : done;
}

/** Tells what a person should know although the vault is open. */
export function printNotices(notices: readonly Failure[]): void {
  for (const { message, remedy } of notices.filter(concernsThisProcess)) console.error(`Note: ${message} ${remedy}`);
}

/** What the window would have a person do is done otherwise here. */
const remedies: Partial<Record<FailureCode, string>> = {
  vault_in_use: "Quit DMS Connect and run this command again, or use Settings in its window. Nothing was changed.",
  vault_keys_unavailable: "Use Settings in the window of DMS Connect instead: not all keys of this computer can be used from here.",
  vault_passphrase_needed: "Run this command at a terminal, or give the passphrase by --vault-passphrase-file FILE.",
};

/** Prints why the vault does not open and what to do; returns the exit code. */
export function reportLocked({ failure }: LockedVault, better: typeof remedies = {}): number {
  return reportLocalFailure(failure, better[failure.code] ?? remedies[failure.code]);
}

/** The same where there is none. */
export function reportNoVault(folder: string): number {
  console.error(`dms-connect: there is no vault in ${folder}.`);
  console.error("What to do: Start DMS Connect once, or set DMS_CONNECT_PROFILE to the folder of its profile.");
  return exitCodes.failed;
}
