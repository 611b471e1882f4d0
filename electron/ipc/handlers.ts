/** What each call of the window does. Each handler only finds the part of the broker that does the work. */
import { failure } from "../../shared/failure.ts";
import type { ConnectionParams, ProxySignInParams } from "../../shared/ipc-contract.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import {
  connectionId,
  type EndedConnectionView,
  type Environment,
  environments,
  type ProviderView,
  type SettingsView,
  type StatusView,
  type WindowTarget,
} from "../../shared/views.ts";
import type { BlockedPrograms } from "../core/blocked-programs.ts";
import type { ConnectFlow } from "../core/connect-flow.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import type { Connections } from "../core/connections.ts";
import { endAll } from "../core/leaving-user.ts";
import type { Pairings } from "../core/pairing.ts";
import type { SystemBrowser } from "../core/ports.ts";
import type { Programs } from "../core/programs.ts";
import type { Registrations } from "../core/registrations.ts";
import type { Revocation } from "../core/revocation.ts";
import { type AuditHandlerParts, type AuditLogAccess, createAuditHandlers } from "./audit-handlers.ts";
import { outcomeOf } from "./audit-outcome.ts";
import { parseRegistrationFile } from "./registration-file.ts";
import type { CallHandlers } from "./router.ts";
import { createVaultHandlers, type TransferBroker, type VaultControl, type VaultHandlerParts } from "./vault-handlers.ts";

/** The parts of an open broker the window talks to. */
export interface WindowBroker {
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly connectFlow: ConnectFlow;
  readonly revocation: Revocation;
  readonly pairings: Pairings;
  readonly programs: Programs;
  readonly blocked: BlockedPrograms;
  /** With the pauses of their circuit breakers. */
  readonly providerViews: () => readonly ProviderView[];
  /** Keeps, sealed, what a proxy wants to know. */
  readonly proxySignIn: (params: ProxySignInParams) => Promise<Result<undefined>>;
  /** Stores every program of a program file's text, or none that is new. */
  readonly importPrograms: (text: string) => Promise<Result<{ readonly imported: number }>>;
  readonly transfer: TransferBroker["transfer"];
  readonly auditLog: AuditLogAccess;
  /** Writes an audit row for an act of a person at the window; `user` is the program's client id where the act is about a program. */
  readonly audit: (
    action: string,
    outcome: string,
    about?: { readonly provider?: string; readonly environment?: Environment; readonly user?: string; readonly programName?: string },
  ) => void;
}

export interface HandlerParts {
  readonly status: () => StatusView;
  /** The broker, or why it could not be opened. */
  readonly broker: () => Result<WindowBroker>;
  readonly vault: VaultControl;
  /** `save` fails with `setting_ruled` for a change of what a policy has fixed. */
  readonly settings: { readonly read: () => SettingsView; readonly save: (view: SettingsView) => Result<undefined> };
  readonly files: VaultHandlerParts["files"] &
    AuditHandlerParts["files"] & {
      readonly openJsonFile: () => Promise<Result<string | undefined>>;
      readonly openProgramFile: () => Promise<Result<string | undefined>>;
      readonly savePemFile: (suggestedName: string, pem: string) => Promise<Result<boolean>>;
    };
  readonly browser: SystemBrowser;
  /** What the window was opened for, once. */
  readonly takeWindowTarget: () => WindowTarget | undefined;
  readonly callbackCertificate: () => Promise<Result<{ readonly certificatePem: string }>>;
}

/** Makes the handler of every call of the contract. */
export function createHandlers(parts: HandlerParts): CallHandlers {
  const withBroker = async <T>(work: (broker: WindowBroker) => Result<T> | Promise<Result<T>>): Promise<Result<T>> => {
    const broker = parts.broker();
    return broker.ok ? work(broker.value) : broker;
  };
  return {
    "status.get": async () => ok(parts.status()),
    "settings.get": async () => ok(parts.settings.read()),
    "settings.save": async (view) => parts.settings.save(view),
    "certificate.save": () => saveCertificate(parts),
    "window.target": async () => ok(parts.takeWindowTarget()),
    "providers.list": () => withBroker(({ providerViews }) => ok(providerViews())),
    "proxy.signIn": (params) =>
      withBroker(async ({ proxySignIn, audit }) => {
        const saved = await proxySignIn(params);
        audit("proxy.sign_in", outcomeOf(saved));
        return saved;
      }),
    "user.endAll": ({ user }) => withBroker((broker) => endAllOf(broker, user)),
    ...connectionHandlers(parts, withBroker),
    ...registrationHandlers(parts, withBroker),
    ...programHandlers(parts, withBroker),
    ...pairingHandlers(withBroker),
    ...createVaultHandlers(parts),
    ...createAuditHandlers(parts),
  };
}

