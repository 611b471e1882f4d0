/**
 * Builds and connects what runs on an open vault. Nothing here decides: it connects core's ports to the adapters, core's
 * events to the window, and knows in which order things open and close.
 */
import { type Failure, failure } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import type { SettingsView, StatusView } from "../shared/views.ts";
import type { ComposeParts } from "./compose.ts";
import { buildEngine, type Engine } from "./compose-engine.ts";
import { importPrograms, openPrograms, type ProgramParts } from "./compose-programs.ts";
import { buildTime } from "./compose-time.ts";
import type { ConnectionKey } from "./core/connection-state.ts";
import type { Connections } from "./core/connections.ts";
import type { AuditEntry, Clock, DmsClientRecord } from "./core/ports.ts";
import type { ProgramRegistry } from "./core/program-api.ts";
import { ProgramService } from "./core/program-service.ts";
import type { Programs } from "./core/programs.ts";
import { Registrations } from "./core/registrations.ts";
import { VaultTransfer } from "./core/vault-transfer.ts";
import { importRegistrations, type WindowBroker } from "./ipc/handlers.ts";
import { createCertificateStore } from "./oauth/loopback-certificate.ts";
import { publishBrokerFile, removeBrokerFile } from "./pipe/broker-file.ts";
import { pipeName } from "./pipe/pipe-name.ts";
import { type PipeServer, startPipeServer } from "./pipe/pipe-server.ts";
import type { ComputerPolicy } from "./settings/policy.ts";
import { readBoundedText, readProgramText } from "./shell/bounded-file.ts";
import { createTransferSeal } from "./vault/transfer-file.ts";
import type { OpenedVault } from "./vault/vault.ts";

type Pipe = StatusView["pipe"];

/** The broker while its vault is open. */
export interface RunningBroker {
  readonly window: WindowBroker;
  readonly pipe: () => Pipe;
  readonly notices: () => readonly Failure[];
  /** `TrustedTime.toldCorrectionMs`. */
  readonly clockCorrectionMs: () => number;
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string; readonly privateKeyPem: string }>>;
  /** Tries to write what the disk has refused so far; gives why, for each sign-in that would be lost by quitting now. */
  readonly unsaved: () => Promise<readonly Failure[]>;
  /** The person has changed the settings. */
  readonly settingsChanged: () => void;
  readonly close: (retryAfterSeconds?: number) => Promise<void>;
}

export interface StartBrokerParts extends ComposeParts {
  readonly policy: ComputerPolicy;
  /** Told about the callback certificate each time one is fetched. */
  readonly onCertificate: (certificatePem: string) => void;
  /** What the broker has to tell has changed. */
  readonly onNoticesChanged: () => void;
  readonly settings: () => SettingsView;
}

/** Starts everything that needs the vault. Fails when the vault cannot be read; then nothing of it runs. */
export async function startBroker(parts: StartBrokerParts, opened: OpenedVault): Promise<Result<RunningBroker>> {
  const { vault } = opened;
  const { log } = parts;
  const registrations = new Registrations(vault, parts.providers);
  let engine: Engine | undefined;
  const {
    time,
    oauth,
    close: closeTime,
  } = buildTime(parts, registrations, () => {
    engine?.planAnew();
    parts.onNoticesChanged();
  });
  const { clock } = time;
  const audit = auditor(opened, parts, clock);
  const ready = await registrations.open();
  const known = ready.ok ? await openPrograms(parts, vault, audit) : ready;
  if (!known.ok) {
    closeTime();
    return known;
  }
  // Only now: a broker that does not start detaches nothing, and its vault is closed.
  parts.proxySignIns?.attach(vault);
  const { programs, registry } = known.value;
  const certificate = observedCertificate(parts, opened);
  const core = buildEngine({ app: parts, vault, registrations, time, oauth, audit, certificate });
  engine = core;
  const window = windowBroker(parts, opened, core, { registrations, known: known.value, audit, clock });
  const notices = [...(await importGivenFiles(parts, window))];
  const pipe = await openPipe(parts, { core, clock, registrations, programs, registry, audit });
  await core.start();
  // Revocations may take as long as the provider does; nobody waits for them.
  core.revocation.resume().catch((error: unknown) => log.error("revocation.resume", error));
  const health = watchVault(parts, opened, core.connections);
  return ok({
    window,
    pipe: () => pipe.state,
    notices: () => [...notices, ...core.notices(), ...health()],
    clockCorrectionMs: () => time.toldCorrectionMs,
    callbackCertificate: certificate,
    unsaved: () => core.connections.flush(),
    settingsChanged: () => core.settingsChanged(),
    close: async (retryAfterSeconds) => {
      // First: what ends below would answer programs otherwise, and cannot say when to come back.
      const pipeClosed = pipe.close(retryAfterSeconds);
      closeTime();
      parts.proxySignIns?.detach();
      programs.close();
      core.connectFlow.cancelAll(failure("shutting_down"));
      try {
        await Promise.all([pipeClosed, core.stop()]);
        const [lost, ...others] = await core.connections.flush();
        if (lost !== undefined) log.warn("tokens.not-saved", { connections: others.length + 1, code: lost.code });
      } finally {
        core.connections.close();
        opened.close();
      }
    },
  });
}

