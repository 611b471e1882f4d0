/** A real pipe server on a socket of its own, with stand-ins for what is behind it. For tests only. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { failure } from "../../../shared/failure.ts";
import type {
  PairingRequestParams,
  PairingWaitResult,
  PipeConnection,
  PipeProvider,
  TokenGetResult,
} from "../../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { DmsClientRecord, Log } from "../../core/ports.ts";
import type { ProgramApi, ProgramRegistry } from "../../core/program-api.ts";
import type { PipeLimits } from "../pipe-limits.ts";
import { type PipeServer, startPipeServer } from "../pipe-server.ts";

export const knownClient: DmsClientRecord = {
  clientId: "client-1",
  name: "Dealer DMS",
  clientKey: Buffer.alloc(32, 7).toString("base64url"),
  access: { users: "all", providers: "all" },
  pairedAtMs: 0,
};

export const someToken: TokenGetResult = {
  accessToken: "secret-access-token-of-the-fake-broker",
  tokenType: "Bearer",
  tokenId: "token-1",
  expiresAt: 2_000_000_000,
  expiresInSeconds: 3600,
  headers: { Authorization: "Bearer secret-access-token-of-the-fake-broker", "X-mazda-org": "10030/MMD" },
};

export const someConnection: PipeConnection = {
  id: "mazda/production/jdoe",
  provider: "mazda",
  environment: "production",
  user: "jdoe",
  state: "Active",
  grantExpiryIsEstimate: true,
  grantExpiresAt: 2_000_000_000,
};

export const someProvider: PipeProvider = {
  provider: "mazda",
  environment: "production",
  state: "available",
  authorizationEndpoint: "https://mazda.example/authorize",
  tokenEndpoint: "https://mazda.example/token",
};

/** Keeps what was logged, to show that nothing secret is in it. */
export interface RecordingLog extends Log {
  readonly lines: string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  return {
    lines,
    info: (event, fields) => void lines.push(`${event} ${JSON.stringify(fields)}`),
    warn: (event, fields) => void lines.push(`${event} ${JSON.stringify(fields)}`),
    error: (event, error) => void lines.push(`${event} ${String(error)}`),
  };
}

/** Programs in memory; the test plays the person who answers a pairing. */
export class FakeRegistry implements ProgramRegistry {
  readonly clients = new Map<string, DmsClientRecord>([[knownClient.clientId, knownClient]]);
  readonly closedSessions: string[] = [];
  readonly requests: PairingRequestParams[] = [];
  readonly decidedSessions: string[] = [];
  /** What the person does; set before the program waits. */
  decision: Promise<Result<PairingWaitResult>> = new Promise(() => undefined);
  #removalListeners = new Set<(clientId: string) => void>();
  #waiting: string | undefined;

  requestPairing: ProgramRegistry["requestPairing"] = (sessionId, params) => {
    if (this.#waiting !== undefined) return err(failure("pairing_busy"));
    this.#waiting = sessionId;
    this.requests.push(params);
    return ok({ pairingId: "pairing-1", code: "123456", expiresInSeconds: 120 });
  };
  waitForPairing: ProgramRegistry["waitForPairing"] = async (sessionId, pairingId) => {
    if (sessionId !== this.#waiting || pairingId !== "pairing-1") return err(failure("pairing_unknown"));
    const decision = await this.decision;
    this.#waiting = undefined;
    return decision;
  };
  sessionClosed: ProgramRegistry["sessionClosed"] = (sessionId) => {
    this.closedSessions.push(sessionId);
  };
  findClient: ProgramRegistry["findClient"] = (clientId) => Promise.resolve(this.clients.get(clientId));
  sessionDecided: ProgramRegistry["sessionDecided"] = (clientId, outcome) => void this.decidedSessions.push(`${clientId} ${outcome}`);
  onClientRemoved: ProgramRegistry["onClientRemoved"] = (listener) => {
    this.#removalListeners.add(listener);
    return () => this.#removalListeners.delete(listener);
  };

  approve(): void {
    this.decision = Promise.resolve(ok({ clientId: knownClient.clientId, clientKey: knownClient.clientKey }));
  }
  remove(clientId: string): void {
    this.clients.delete(clientId);
    for (const listener of this.#removalListeners) listener(clientId);
  }
}

/** Answers everything at once; tests replace single methods. */
export function fakeProgramApi(overrides: Partial<ProgramApi> = {}): ProgramApi {
  return {
    admit: () => ok(),
    tokenGet: () => Promise.resolve(ok(someToken)),
    tokenRejected: () => Promise.resolve(ok({ ...someToken, tokenId: "token-2" })),
    connectionList: () => Promise.resolve(ok({ connections: [someConnection] })),
    connectionGet: () => Promise.resolve(ok(someConnection)),
    connectStart: () => Promise.resolve(ok({ connection: { ...someConnection, state: "Connecting" as const } })),
    connectCancel: () => Promise.resolve(ok()),
    connectionRevoke: () => Promise.resolve(ok()),
    connectionForget: () => Promise.resolve(ok()),
    brokerStatus: () =>
      Promise.resolve(
        ok({
          version: "1.2.3",
          protocol: 1,
          vault: "open" as const,
          providers: [someProvider],
        }),
      ),
    onConnectionChanged: () => () => undefined,
    ...overrides,
  };
}

export interface FakeBroker {
  readonly folder: string;
  readonly pipe: string;
  readonly registry: FakeRegistry;
  readonly log: RecordingLog;
  readonly server: PipeServer;
  /** Closes the server and removes its folder. */
  readonly dispose: () => Promise<void>;
}

export interface FakeBrokerOptions {
  readonly api?: Partial<ProgramApi>;
  readonly limits?: Partial<PipeLimits>;
  readonly nowMs?: () => number;
}

/** A folder of its own (mkdtemp makes it 0700), short enough for a socket path. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), "dms-pipe-"));
}

/** A pipe name for a test in `folder`; Windows pipes live in a namespace of their own. */
export function pipeIn(folder: string): string {
  return process.platform === "win32" ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, "broker.sock");
}

export async function startFakeBroker({ api, limits, nowMs = Date.now }: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const folder = await temporaryFolder();
  const pipe = pipeIn(folder);
  const registry = new FakeRegistry();
  const log = recordingLog();
  const started = await startPipeServer({
    name: pipe,
    programApi: fakeProgramApi(api),
    registry,
    log,
    version: "1.2.3",
    nowMs,
    ...(limits && { limits }),
  });
  if (!started.ok) throw new Error(started.error.message);
  const server = started.value;
  const dispose = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, pipe, registry, log, server, dispose };
}
