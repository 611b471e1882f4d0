/**
 * Builds and connects what runs on an open vault. Nothing here decides: it connects core's ports to the adapters, core's
 * events to the window, and knows in which order things open and close.
 */
import { type Failure, failure } from "../shared/failure.ts";
import { ok, type Result } from "../shared/result.ts";
import type { StatusView } from "../shared/views.ts";
import type { ComposeParts } from "./compose.ts";
import { importPrograms, openPrograms } from "./compose-programs.ts";
import { ConnectFlow } from "./core/connect-flow.ts";
import type { ConnectionKey } from "./core/connection-state.ts";
import { Connections } from "./core/connections.ts";
import type { AuditEntry, DmsClientRecord } from "./core/ports.ts";
import type { ProgramRegistry } from "./core/program-api.ts";
import { ProgramService } from "./core/program-service.ts";
import type { Programs } from "./core/programs.ts";
import { RefreshScheduler } from "./core/refresh-scheduler.ts";
import { Registrations } from "./core/registrations.ts";
import { Revocation } from "./core/revocation.ts";
import { TokenBroker } from "./core/token-broker.ts";
import { VaultTransfer } from "./core/vault-transfer.ts";
import { importRegistrations, type WindowBroker } from "./ipc/handlers.ts";
import { createCertificateStore } from "./oauth/loopback-certificate.ts";
import { createCallbackEndpoint } from "./oauth/loopback-server.ts";
import { createOAuthClient } from "./oauth/oauth-client.ts";
import { publishBrokerFile, removeBrokerFile } from "./pipe/broker-file.ts";
import { pipeName } from "./pipe/pipe-name.ts";
import { type PipeServer, startPipeServer } from "./pipe/pipe-server.ts";
import type { ComputerPolicy } from "./settings/policy.ts";
import { readBoundedText, readProgramText } from "./shell/bounded-file.ts";
import { systemClock, systemRandomness } from "./shell/system-ports.ts";
import { createTransferSeal } from "./vault/transfer-file.ts";
import type { OpenedVault } from "./vault/vault.ts";

type Pipe = StatusView["pipe"];

/** The broker while its vault is open. */
export interface RunningBroker {
  readonly window: WindowBroker;
  readonly pipe: () => Pipe;
  readonly notices: () => readonly Failure[];
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string; readonly privateKeyPem: string }>>;
  /** Tries to write what the disk has refused so far; gives why, for each sign-in that would be lost by quitting now. */
  readonly unsaved: () => Promise<readonly Failure[]>;
  readonly close: () => Promise<void>;
}

export interface StartBrokerParts extends ComposeParts {
  readonly policy: ComputerPolicy;
  /** Told about the callback certificate each time one is fetched. */
  readonly onCertificate: (certificatePem: string) => void;
  /** What the broker has to tell has changed. */
  readonly onNoticesChanged: () => void;
}

/** Starts everything that needs the vault. Fails when the vault cannot be read; then nothing of it runs. */
export async function startBroker(parts: StartBrokerParts, opened: OpenedVault): Promise<Result<RunningBroker>> {
  const { vault } = opened;
  const { log } = parts;
  const audit = auditor(opened, parts);
  const registrations = new Registrations(vault, parts.providers);
  const ready = await registrations.open();
  if (!ready.ok) return ready;
  const known = await openPrograms(parts, vault, audit);
  if (!known.ok) return known;
  const { programs, blocked, pairings, registry } = known.value;
  const certificate = observedCertificate(parts, opened);
  const core = buildCore(parts, opened, registrations, audit, certificate);
  connectEvents(parts, core.connections, registrations);
  const transfer = new VaultTransfer({
    vault,
    connections: core.connections,
    registrations,
    clock: systemClock,
    seal: createTransferSeal(),
    refreshSettled: (live) => core.broker.refreshSettled(live),
  });
  const window: WindowBroker = {
    ...core,
    registrations,
    pairings,
    programs,
    blocked,
    importPrograms: (text) => importPrograms(programs, audit, text),
    transfer,
    auditLog: {
      pageAudit: opened.pageAudit,
      verifyAudit: opened.verifyAudit,
      exportAudit: opened.exportAudit,
      record: (action, outcome) => vault.appendAudit({ atMs: Date.now(), action, actor: "window", outcome }),
    },
    audit: (action, outcome, about) => {
      const name = about?.programName;
      audit({ ...keyColumns(about), action, actor: "window", ...(name === undefined ? {} : { actorName: name }), outcome });
    },
  };
  const notices = [...(await importGivenFiles(parts, window))];
  const pipe = await openPipe(parts, { core, registrations, programs, registry, audit });
  await core.scheduler.start();
  // Revocations may take as long as the provider does; nobody waits for them.
  core.revocation.resume().catch((error: unknown) => log.error("revocation.resume", error));
  const health = watchVault(parts, opened, core.connections);
  return ok({
    window,
    pipe: () => pipe.state,
    notices: () => [...notices, ...health()],
    callbackCertificate: certificate,
    unsaved: () => core.connections.flush(),
    close: async () => {
      core.scheduler.stop();
      programs.close();
      core.connectFlow.cancelAll(failure("shutting_down"));
      core.revocation.shutDown();
      try {
        await Promise.all([pipe.close(), core.broker.shutDown()]);
        const [lost, ...others] = await core.connections.flush();
        if (lost !== undefined) log.warn("tokens.not-saved", { connections: others.length + 1, code: lost.code });
      } finally {
        opened.close();
      }
    },
  });
}

