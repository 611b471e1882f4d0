/**
 * The only place, with `compose-broker.ts`, that builds and wires adapters. This part stands around the vault: settings,
 * status, and the way between a locked vault and a running broker.
 */
import type { SafeStorage, Session } from "electron";
import { type Failure, failure } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import type { PairingView, SettingsView, StatusView, WindowTarget } from "../shared/views.ts";
import { type RunningBroker, startBroker } from "./compose-broker.ts";
import type { AttentionNotice, Network, Power, SystemBrowser, TimeSources } from "./core/ports.ts";
import type { ProviderDefinition } from "./core/provider-definition.ts";
import type { OpenedLog } from "./diagnostics/log.ts";
import type { WindowBroker } from "./ipc/handlers.ts";
import type { SendEvent } from "./ipc/router.ts";
import type { VaultControl } from "./ipc/vault-handlers.ts";
import { certificateSha256 } from "./oauth/loopback-certificate.ts";
import { readPolicy } from "./settings/policy.ts";
import { openSettings } from "./settings/settings.ts";
import type { CloseReason } from "./shell/app-end.ts";
import { readBoundedText } from "./shell/bounded-file.ts";
import { trustLoopbackCertificates } from "./shell/loopback-certificates.ts";
import type { ProxySignIns } from "./shell/proxy-sign-ins.ts";
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

/** When programs are told to come back: nobody knows how long the app stays away that a person quits. */
const retryAfterSeconds: Readonly<Record<CloseReason, number | undefined>> = { quit: undefined, restart: 5 };

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
  /** Absent: requests find out whether there is a network. */
  readonly network?: Network;
  /** Absent: the computer never sleeps and saves nothing. */
  readonly power?: Power;
  /** Absent: this computer's. */
  readonly timeSources?: TimeSources;
  /** What the proxy of `fetch` wants to know; kept in the vault. */
  readonly proxySignIns?: ProxySignIns;
  /** A connection needs a person who may not be looking. */
  readonly onAttention?: (notice: AttentionNotice) => void;
  /** How many connections need a person. */
  readonly onAttentionCount?: (count: number) => void;
  /** A program asks to have the window opened. */
  readonly onShowRequested?: (target: WindowTarget) => void;
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
  /** What the computer's policy rules about the app itself. */
  readonly policy: { readonly startAtLogin?: boolean };
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string }>>;
  /** Why, for each renewed sign-in that is in memory only and would be lost by quitting now. Tries to write them first. */
  readonly unsaved: () => Promise<readonly Failure[]>;
  /** Ends sign-ins, answers programs, writes what is in flight and closes the vault. */
  readonly close: (reason?: CloseReason) => Promise<void>;
}

/** Opens everything. Whatever fails to open is told by `status`; the window works all the same. */
export async function compose(parts: ComposeParts): Promise<Application> {
  const { profileFolder } = parts;
  const { settings, notices: settingsNotices } = openSettings({ folder: profileFolder });
  const notices = [...settingsNotices, ...parts.startOptions.problems, ...(await trustGivenCertificate(parts))];
  const policy = await readPolicy(parts.policyFiles ?? [], Date.now());
  let current = settings.read();
  let certificateShown: string | undefined;
  let isReady = false;
  const providerName = providerNames(parts);
  const lifecycle = await startVaultLifecycle<RunningBroker>({
    open: vaultOpener(parts),
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
          settings: () => current,
        },
        opened,
      ),
    lockedConnections: () => readLockedConnections(profileFolder),
    waiting: (connections) => waitingForReconnect(connections, providerName),
    providerName,
    anew: startingAnew(profileFolder),
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
      ...(policy.startAtLogin === undefined ? {} : { ruledSettings: ["startAtLogin"] }),
      notices: [...notices, ...policy.notices, ...lifecycle.notices(), ...(running.ok ? running.value.notices() : [])],
      ...(running.ok && running.value.clockCorrectionMs() !== 0 ? { clockCorrectionMs: running.value.clockCorrectionMs() } : {}),
      ...(certificateShown === undefined ? {} : { callbackCertificateSha256: certificateShown }),
    };
  };
  /** While the first opening is under way nobody can ask yet. */
  function tellStatus(): void {
    if (isReady) parts.sendEvent("statusChanged", status());
  }
  isReady = true;
  const withRunning = <T>(use: (running: RunningBroker) => T): Result<T> => {
    const running = lifecycle.running();
    return running.ok ? ok(use(running.value)) : running;
  };
  return {
    status,
    broker: () => withRunning((running) => running.window),
    vault: lifecycle.control,
    settings: {
      read: settings.read,
      save: (view) => {
        const saved = settings.save(view);
        current = settings.read();
        withRunning((running) => running.settingsChanged());
        return saved;
      },
    },
    policy: policy.startAtLogin === undefined ? {} : { startAtLogin: policy.startAtLogin },
    callbackCertificate: async () => {
      const running = lifecycle.running();
      return running.ok ? running.value.callbackCertificate() : running;
    },
    unsaved: async () => {
      const unsaved = withRunning((running) => running.unsaved());
      return unsaved.ok ? unsaved.value : [];
    },
    close: (reason = "quit") => lifecycle.close(retryAfterSeconds[reason]),
  };
}

function startingAnew(profileFolder: string) {
  return {
    setAside: () => setWholeVaultAside(profileFolder, Date.now()),
    resume: () => resumeStartingAnew(profileFolder),
    end: () => endStartingAnew(profileFolder),
  };
}

function providerNames({ providers }: ComposeParts): (id: string) => string {
  return (id) => providers.find((provider) => provider.id === id)?.name ?? id;
}

function vaultOpener({ profileFolder, safeStorage, log }: ComposeParts) {
  return async (passphrase?: string) => {
    const opened = await openVault({
      folder: profileFolder,
      safeStorage,
      credentialStore: createKeyringCredentialStore(),
      nowMs: Date.now,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    if (!opened.ok) log.warn("vault.locked", { code: opened.error.failure.code });
    return opened;
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
