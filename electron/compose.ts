/**
 * The only file that builds and wires adapters. Nothing here decides: it connects core's ports to the adapters, core's
 * events to the window, and knows in which order things open and close.
 */
import type { SafeStorage, Session } from "electron";
import { type Failure, failure } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import type { SettingsView, StatusView } from "../shared/views.ts";
import { ConnectFlow } from "./core/connect-flow.ts";
import type { ConnectionKey } from "./core/connection-state.ts";
import { Connections } from "./core/connections.ts";
import { Pairings } from "./core/pairing.ts";
import type { AuditEntry, DmsClientRecord, SystemBrowser } from "./core/ports.ts";
import { ProgramService } from "./core/program-service.ts";
import type { ProviderDefinition } from "./core/provider-definition.ts";
import { RefreshScheduler } from "./core/refresh-scheduler.ts";
import { Registrations } from "./core/registrations.ts";
import { Revocation } from "./core/revocation.ts";
import { TokenBroker } from "./core/token-broker.ts";
import type { OpenedLog } from "./diagnostics/log.ts";
import { importRegistrations, type WindowBroker } from "./ipc/handlers.ts";
import type { SendEvent } from "./ipc/router.ts";
import { certificateSha256, createCertificateStore } from "./oauth/loopback-certificate.ts";
import { createCallbackEndpoint } from "./oauth/loopback-server.ts";
import { createOAuthClient } from "./oauth/oauth-client.ts";
import { publishBrokerFile, removeBrokerFile } from "./pipe/broker-file.ts";
import { pipeName } from "./pipe/pipe-name.ts";
import { type PipeServer, startPipeServer } from "./pipe/pipe-server.ts";
import { openSettings } from "./settings/settings.ts";
import { readBoundedText } from "./shell/bounded-file.ts";
import { trustLoopbackCertificates } from "./shell/loopback-certificates.ts";
import type { StartOptions } from "./shell/start-options.ts";
import { systemClock, systemRandomness } from "./shell/system-ports.ts";
import { createKeyringCredentialStore } from "./vault/credential-store.ts";
import { type OpenedVault, openVault } from "./vault/vault.ts";

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
  readonly onPairingRequested: () => void;
  readonly startOptions: StartOptions;
}

/** The running application, as `main.ts` sees it. */
export interface Application {
  readonly status: () => StatusView;
  readonly broker: () => Result<WindowBroker>;
  readonly settings: { readonly read: () => SettingsView; readonly save: (view: SettingsView) => Result<undefined> };
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string }>>;
  /** Ends sign-ins, answers programs, writes what is in flight and closes the vault. */
  readonly close: () => Promise<void>;
}

type Pipe = StatusView["pipe"];

/** Opens everything. Whatever fails to open is told by `status`; the window works all the same. */
export async function compose(parts: ComposeParts): Promise<Application> {
  const { profileFolder, sendEvent, log } = parts;
  const { settings, notices: settingsNotices } = openSettings({ folder: profileFolder });
  const notices = [...settingsNotices, ...parts.startOptions.problems, ...(await trustGivenCertificate(parts))];
  const opened = await openVault({
    folder: profileFolder,
    safeStorage: parts.safeStorage,
    credentialStore: createKeyringCredentialStore(),
    nowMs: Date.now,
  });
  const base = { version: parts.version, host: parts.hostName };
  const running = opened.ok ? await startBroker(parts, opened.value, log) : opened;
  if (!running.ok) {
    log.warn("vault.locked", { code: running.error.code });
    if (opened.ok) opened.value.close();
    const closed: Pipe = { state: "closed", failure: running.error };
    const status: StatusView = { ...base, vault: { state: "locked", failure: running.error }, pipe: closed, notices };
    return {
      status: () => status,
      broker: () => running,
      settings,
      callbackCertificate: async () => running,
      close: async () => undefined,
    };
  }
  const broker = running.value;
  let certificateSha256Shown: string | undefined;
  const status = (): StatusView => ({
    ...base,
    vault: { state: "open" },
    pipe: broker.pipe(),
    notices: [...notices, ...broker.notices],
    ...(certificateSha256Shown === undefined ? {} : { callbackCertificateSha256: certificateSha256Shown }),
  });
  const showCertificate = (pem: string) => {
    certificateSha256Shown = certificateSha256(pem);
    sendEvent("statusChanged", status());
  };
  broker.onCertificate(showCertificate);
  return {
    status,
    broker: () => ok(broker.window),
    settings,
    callbackCertificate: broker.callbackCertificate,
    close: broker.close,
  };
}

