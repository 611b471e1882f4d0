/** The vault's commands on the profile of this user, with the keys of this computer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultProfileFolder } from "../clients/node/default-pipe-name.ts";
import { createKeyringCredentialStore } from "../electron/vault/credential-store.ts";
import { hasRecoverySources } from "../electron/vault/recovery.ts";
import type { SafeStorageLike } from "../electron/vault/safe-storage-envelope.ts";
import { openVault } from "../electron/vault/vault.ts";
import { vaultExists } from "../electron/vault/vault-folder.ts";
import { createTerminalPrompt } from "./passphrase-input.ts";
import { runVaultTask, type VaultTask, type VaultTaskParts } from "./vault-task.ts";

/** Runs `task`. Throws `UsageError`. Returns the exit code. */
export function runOnThisComputer(task: VaultTask): Promise<number> {
  return runVaultTask(task, systemParts());
}

/** Opens nothing until a task asks for it. */
function systemParts(): VaultTaskParts {
  const profileFolder = defaultProfileFolder(process.platform, process.env);
  return {
    profileFolder,
    vaultIsThere: () =>
      existsSync(profileFolder) &&
      (vaultExists(join(profileFolder, "vault.sqlite")) || hasRecoverySources(profileFolder, join(profileFolder, "vault.sqlite"))),
    openVault: (passphrase) =>
      openVault({
        folder: profileFolder,
        safeStorage: absentSafeStorage,
        credentialStore: createKeyringCredentialStore(),
        nowMs: Date.now,
        ...(passphrase === undefined ? {} : { passphrase }),
      }),
    // Found by the bundler: only a bundle has them.
    providers: async () => (await import("../electron/oauth/provider-registry.ts")).builtInProviders,
    ask: createTerminalPrompt(process.stdin, process.stderr),
  };
}

/** Electron's is only in Electron. The app seals the vault's key there again at its next start. */
const absentSafeStorage: SafeStorageLike = {
  isAsyncEncryptionAvailable: async () => false,
  encryptStringAsync: () => Promise.reject(new Error("there is no safeStorage outside Electron")),
  decryptStringAsync: () => Promise.reject(new Error("there is no safeStorage outside Electron")),
};