export type Audit = (entry: Omit<AuditEntry, "atMs">) => void;
type Core = ReturnType<typeof buildCore>;

function buildCore(
  parts: ComposeParts,
  { vault }: OpenedVault,
  registrations: Registrations,
  audit: Audit,
  certificate: RunningBroker["callbackCertificate"],
) {
  const { log } = parts;
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

function connectEvents(parts: ComposeParts, connections: Connections, registrations: Registrations): void {
  const { sendEvent } = parts;
  connections.onChanged((view) => sendEvent("connectionChanged", view));
  registrations.onChanged((views) => sendEvent("registrationsChanged", views));
}

interface PipeWiring {
  readonly core: Core;
  readonly registrations: Registrations;
  readonly programs: Programs;
  readonly registry: ProgramRegistry;
  readonly audit: Audit;
}

async function openPipe(parts: ComposeParts, wiring: PipeWiring): Promise<{ readonly state: Pipe; readonly close: () => Promise<void> }> {
  const { core, registrations, programs, registry, audit } = wiring;
  const { log } = parts;
  const programApi = new ProgramService({
    ...core,
    registrations,
    clock: systemClock,
    version: parts.version,
    seen: (clientId) => programs.seen(clientId),
    audit: (action, client: DmsClientRecord, key, outcome) =>
      audit({ ...keyColumns(key), action, actor: client.clientId, actorName: client.name, outcome }),
  });
  const name = await pipeName();
  const started: Result<PipeServer> = name.ok
    ? await startPipeServer({ name: name.value, programApi, registry, log, version: parts.version, nowMs: () => performance.now() })
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
function auditor({ vault }: OpenedVault, { log }: ComposeParts): Audit {
  return (entry) => {
    void vault.appendAudit({ ...entry, atMs: Date.now() }).then((written) => {
      if (!written.ok) log.warn("audit.failed", { action: entry.action, code: written.error.code });
    });
  };
}

/** Imports what the command line names. What could not be imported is told. */
async function importGivenFiles({ startOptions }: ComposeParts, window: WindowBroker): Promise<readonly Failure[]> {
  const { importRegistrationsFile, importProgramsFile } = startOptions;
  const registrations = await importGiven(importRegistrationsFile, readBoundedText, (text) => importRegistrations(window, text));
  const programs = await importGiven(importProgramsFile, readProgramText, window.importPrograms);
  return [...registrations, ...programs];
}

async function importGiven(
  file: string | undefined,
  read: (file: string) => Promise<Result<string>>,
  importText: (text: string) => Promise<Result<unknown>>,
): Promise<readonly Failure[]> {
  if (file === undefined) return [];
  const text = await read(file);
  const imported = text.ok ? await importText(text.value) : text;
  return imported.ok ? [] : [imported.error];
}

/**
 * Looks at every stored record once, without anybody waiting for it, and follows the backups. Gives what there is to tell
 * about the vault by now.
 */
function watchVault(parts: StartBrokerParts, opened: OpenedVault, connections: Connections): () => readonly Failure[] {
  const { log } = parts;
  let restored: readonly Failure[] = [];
  let backup: readonly Failure[] = [];
  opened.onBackup((failed) => {
    if (failed !== undefined) log.warn("vault.backup", { problem: String(failed.params["problem"]) });
    backup = failed === undefined ? [] : [failed];
    parts.onNoticesChanged();
  });
  const inspect = async () => {
    const inspected = await opened.inspect();
    if (!inspected.ok && inspected.error.code === "vault_locked") return;
    if (!inspected.ok) {
      restored = [inspected.error];
      parts.onNoticesChanged();
      return;
    }
    // Loading one shows what it needs.
    for (const key of inspected.value.unreadable) {
      const loaded = await connections.load(key);
      if (loaded.ok) connections.announce(loaded.value);
    }
    const { restored: count, audit } = inspected.value;
    restored = [
      ...(count === 0 ? [] : [failure("vault_record_restored")]),
      ...(audit?.kind === "broken" ? [failure("audit_broken", { sequence: audit.sequence })] : []),
    ];
    if (restored.length > 0) parts.onNoticesChanged();
  };
  inspect().catch((error: unknown) => log.error("vault.inspect", error));
  return () => [...restored, ...backup];
}

/** The store of the callback certificate; whoever shows its fingerprint is told about it. */
function observedCertificate(parts: StartBrokerParts, { vault }: OpenedVault): RunningBroker["callbackCertificate"] {
  const store = createCertificateStore({ readSecret: vault.readSecret, saveSecret: vault.saveSecret, nowMs: Date.now });
  return async () => {
    const found = await store.get();
    if (found.ok) parts.onCertificate(found.value.certificatePem);
    return found;
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