interface RunningBroker {
  readonly window: WindowBroker;
  readonly pipe: () => Pipe;
  readonly notices: readonly Failure[];
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string; readonly privateKeyPem: string }>>;
  readonly onCertificate: (listener: (certificatePem: string) => void) => void;
  readonly close: () => Promise<void>;
}

async function startBroker(parts: ComposeParts, opened: OpenedVault, log: OpenedLog): Promise<Result<RunningBroker>> {
  const { vault } = opened;
  const audit = auditor(opened, log);
  const registrations = new Registrations(vault, parts.providers);
  const pairings = new Pairings({
    vault,
    clock: systemClock,
    randomness: systemRandomness,
    onDecided: (name, clientId, outcome) =>
      audit({ action: "pairing", actor: "window", actorName: name, outcome, ...(clientId === undefined ? {} : { user: clientId }) }),
  });
  for (const part of [registrations, pairings]) {
    const ready = await part.open();
    if (!ready.ok) return ready;
  }
  const certificates = observed(createCertificateStore({ readSecret: vault.readSecret, saveSecret: vault.saveSecret, nowMs: Date.now }));
  const core = buildCore(parts, opened, registrations, audit, certificates.get, log);
  connectEvents(parts, core.connections, registrations, pairings);
  const window: WindowBroker = {
    ...core,
    registrations,
    pairings,
    audit: (action, outcome, key) => audit({ ...keyColumns(key), action, actor: "window", outcome }),
  };
  const notices = [...opened.notices, ...(await importGivenFile(parts, window))];
  const pipe = await openPipe(parts, { core, registrations, pairings, audit, log });
  await core.scheduler.start();
  // Revocations may take as long as the provider does; nobody waits for them.
  core.revocation.resume().catch((error: unknown) => log.error("revocation.resume", error));
  return ok({
    window,
    pipe: () => pipe.state,
    notices,
    callbackCertificate: certificates.get,
    onCertificate: certificates.listen,
    close: async () => {
      core.scheduler.stop();
      core.connectFlow.cancelAll(failure("shutting_down"));
      core.revocation.shutDown();
      try {
        await Promise.all([pipe.close(), core.broker.shutDown()]);
        await core.connections.flush();
      } finally {
        opened.close();
      }
    },
  });
}

type Audit = (entry: Omit<AuditEntry, "atMs">) => void;
type Core = ReturnType<typeof buildCore>;

function buildCore(
  parts: ComposeParts,
  { vault }: OpenedVault,
  registrations: Registrations,
  audit: Audit,
  certificate: RunningBroker["callbackCertificate"],
  log: OpenedLog,
) {
  const connections = new Connections({ vault, clock: systemClock, describe: (key) => registrations.describe(key) });
  const oauth = createOAuthClient({ fetch: parts.fetch, nowMs: Date.now });
  const record = (action: string) => (key: ConnectionKey, outcome: string) =>
    audit({ ...keyColumns(key), action, actor: "broker", outcome });
  const broker = new TokenBroker({
    connections,
    registrations,
    oauth,
    clock: systemClock,
    randomness: systemRandomness,
    random: Math.random,
    onRefreshed: record("refresh"),
  });
  const connectFlow = new ConnectFlow({
    connections,
    registrations,
    oauth,
    callback: createCallbackEndpoint({ certificate, log }),
    browser: parts.browser,
    clock: systemClock,
    onEnded: record("connect"),
  });
  const revocation = new Revocation({
    connections,
    registrations,
    connectFlow,
    broker,
    oauth,
    clock: systemClock,
    random: Math.random,
    onEnded: (action, key, outcome) => record(action)(key, outcome),
  });
  const scheduler = new RefreshScheduler({ connections, registrations, broker, clock: systemClock });
  return { connections, broker, connectFlow, revocation, scheduler };
}