interface WindowWiring {
  readonly registrations: Registrations;
  readonly known: ProgramParts;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** What the window may ask of the broker. */
function windowBroker(parts: StartBrokerParts, opened: OpenedVault, core: Engine, wiring: WindowWiring): WindowBroker {
  const { vault } = opened;
  const { registrations, known, audit, clock } = wiring;
  const transfer = new VaultTransfer({
    vault,
    connections: core.connections,
    registrations,
    clock,
    seal: createTransferSeal(),
    refreshSettled: (live) => core.broker.refreshSettled(live),
  });
  return {
    ...core,
    registrations,
    proxySignIn: async (params) => {
      const saved = await (parts.proxySignIns?.save(params) ?? Promise.resolve(err(failure("internal_error"))));
      // The person waits for it.
      if (saved.ok) core.tryNetworkNow();
      return saved;
    },
    pairings: known.pairings,
    programs: known.programs,
    blocked: known.blocked,
    importPrograms: (text) => importPrograms(known.programs, audit, text),
    transfer,
    auditLog: {
      pageAudit: opened.pageAudit,
      verifyAudit: opened.verifyAudit,
      exportAudit: opened.exportAudit,
      record: (action, outcome) => vault.appendAudit({ atMs: clock.nowMs(), action, actor: "window", outcome }),
    },
    audit: (action, outcome, about) => {
      const name = about?.programName;
      audit({ ...keyColumns(about), action, actor: "window", ...(name === undefined ? {} : { actorName: name }), outcome });
    },
  };
}

export type Audit = (entry: Omit<AuditEntry, "atMs">) => void;
interface PipeWiring {
  readonly core: Engine;
  readonly clock: Clock;
  readonly registrations: Registrations;
  readonly programs: Programs;
  readonly registry: ProgramRegistry;
  readonly audit: Audit;
}

interface OpenedPipe {
  readonly state: Pipe;
  /** Has answered all programs, and told them, when it returns; settles when all is closed. */
  readonly close: (retryAfterSeconds?: number) => Promise<void>;
}

async function openPipe(parts: ComposeParts, wiring: PipeWiring): Promise<OpenedPipe> {
  const { core, clock, registrations, programs, registry, audit } = wiring;
  const { log } = parts;
  const programApi = new ProgramService({
    ...core,
    registrations,
    clock,
    version: parts.version,
    seen: (clientId) => programs.seen(clientId),
    onShowRequested: (connectionId) => parts.onShowRequested?.({ page: "connections", connectionId }),
    pauseOf: (provider, environment) => core.gate.pauseOf(provider, environment),
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
    close: async (retryAfterSeconds) => {
      await Promise.all([started.value.close(retryAfterSeconds), removeBrokerFile(parts.profileFolder)]);
    },
  };
}

/** Audit rows are written off every answer's path; one that cannot be written is told to the log. */
function auditor({ vault }: OpenedVault, { log }: ComposeParts, clock: Clock): Audit {
  return (entry) => {
    void vault.appendAudit({ ...entry, atMs: clock.nowMs() }).then((written) => {
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
