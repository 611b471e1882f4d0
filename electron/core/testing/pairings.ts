/** Pairings over a vault in memory, with the programs and the blocked ones behind them. */
import type { PairingRequestParams } from "../../../shared/pipe-protocol.ts";
import type { AccessPolicy } from "../../../shared/views.ts";
import { BlockedPrograms } from "../blocked-programs.ts";
import { Pairings } from "../pairing.ts";
import type { DmsClientRecord } from "../ports.ts";
import { Programs } from "../programs.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryVault } from "./memory-vault.ts";
import { fakeRandomness, valueOf } from "./world.ts";

export const someAccess: AccessPolicy = { users: ["jdoe"], providers: "all" };
export const someProgram: PairingRequestParams = { name: "Dealer DMS", publisher: "Vendor" };

interface PairingWorldOptions {
  readonly vault?: MemoryVault;
  readonly clock?: FakeClock;
  readonly pairing?: "allowed" | "forbidden";
  readonly policyPrograms?: readonly DmsClientRecord[];
}

export async function createPairingWorld(options: PairingWorldOptions = {}) {
  const { vault = new MemoryVault(), clock = new FakeClock(), pairing = "allowed", policyPrograms = [] } = options;
  const randomness = fakeRandomness();
  const decided: string[] = [];
  const ended: string[] = [];
  const programs = new Programs({ vault, clock, policyPrograms, onEnded: ({ clientId }) => ended.push(clientId) });
  const blocked = new BlockedPrograms({ vault, clock, randomness });
  for (const part of [programs, blocked]) valueOf(await part.open());
  const pairings = new Pairings({
    programs,
    blocked,
    clock,
    randomness,
    pairing,
    onDecided: ({ name }, _clientId, outcome, decidedBy) => decided.push(`${decidedBy} ${name} ${outcome}`),
  });
  const sessionsEnded: string[] = [];
  programs.onSessionsMustEnd((clientId) => sessionsEnded.push(clientId));
  return { vault, clock, programs, blocked, pairings, decided, ended, sessionsEnded };
}

/** A program that waits for the person, and the id of its prompt. */
export function waitingProgram(pairings: Pairings, sessionId = "session-1", program = someProgram) {
  const { pairingId } = valueOf(pairings.requestPairing(sessionId, program));
  return { pairingId, answer: pairings.waitForPairing(sessionId, pairingId) };
}