function connectEvents(parts: ComposeParts, connections: Connections, registrations: Registrations, pairings: Pairings): void {
  const { sendEvent } = parts;
  connections.onChanged((view) => sendEvent("connectionChanged", view));
  registrations.onChanged((views) => sendEvent("registrationsChanged", views));
  pairings.onClientsChanged((views) => sendEvent("clientsChanged", views));
  let waiting = 0;
  pairings.onPairingsChanged((views) => {
    sendEvent("pairingsChanged", views);
    if (views.length > waiting) parts.onPairingRequested();
    waiting = views.length;
  });
}

interface PipeWiring {
  readonly core: Core;
  readonly registrations: Registrations;
  readonly pairings: Pairings;
  readonly audit: Audit;
  readonly log: OpenedLog;
}

async function openPipe(parts: ComposeParts, wiring: PipeWiring): Promise<{ readonly state: Pipe; readonly close: () => Promise<void> }> {
  const { core, registrations, pairings, audit, log } = wiring;
  const programApi = new ProgramService({
    ...core,
    registrations,
    clock: systemClock,
    version: parts.version,
    seen: (clientId) => pairings.seen(clientId),
    audit: (action, client: DmsClientRecord, key, outcome) =>
      audit({ ...keyColumns(key), action, actor: client.clientId, actorName: client.name, outcome }),
  });
  const name = await pipeName();
  const started: Result<PipeServer> = name.ok
    ? await startPipeServer({ name: name.value, programApi, registry: pairings, log, version: parts.version, nowMs: Date.now })
    : name;
  if (!started.ok) {
    log.warn("pipe.closed", { code: started.error.code });
    return { state: { state: "closed", failure: started.error }, close: async () => undefined };
  }
  const published = await publishBrokerFile(parts.profileFolder, started.value.name);
  if (!published.ok) log.warn("broker-file.failed", { code: published.error.code });
  return {
    state: { state: "listening", name: started.value.name },
    close: async () => {
      await removeBrokerFile(parts.profileFolder);
      await started.value.close();
    },
  };
}

/** Audit rows are written off every answer's path; one that cannot be written is told to the log. */
function auditor({ vault }: OpenedVault, log: OpenedLog): Audit {
  return (entry) => {
    void vault.appendAudit({ ...entry, atMs: Date.now() }).then((written) => {
      if (!written.ok) log.warn("audit.failed", { action: entry.action, code: written.error.code });
    });
  };
}

async function importGivenFile(parts: ComposeParts, window: WindowBroker): Promise<readonly Failure[]> {
  if (parts.startOptions.importRegistrationsFile === undefined) return [];
  const text = await readBoundedText(parts.startOptions.importRegistrationsFile);
  if (!text.ok) return [text.error];
  const imported = await importRegistrations(window, text.value);
  return imported.ok ? [] : [imported.error];
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

/** Tells a listener about the callback certificate each time one is fetched. */
function observed(store: ReturnType<typeof createCertificateStore>) {
  let listener: (certificatePem: string) => void = () => undefined;
  return {
    get: async () => {
      const found = await store.get();
      if (found.ok) listener(found.value.certificatePem);
      return found;
    },
    listen: (next: (certificatePem: string) => void) => {
      listener = next;
    },
  };
}

function keyColumns(key: Partial<Pick<ConnectionKey, "provider" | "environment" | "user">> | undefined) {
  const { provider, environment, user } = key ?? {};
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(environment === undefined ? {} : { environment }),
    ...(user === undefined ? {} : { user }),
  };
}
