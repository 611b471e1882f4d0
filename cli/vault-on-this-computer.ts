/** The commands of the vault and of its audit log, on the profile of this user, with the keys of this computer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultProfileFolder } from "../clients/node/default-pipe-name.ts";
import { openAuditBeside } from "../electron/vault/audit-beside.ts";
import { createKeyringCredentialStore } from "../electron/vault/credential-store.ts";
import { hasRecoverySources } from "../electron/vault/recovery.ts";
import type { SafeStorageLike } from "../electron/vault/safe-storage-envelope.ts";
import { type OpenVaultOptions, openVault } from "../electron/vault/vault.ts";
import { vaultExists } from "../electron/vault/vault-folder.ts";
import { type AuditTask, runAuditTask } from "./audit-task.ts";
import { createTerminalPrompt } from "./passphrase-input.ts";
import { runVaultTask, type VaultTask, type VaultTaskParts } from "./vault-task.ts";

/** Runs `task`. Throws `UsageError`. Returns the exit code. */
export function runOnThisComputer(task: VaultTask): Promise<number> {
  return runVaultTask(task, systemParts());
}

/** The same for a task about the audit log. */
export function runAuditOnThisComputer(task: AuditTask): Promise<number> {
  const parts = systemParts();
  return runAuditTask(task, {
    ...parts,
    openBeside: () => openAuditBeside(parts.profileFolder),
    vaultOptions: (passphrase) => vaultOptions(parts.profileFolder, passphrase),
    output: process.stdout,
  });
}

/** Opens nothing until a task asks for it. */
function systemParts(): VaultTaskParts {
  const profileFolder = defaultProfileFolder(process.platform, process.env);
  return {
    profileFolder,
    vaultIsThere: () =>
      existsSync(profileFolder) &&
      (vaultExists(join(profileFolder, "vault.sqlite")) || hasRecoverySources(profileFolder, join(profileFolder, "vault.sqlite"))),
    openVault: (passphrase) => openVault(vaultOptions(profileFolder, passphrase)),
    // Found by the bundler: only a bundle has them.
    providers: async () => (await import("../electron/oauth/provider-registry.ts")).builtInProviders,
    ask: createTerminalPrompt(process.stdin, process.stderr),
  };
}

function vaultOptions(folder: string, passphrase: string | undefined): OpenVaultOptions {
  return {
    folder,
    safeStorage: absentSafeStorage,
    credentialStore: createKeyringCredentialStore(),
    nowMs: Date.now,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** Electron's is only in Electron. The app seals the vault's key there again at its next start. */
const absentSafeStorage: SafeStorageLike = {
  isAsyncEncryptionAvailable: async () => false,
  encryptStringAsync: () => Promise.reject(new Error("there is no safeStorage outside Electron")),
  decryptStringAsync: () => Promise.reject(new Error("there is no safeStorage outside Electron")),
};
