/**
 * The fuzzed pipe server: the real one on a real socket, with short limits and a core that knows secrets and has nothing
 * behind it. So every state of the pipe is reached soon: answers that are late or long, ends of sessions, all sessions taken.
 */
import { join } from "node:path";
import type { DmsClientRecord } from "../../electron/core/ports.ts";
import type { ProgramApi } from "../../electron/core/program-api.ts";
import { startPipeServer } from "../../electron/pipe/pipe-server.ts";
import { failure } from "../../shared/failure.ts";
import type { PipeConnection, TokenGetResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { childSettings, type FuzzedProgram, settingsVariable } from "./child-contract.ts";
import { answerLooks, misbehave, type Notes, tell, watchedLog } from "./fuzzed-process.ts";
import { approvedNames, keyOf, programOf, tokenOf, userOf } from "./marked-secrets.ts";
import { createStandInRegistry } from "./stand-in-registry.ts";

const { folder, sabotage } = childSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
/** Long enough that answers come out of order and after a client has gone. */
const slowAnswerMs = 3;
/** With about 180 bytes for each, just less than the 8 MiB that an answer may have. */
const longListLength = 44_000;
/** Every so many times it is asked to forget, a program's access changes instead. */
const forgetsAChange = 50;
/** Every so many requests one is too much. */
const admitsARefusal = 500;

const owner = (name: string) => programOf(name, `program-${name}`, keyOf(name));
const paired = approvedNames.map((pairedAs, index): FuzzedProgram => ({ ...owner(`p${index}`), pairedAs }));
const programs: [FuzzedProgram, ...FuzzedProgram[]] = [owner("a"), owner("b"), { ...owner("long"), hasLongAnswers: true }, ...paired];
const users = new Set(["", ...programs.flatMap((program) => program.users)]);
const owners = new Map(programs.map(({ clientId }) => [clientId, clientId.slice("program-".length)]));

const notes: Notes = { bugs: [], logLeaks: [] };
const log = watchedLog(notes);
const listeners = new Set<(connection: PipeConnection) => void>();
const registry = createStandInRegistry(programs, sabotage === "leak-secret" ? tokenOf("a") : undefined);
const longList = Array.from({ length: longListLength }, () => connectionOf("long"));
let forgets = 0;
let admitted = 0;

const api: ProgramApi = {
  admit: () => {
    admitted += 1;
    return admitted % admitsARefusal === 0 ? err(failure("program_rate_limited", { limit: 1 }, { retryAfterSeconds: 1 })) : ok();
  },
  tokenGet: (client, { user }) => answer(user, ok(token(client))),
  tokenRejected: (client, { user }) => answer(user, ok(token(client))),
  connectionList: (client) =>
    answer("", ok({ connections: ownerOf(client) === "long" ? longList : Array.from({ length: 20 }, () => connection(client)) })),
  connectionGet: (client, { user }) => answer(user, ok(connection(client))),
  connectStart: (client, { user }) => answer(user, ok({ connection: connection(client) })),
  connectCancel: (client) => {
    for (const listener of listeners) listener(connection(client));
    return answer("", ok());
  },
  connectionRevoke: (_client, { user }) => answer(user, err(failure("provider_busy", { provider: "Fuzz", status: 503 }))),
  connectionForget: (client, { user }) => {
    forgets += 1;
    if (forgets % forgetsAChange === 0) registry.changeAccess(client.clientId);
    return answer(user, ok());
  },
  brokerStatus: () => answer("", ok({ version: "0.0.0", protocol: 1, vault: "open" as const, providers: [] })),
  onConnectionChanged: (client, listener) => {
    // Told of its own connections only, as core does it.
    const own = (changed: PipeConnection) => {
      if (changed.user === userOf(ownerOf(client))) listener(changed);
    };
    listeners.add(own);
    return () => listeners.delete(own);
  },
};

const started = await startPipeServer({
  name: process.platform === "win32" ? `\\\\.\\pipe\\dms-fuzz-${process.pid}` : join(folder, "fuzz.sock"),
  programApi: api,
  registry,
  log,
  version: "0.0.0",
  nowMs: Date.now,
  limits: { maxSessions: 10, maxSessionsPerProgram: 2, authenticationMs: 500, idleMs: 400, stalledWriteMs: 400, sweepMs: 50 },
});
if (!started.ok) throw new Error(started.error.message);
answerLooks(notes, () => ({ listeners: listeners.size, pairings: registry.waiting() }));
tell({ kind: "ready", address: started.value.name, programs });

function answer<T>(user: string, result: Result<T>): Promise<Result<T>> {
  // Only mutated requests name others.
  if (!users.has(user)) misbehave(sabotage, log);
  return user.endsWith("-slow") ? new Promise((resolve) => setTimeout(resolve, slowAnswerMs, result)) : Promise.resolve(result);
}

function token(client: DmsClientRecord): TokenGetResult {
  const accessToken = tokenOf(ownerOf(client));
  return {
    accessToken,
    tokenType: "Bearer",
    tokenId: "token",
    expiresAt: 2_000_000_000,
    expiresInSeconds: 3600,
    headers: { Authorization: `Bearer ${accessToken}` },
  };
}

function connection(client: DmsClientRecord): PipeConnection {
  return connectionOf(ownerOf(client));
}

function connectionOf(name: string): PipeConnection {
  const user = userOf(name);
  return { id: `fuzz/production/${user}`, provider: "fuzz", environment: "production", user, state: "Active", grantExpiryIsEstimate: true };
}

function ownerOf({ clientId }: DmsClientRecord): string {
  return owners.get(clientId) ?? "";
}
