/**
 * A stand-in for the main process, derived from the contract: a call that is missing here, or that
 * answers with something else than the contract says, does not compile.
 */
import type { CallName, CallParams, CallValue, DmsConnectApi, EventName, EventPayload } from "../../shared/ipc-contract.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionId } from "../../shared/views.ts";
import { auditPage } from "./audit-states.ts";
import type { Scenario } from "./scenario-parts.ts";

type Answers = { readonly [N in CallName]: (params: CallParams<N>) => Result<CallValue<N>> };

/** What a test holds of the stand-in. */
export interface MockControl {
  /** Every call so far with its parameters, oldest first. */
  readonly calls: readonly { readonly name: CallName; readonly params: unknown }[];
  /** Sends an event as the main process would. */
  readonly emit: <N extends EventName>(name: N, payload: EventPayload<N>) => void;
  /** From now on this call is answered so. */
  readonly answer: <N extends CallName>(name: N, result: Result<CallValue<N>>) => void;
  readonly scenario: Scenario;
}

/** Makes the stand-in and what steers it. */
export function createMockApi(scenario: Scenario): { readonly api: DmsConnectApi; readonly control: MockControl } {
  const answers = scenarioAnswers(scenario);
  const overrides = new Map<CallName, unknown>();
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  const calls: { readonly name: CallName; readonly params: unknown }[] = [];

  const api: DmsConnectApi = {
    invoke: (name, ...params) => {
      calls.push({ name, params: params[0] });
      // `answer` stored a result of exactly this call.
      const override = overrides.get(name) as Result<CallValue<typeof name>> | undefined;
      // The optional tuple of `invoke` and the parameter of an answer are the same type, which TypeScript cannot see through N.
      return Promise.resolve(override ?? answers[name](params[0] as CallParams<typeof name>));
    },
    on: (name, listener) => {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => all.delete(listener);
    },
  };
  const control: MockControl = {
    calls,
    emit: (name, payload) => {
      // Listeners are filed under the event whose payload they take.
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
    answer: (name, result) => void overrides.set(name, result),
    scenario,
  };
  return { api, control };
}

function scenarioAnswers(scenario: Scenario): Answers {
  const done = (): Result<void> => ok();
  const fromVault = <T>(value: T): Result<T> => (scenario.vaultFailure === undefined ? ok(value) : err(scenario.vaultFailure));
  return {
    "status.get": () => ok(scenario.status),
    "providers.list": () => fromVault(scenario.providers),
    "connections.list": () => fromVault(scenario.connections),
    "connect.start": (params) => ok({ connectionId: connectionId(params) }),
    "connect.cancel": done,
    "connection.revoke": ({ connectionId }) => ok(copiesEnd(scenario, connectionId)),
    "connection.forget": done,
    "user.endAll": () => ok(scenario.ended ?? []),
    "connection.openGrantScreens": done,
    "window.target": () => ok(scenario.windowTarget),
    "proxy.signIn": done,
    "registrations.list": () => fromVault(scenario.registrations),
    "registrations.save": done,
    "registrations.remove": done,
    "registrations.import": () => ok({ imported: 2 }),
    "clients.list": () => fromVault(scenario.clients),
    "clients.update": done,
    "clients.remove": done,
    "clients.import": () => ok({ imported: 2 }),
    "blocked.list": () => fromVault(scenario.blocked),
    "blocked.remove": done,
    "pairings.list": () => ok(scenario.pairings),
    "pairing.approve": done,
    "pairing.deny": done,
    "pairing.block": done,
    "audit.page": (query) => fromVault(auditPage(scenario.auditRows ?? [], query)),
    "audit.verify": () => ok(scenario.auditVerification ?? { kind: "intact", rows: scenario.auditRows?.length ?? 0 }),
    "audit.export": () => ok({ saved: true }),
    "settings.get": () => ok(scenario.settings),
    "settings.save": done,
    "certificate.save": () => ok({ saved: true }),
    "vault.tryAgain": done,
    "vault.unlock": done,
    "vault.setPassphrase": done,
    "vault.removePassphrase": done,
    "vault.startAnew": done,
    "vault.useEarlierSystemKeys": done,
    "vault.rekey": done,
    "vault.export": () => ok({ saved: true }),
    "vault.import": () => ok({ cancelled: false, registrations: 2, connections: 3, withSignIn: 1, skipped: 2 }),
  };
}

function copiesEnd({ connections }: Scenario, id: string): { readonly copiesWorkUntilMs?: number } {
  const atMs = connections.find((connection) => connection.id === id)?.accessTokenExpiresAtMs;
  return atMs === undefined ? {} : { copiesWorkUntilMs: atMs };
}
