/** Programs in memory, and a person who decides about each request to be paired at once, by its name. */
import type { DmsClientRecord } from "../../electron/core/ports.ts";
import type { ProgramRegistry } from "../../electron/core/program-api.ts";
import { failure } from "../../shared/failure.ts";
import type { PairingWaitResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { FuzzedPrograms } from "./child-contract.ts";
import { expiredName, undecidedName } from "./marked-secrets.ts";

export interface StandInRegistry extends ProgramRegistry {
  /** Ends the program's sessions, as a change of its access does. */
  readonly changeAccess: (clientId: string) => void;
  /** Pairings whose session is still there. */
  readonly waiting: () => number;
}

interface Pairing {
  readonly outcome: Promise<Result<PairingWaitResult>>;
  readonly decide: (outcome: Result<PairingWaitResult>) => void;
}

/** @param leaked what pairings with a reason are answered with, for a fuzzer that has to notice */
export function createStandInRegistry(programs: FuzzedPrograms, leaked: string | undefined): StandInRegistry {
  const clients = new Map(programs.map(({ clientId, clientKey }) => [clientId, record(clientId, clientKey)]));
  const pairings = new Map<string, Pairing>();
  const removalListeners = new Set<(clientId: string) => void>();
  const decision = (name: string): Result<PairingWaitResult> => {
    const program = programs.find(({ pairedAs }) => pairedAs === name);
    if (program !== undefined) return ok({ clientId: program.clientId, clientKey: program.clientKey });
    return err(failure(name === expiredName ? "pairing_expired" : "pairing_denied"));
  };
  return {
    requestPairing: (sessionId, { name, reason }) => {
      if (pairings.has(sessionId)) return err(failure("pairing_busy"));
      const { promise, resolve } = Promise.withResolvers<Result<PairingWaitResult>>();
      pairings.set(sessionId, { outcome: promise, decide: resolve });
      if (name !== undecidedName) resolve(decision(name));
      return ok({ pairingId: reason === undefined ? "pairing" : (leaked ?? "pairing"), code: "123456", expiresInSeconds: 60 });
    },
    waitForPairing: async (sessionId) => {
      const outcome = await pairings.get(sessionId)?.outcome;
      return pairings.delete(sessionId) && outcome !== undefined ? outcome : err(failure("pairing_unknown"));
    },
    sessionClosed: (sessionId) => {
      pairings.get(sessionId)?.decide(err(failure("pairing_expired")));
      pairings.delete(sessionId);
    },
    sessionDecided: () => undefined,
    findClient: async (clientId) => clients.get(clientId),
    onClientRemoved: (listener) => {
      removalListeners.add(listener);
      return () => removalListeners.delete(listener);
    },
    changeAccess: (clientId) => {
      for (const listener of removalListeners) listener(clientId);
    },
    waiting: () => pairings.size,
  };
}

function record(clientId: string, clientKey: string): DmsClientRecord {
  return { clientId, name: clientId, clientKey, access: { users: "all", providers: "all", requestsPerMinute: 10_000_000 }, pairedAtMs: 0 };
}