type WithBroker = <T>(work: (broker: WindowBroker) => Result<T> | Promise<Result<T>>) => Promise<Result<T>>;

function connectionHandlers(parts: HandlerParts, withBroker: WithBroker) {
  const withKey = <T>(params: ConnectionParams, work: (broker: WindowBroker, key: ConnectionKey) => Promise<Result<T>>) =>
    withBroker<T>((broker) => {
      const key = parseConnectionId(params.connectionId);
      return key === undefined ? err(failure("message_invalid", { problem: "connectionId" })) : work(broker, key);
    });
  return {
    "connections.list": () => withBroker(({ connections }) => connections.list()),
    "connect.start": ({ organisation, ...key }) =>
      withBroker(async ({ connectFlow, audit }) => {
        const started = await connectFlow.start(key, organisation);
        audit("connect.start", outcomeOf(started), key);
        return started.ok ? ok({ connectionId: connectionId(key) }) : started;
      }),
    "connect.cancel": (params) =>
      withKey(params, async ({ connectFlow, audit }, key) => {
        const cancelled = connectFlow.cancel(key);
        audit("connect.cancel", outcomeOf(cancelled), key);
        return cancelled;
      }),
    "connection.revoke": (params) =>
      withKey(params, async ({ revocation, audit }, key) => {
        const revoked = await revocation.revoke(key);
        audit("connection.revoke", outcomeOf(revoked), key);
        return revoked;
      }),
    "connection.forget": (params) =>
      withKey(params, async ({ revocation, audit }, key) => {
        const forgotten = await revocation.forget(key);
        audit("connection.forget", outcomeOf(forgotten), key);
        return forgotten.ok ? ok() : forgotten;
      }),
    "connection.openGrantScreens": (params) =>
      withKey(params, async ({ registrations }, key) => {
        const url = registrations.grantScreensUrl(key.provider, key.environment);
        return url === undefined
          ? err(failure("revocation_unsupported", { provider: registrations.describe(key).name }))
          : parts.browser.open(url);
      }),
  } satisfies Partial<CallHandlers>;
}

/** One row for each connection, and one for all of it. */
async function endAllOf(broker: WindowBroker, user: string): Promise<Result<readonly EndedConnectionView[]>> {
  const ended = await endAll(broker, user);
  const endings = ended.ok ? ended.value : [];
  for (const ending of endings) broker.audit("user.end_all", ending.failure?.code ?? "ok", parseConnectionId(ending.connectionId));
  const failed = endings.find(({ outcome }) => outcome === "failed")?.failure;
  broker.audit("user.end_all", failed?.code ?? outcomeOf(ended), { user });
  return ended;
}

function registrationHandlers(parts: HandlerParts, withBroker: WithBroker) {
  return {
    "registrations.list": () => withBroker(({ registrations }) => ok(registrations.list())),
    "registrations.save": (input) =>
      withBroker(async ({ registrations, audit }) => {
        const saved = await registrations.save([input]);
        audit("registration.save", outcomeOf(saved), input);
        return saved;
      }),
    "registrations.remove": ({ provider, environment }) =>
      withBroker(async ({ registrations, audit }) => {
        const removed = await registrations.remove(provider, environment);
        audit("registration.remove", outcomeOf(removed), { provider, environment });
        return removed;
      }),
    "registrations.import": () =>
      withBroker(async (broker) => {
        const text = await parts.files.openJsonFile();
        if (!text.ok) return text;
        return text.value === undefined ? ok({ imported: 0 }) : importRegistrations(broker, text.value);
      }),
  } satisfies Partial<CallHandlers>;
}

