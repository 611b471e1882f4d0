/**
 * The only place, with `compose-broker.ts`, that builds and wires adapters. This part stands around the vault: settings,
 * status, and the way between a locked vault and a running broker.
 */
import type { SafeStorage, Session } from "electron";
import { type Failure, failure } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import type { PairingView, SettingsView, StatusView } from "../shared/views.ts";
import { type RunningBroker, startBroker } from "./compose-broker.ts";
import type { SystemBrowser } from "./core/ports.ts";
import type { ProviderDefinition } from "./core/provider-definition.ts";
import type { OpenedLog } from "./diagnostics/log.ts";
import type { WindowBroker } from "./ipc/handlers.ts";
import type { SendEvent } from "./ipc/router.ts";
import type { VaultControl } from "./ipc/vault-handlers.ts";
import { certificateSha256 } from "./oauth/loopback-certificate.ts";
import { readPolicy } from "./settings/policy.ts";
import { openSettings } from "./settings/settings.ts";
import { readBoundedText } from "./shell/bounded-file.ts";
import { trustLoopbackCertificates } from "./shell/loopback-certificates.ts";
import type { StartOptions } from "./shell/start-options.ts";
import { createKeyringCredentialStore } from "./vault/credential-store.ts";
import {
  endStartingAnew,
  readLockedConnections,
  resumeStartingAnew,
  setWholeVaultAside,
  waitingForReconnect,
} from "./vault/locked-vault.ts";
import { openVault } from "./vault/vault.ts";
import { startVaultLifecycle } from "./vault-lifecycle.ts";

export interface ComposeParts {
  readonly profileFolder: string;
  readonly version: string;
  readonly hostName: string;
  readonly providers: readonly ProviderDefinition[];
  readonly safeStorage: Pick<SafeStorage, "isAsyncEncryptionAvailable" | "encryptStringAsync" | "decryptStringAsync">;
  readonly session: Pick<Session, "setCertificateVerifyProc">;
  readonly fetch: typeof fetch;
  readonly browser: SystemBrowser;
  readonly sendEvent: SendEvent;
  readonly log: OpenedLog;
  /** A program asks to be paired: a person has to look at the window. */
  readonly onPairingRequested: (pairing: PairingView) => void;
  /** Where the policy of this computer may lie (`policyFiles`); absent: there is none. */
  readonly policyFiles?: readonly string[];
  readonly startOptions: StartOptions;
  /** Windows: earlier copies of the system's key file of `safeStorage`; `use` restarts the app, `proven` says that `safeStorage` opened the vault. */
  readonly earlierSystemKeys?: { readonly available: () => boolean; readonly use: () => Result<undefined>; readonly proven: () => void };
}

/** The running application, as `main.ts` sees it. */
export interface Application {
  readonly status: () => StatusView;
  readonly broker: () => Result<WindowBroker>;
  readonly vault: VaultControl;
  readonly settings: { readonly read: () => SettingsView; readonly save: (view: SettingsView) => Result<undefined> };
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string }>>;
  /** Why, for each renewed sign-in that is in memory only and would be lost by quitting now. Tries to write them first. */
  readonly unsaved: () => Promise<readonly Failure[]>;
  /** Ends sign-ins, answers programs, writes what is in flight and closes the vault. */
  readonly close: () => Promise<void>;
}

/** Opens everything. Whatever fails to open is told by `status`; the window works all the same. */
export async function compose(parts: ComposeParts): Promise<Application> {
  const { profileFolder, log } = parts;
  const { settings, notices: settingsNotices } = openSettings({ folder: profileFolder });
  const notices = [...settingsNotices, ...parts.startOptions.problems, ...(await trustGivenCertificate(parts))];
  const policy = await readPolicy(parts.policyFiles ?? [], Date.now());
  let certificateShown: string | undefined;
  let isReady = false;
  const providerName = (id: string) => parts.providers.find((provider) => provider.id === id)?.name ?? id;
  const lifecycle = await startVaultLifecycle<RunningBroker>({
    open: async (passphrase) => {
      const opened = await openVault({
        folder: profileFolder,
        safeStorage: parts.safeStorage,
        credentialStore: createKeyringCredentialStore(),
        nowMs: Date.now,
        ...(passphrase === undefined ? {} : { passphrase }),
      });
      if (!opened.ok) log.warn("vault.locked", { code: opened.error.failure.code });
      return opened;
    },
    start: (opened) =>
      startBroker(
        {
          ...parts,
          policy,
          onCertificate: (pem) => {
            certificateShown = certificateSha256(pem);
            tellStatus();
          },
          onNoticesChanged: () => tellStatus(),
        },
        opened,
      ),
    lockedConnections: () => readLockedConnections(profileFolder),
    waiting: (connections) => waitingForReconnect(connections, providerName),
    providerName,
    anew: {
      setAside: () => setWholeVaultAside(profileFolder, Date.now()),
      resume: () => resumeStartingAnew(profileFolder),
      end: () => endStartingAnew(profileFolder),
    },
    ...(parts.earlierSystemKeys === undefined ? {} : { earlierSystemKeys: parts.earlierSystemKeys }),
    onChanged: () => tellStatus(),
  });
  const status = (): StatusView => {
    const running = lifecycle.running();
    return {
      version: parts.version,
      host: parts.hostName,
      vault: lifecycle.view(),
      pipe: running.ok ? running.value.pipe() : { state: "closed", failure: running.error },
      pairing: policy.pairing,
      notices: [...notices, ...policy.notices, ...lifecycle.notices(), ...(running.ok ? running.value.notices() : [])],
      ...(certificateShown === undefined ? {} : { callbackCertificateSha256: certificateShown }),
    };
  };
  /** While the first opening is under way nobody can ask yet. */
  function tellStatus(): void {
    if (isReady) parts.sendEvent("statusChanged", status());
  }
  isReady = true;
  return {
    status,
    broker: () => {
      const running = lifecycle.running();
      return running.ok ? ok(running.value.window) : running;
    },
    vault: lifecycle.control,
    settings,
    callbackCertificate: async () => {
      const running = lifecycle.running();
      return running.ok ? running.value.callbackCertificate() : running;
    },
    unsaved: async () => {
      const running = lifecycle.running();
      return running.ok ? running.value.unsaved() : [];
    },
    close: lifecycle.close,
  };
}

async function trustGivenCertificate(parts: ComposeParts): Promise<readonly Failure[]> {
  const file = parts.startOptions.trustLoopbackCertificateFile;
  if (file === undefined) return [];
  const unusable = [failure("command_line_invalid", { option: "--trust-loopback-certificate" })];
  const pem = await readBoundedText(file);
  if (!pem.ok) return unusable;
  try {
    trustLoopbackCertificates(parts.session, [certificateSha256(pem.value)]);
    return [];
  } catch {
    // The file holds no certificate: there is nothing to trust.
    return unusable;
  }
}
