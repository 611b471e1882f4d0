/** Builds what knows the programs and asks a person about new ones, and connects it to the audit log and the window. */
import { type Failure, failure } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import type { Audit, StartBrokerParts } from "./compose-broker.ts";
import { BlockedPrograms } from "./core/blocked-programs.ts";
import { OnceAMinute } from "./core/once-a-minute.ts";
import { Pairings } from "./core/pairing.ts";
import type { Vault } from "./core/ports.ts";
import type { ProgramRegistry } from "./core/program-api.ts";
import { identityKey } from "./core/program-identity.ts";
import { Programs } from "./core/programs.ts";
import { parseProgramFile, programOf } from "./settings/program-file.ts";
import { systemClock, systemRandomness } from "./shell/system-ports.ts";

/** Rows a minute about requests to be paired that nobody was asked about. */
const maxPromptRows = 30;

/** All that concerns the programs of one run. */
export interface ProgramParts {
  readonly programs: Programs;
  readonly blocked: BlockedPrograms;
  readonly pairings: Pairings;
  /** What the pipe asks. */
  readonly registry: ProgramRegistry;
}

/** Reads the programs and the blocked ones. Fails with a `vault_*` code. */
export async function openPrograms(parts: StartBrokerParts, vault: Vault, audit: Audit): Promise<Result<ProgramParts>> {
  const base = { vault, clock: systemClock, randomness: systemRandomness };
  const { pairing, programs: policyPrograms } = parts.policy;
  const programs = new Programs({
    ...base,
    policyPrograms,
    onEnded: ({ clientId, name }) => audit({ action: "program.ended", actor: "broker", actorName: name, user: clientId, outcome: "ok" }),
  });
  const blocked = new BlockedPrograms(base);
  for (const part of [programs, blocked]) {
    const ready = await part.open();
    if (!ready.ok) return ready;
  }
  // Apart, so that strangers, who choose their names freely, keep no program's row away.
  const sessions = new OnceAMinute();
  const prompts = new OnceAMinute(maxPromptRows);
  const strangers = new OnceAMinute(1);
  const pairings = new Pairings({
    ...base,
    programs,
    blocked,
    pairing,
    onDecided: (program, clientId, outcome, decidedBy) => {
      if (decidedBy === "broker" && !prompts.isDue(`${outcome} ${identityKey(program)}`, systemClock.nowMs())) return;
      const about = clientId === undefined ? {} : { user: clientId };
      audit({ action: "pairing", actor: decidedBy, actorName: program.name, outcome, ...about });
    },
  });
  const registry: ProgramRegistry = {
    requestPairing: (sessionId, params, programPath) => pairings.requestPairing(sessionId, params, programPath),
    waitForPairing: (sessionId, pairingId) => pairings.waitForPairing(sessionId, pairingId),
    sessionClosed: (sessionId) => pairings.sessionClosed(sessionId),
    findClient: async (clientId) => programs.find(clientId),
    sessionDecided: (clientId, outcome) => {
      const program = programs.find(clientId);
      if (program === undefined) {
        if (strangers.isDue("session", systemClock.nowMs())) audit({ action: "session", actor: "unknown", user: clientId, outcome });
        return;
      }
      if (outcome === "ok") programs.seen(clientId);
      if (sessions.isDue(`${outcome} ${clientId}`, systemClock.nowMs())) {
        audit({ action: "session", actor: clientId, actorName: program.name, outcome });
      }
    },
    onClientRemoved: programs.onSessionsMustEnd,
  };
  const ruled = ruling(parts.policy);
  if (ruled !== undefined) audit({ action: "policy", actor: "broker", outcome: ruled });
  connectProgramEvents(parts, { programs, blocked, pairings });
  return ok({ programs, blocked, pairings, registry });
}

/** What the audit log says of the policy at each start; nothing where there is none. */
function ruling({ pairing, programs, notices }: StartBrokerParts["policy"]): string | undefined {
  if (notices[0] !== undefined) return notices[0].code;
  if (pairing === "forbidden") return "pairing_forbidden";
  return programs.length > 0 ? "ok" : undefined;
}

function connectProgramEvents(parts: StartBrokerParts, { programs, blocked, pairings }: Omit<ProgramParts, "registry">): void {
  const { sendEvent } = parts;
  programs.onChanged((views) => sendEvent("clientsChanged", views));
  blocked.onChanged((views) => sendEvent("blockedChanged", views));
  const shown = new Set<string>();
  pairings.onChanged((views) => {
    sendEvent("pairingsChanged", views);
    for (const view of views) {
      if (shown.has(view.pairingId)) continue;
      shown.add(view.pairingId);
      parts.onPairingRequested(view);
    }
    for (const pairingId of shown) if (!views.some((view) => view.pairingId === pairingId)) shown.delete(pairingId);
  });
}

/** Stores every program of a program file, or none that is new. Also used for `--import-programs`. */
export async function importPrograms(programs: Programs, audit: Audit, text: string): Promise<Result<{ readonly imported: number }>> {
  const refused = (why: Failure): Result<never> => {
    audit({ action: "program.import", actor: "window", outcome: why.code });
    return err(why);
  };
  const parsed = parseProgramFile(text);
  if (!parsed.ok) return refused(parsed.error);
  const records = parsed.value.map((entry) => programOf(entry, "imported", systemClock.nowMs()));
  const known = new Map(programs.list().map((view) => [view.clientId, view.origin]));
  if (records.some(({ clientId }) => known.get(clientId) === "policy")) return refused(failure("program_managed"));
  const added: string[] = [];
  for (const record of records) {
    const saved = await programs.save(record);
    const outcome = saved.ok ? "ok" : saved.error.code;
    audit({ action: "program.import", actor: "window", actorName: record.name, user: record.clientId, outcome });
    if (!saved.ok) {
      for (const clientId of added) await programs.remove(clientId);
      return saved;
    }
    if (!known.has(record.clientId)) added.push(record.clientId);
  }
  return ok({ imported: records.length });
}