/** Stores every registration of a registration file, or none. Also used for `--import-registrations`. */
export async function importRegistrations(
  { registrations, audit }: Pick<WindowBroker, "registrations" | "audit">,
  text: string,
): Promise<Result<{ readonly imported: number }>> {
  const parsed = parseRegistrationFile(text);
  if (!parsed.ok) {
    audit("registration.import", parsed.error.code);
    return parsed;
  }
  const saved = await registrations.save(parsed.value);
  for (const registration of parsed.value) audit("registration.import", outcomeOf(saved), registration);
  return saved.ok ? ok({ imported: parsed.value.length }) : saved;
}

function programHandlers(parts: HandlerParts, withBroker: WithBroker) {
  return {
    "clients.list": () => withBroker(({ programs }) => ok(programs.list())),
    "clients.update": ({ clientId, access }) =>
      withBroker(async ({ programs, audit }) => {
        const changed = await programs.changeAccess(clientId, access);
        audit("program.update", outcomeOf(changed), aboutProgram(programs, clientId));
        return changed;
      }),
    "clients.remove": ({ clientId }) =>
      withBroker(async ({ programs, audit }) => {
        const about = aboutProgram(programs, clientId);
        const removed = await programs.remove(clientId);
        audit("program.remove", outcomeOf(removed), about);
        return removed;
      }),
    "clients.import": () =>
      withBroker(async ({ importPrograms, audit }) => {
        const text = await parts.files.openProgramFile();
        if (!text.ok) {
          audit("program.import", text.error.code);
          return text;
        }
        return text.value === undefined ? ok({ imported: 0 }) : importPrograms(text.value);
      }),
  } satisfies Partial<CallHandlers>;
}

function aboutProgram(programs: Programs, clientId: string) {
  const programName = programs.list().find((program) => program.clientId === clientId)?.name;
  return { user: clientId, ...(programName === undefined ? {} : { programName }) };
}

function pairingHandlers(withBroker: WithBroker) {
  /** Only what fails is written here: the pairing itself tells how it was decided. */
  const decide = (pairingId: string, decision: (pairings: Pairings) => Promise<Result<undefined>>) =>
    withBroker(async ({ pairings, audit }) => {
      const programName = pairings.list().find((pairing) => pairing.pairingId === pairingId)?.name;
      const decided = await decision(pairings);
      if (!decided.ok) audit("pairing", decided.error.code, programName === undefined ? {} : { programName });
      return decided;
    });
  return {
    "pairings.list": () => withBroker(({ pairings }) => ok(pairings.list())),
    "pairing.approve": ({ pairingId, access }) => decide(pairingId, (pairings) => pairings.approve(pairingId, access)),
    "pairing.deny": ({ pairingId }) => decide(pairingId, async (pairings) => pairings.deny(pairingId)),
    "pairing.block": ({ pairingId }) => decide(pairingId, (pairings) => pairings.block(pairingId)),
    "blocked.list": () => withBroker(({ blocked }) => ok(blocked.list())),
    "blocked.remove": ({ blockedId }) =>
      withBroker(async ({ blocked, audit }) => {
        const programName = blocked.list().find((program) => program.blockedId === blockedId)?.name;
        const unblocked = await blocked.unblock(blockedId);
        audit("program.unblock", outcomeOf(unblocked), programName === undefined ? {} : { programName });
        return unblocked;
      }),
  } satisfies Partial<CallHandlers>;
}

async function saveCertificate(parts: HandlerParts): Promise<Result<{ readonly saved: boolean }>> {
  const certificate = await parts.callbackCertificate();
  if (!certificate.ok) return certificate;
  const saved = await parts.files.savePemFile("dms-connect-callback.pem", certificate.value.certificatePem);
  return saved.ok ? ok({ saved: saved.value }) : saved;
}

function parseConnectionId(id: string): ConnectionKey | undefined {
  const [provider, environment, user, ...rest] = id.split("/").map(decoded);
  const known = environments.find((one) => one === environment);
  if (!provider || known === undefined || !user || rest.length > 0) return undefined;
  return { provider, environment: known, user };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
