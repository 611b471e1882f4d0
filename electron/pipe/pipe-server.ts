/**
 * The pipe on which DMS programs reach the broker.
 *
 * Invariant: the server never speaks first. On Windows others may open the pipe for reading; whoever
 * cannot send never gets a byte. Nobody is served before the pipe is closed to other users.
 */
import { createServer, type Server, type Socket } from "node:net";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { OnceAMinute } from "../core/once-a-minute.ts";
import type { Log } from "../core/ports.ts";
import type { ProgramApi, ProgramRegistry } from "../core/program-api.ts";
import { errorCode } from "./error-code.ts";
import { createHandshake } from "./handshake.ts";
import { openPeerGate, type PeerGate } from "./peer-gate.ts";
import { type PipeLimits, pipeLimits, usualRetryAfterSeconds } from "./pipe-limits.ts";
import { preparePipePlace } from "./pipe-place.ts";
import { PipeSession } from "./pipe-session.ts";
import type { SessionContext } from "./session-context.ts";

export interface PipeServerOptions {
  /** From `pipeName`. */
  readonly name: string;
  readonly programApi: ProgramApi;
  readonly registry: ProgramRegistry;
  readonly log: Log;
  /** Version of the app. */
  readonly version: string;
  /** Milliseconds of a clock that is never set. */
  readonly nowMs: () => number;
  /** For tests. */
  readonly limits?: Partial<PipeLimits>;
}

export interface PipeServer {
  readonly name: string;
  /**
   * Answers what is under way with `shutting_down`, tells it to programs that follow events, ends all sessions and stops listening.
   * Answers and events are on their way when it returns: nothing that ends afterwards can answer instead. Settles when all is closed.
   *
   * @param retryAfterSeconds when programs should come back, as they are told; the usual time if left out. The first call counts
   */
  readonly close: (retryAfterSeconds?: number) => Promise<void>;
}

/** What the sessions of one server share. */
type ServerContext = Omit<SessionContext, "programPath"> & { readonly gate: PeerGate };

/**
 * Listens on `name` and serves programs until closed.
 *
 * @returns `pipe_in_use` if another process listens there, `pipe_not_private` if others could not be kept out, `pipe_failed`
 * if listening is impossible
 */
export async function startPipeServer(options: PipeServerOptions): Promise<Result<PipeServer>> {
  const { name, log, nowMs } = options;
  const place = await preparePipePlace(name);
  if (!place.ok) return place;
  const gate = await openPeerGate({ log, nowMs });
  // Half-open, so that the end is the link's to handle: Node's own way takes a system call and a turn more.
  const server = createServer({ allowHalfOpen: true });
  const sessions = new Set<PipeSession>();
  const context = serverContext(options, sessions, gate);
  const ownConnection = new Promise((resolve) => server.once("connection", resolve));
  const shut = (socket: Socket): void => void socket.destroy();
  server.on("connection", shut);
  try {
    await listen(server, name);
  } catch (error) {
    server.close();
    return err(
      errorCode(error) === "EADDRINUSE" ? failure("pipe_in_use", { name }) : failure("pipe_failed", { problem: errorCode(error) }),
    );
  }
  server.on("error", (error) => log.warn("pipe.accept_failed", { problem: errorCode(error) }));
  const isPrivate = await place.value.closeToOthers(ownConnection);
  if (!isPrivate.ok) {
    server.close();
    return isPrivate;
  }
  server.off("connection", shut);
  server.on("connection", receiver(sessions, context));
  log.info("pipe.listening", { name });
  return ok({ name, close: closer(server, sessions, context) });
}

function serverContext(options: PipeServerOptions, sessions: ReadonlySet<PipeSession>, gate: PeerGate): ServerContext {
  const { programApi, registry, log, version, nowMs } = options;
  const sessionCount = (clientId: string): number => {
    let count = 0;
    for (const session of sessions) if (session.clientId === clientId) count += 1;
    return count;
  };
  const limits = { ...pipeLimits, ...options.limits };
  return { programApi, registry, log, version, nowMs, limits, sessionCount, handshake: createHandshake(), gate };
}

/** What is done with each connection. Whoever is not served is closed without a word: the server never speaks first. */
function receiver(sessions: Set<PipeSession>, { gate, ...shared }: ServerContext): (socket: Socket) => void {
  const { limits, log, nowMs } = shared;
  // Writing to the log takes time, which a flood of connections must not cost.
  const fullNotes = new OnceAMinute();
  return (socket): void => {
    // Before anybody makes room for it.
    if (!gate.admits(socket)) return void socket.destroy();
    if (sessions.size >= limits.maxSessions) {
      if (fullNotes.isDue("full", nowMs())) log.warn("pipe.too_many_sessions", { limit: limits.maxSessions });
      makeRoom(sessions);
    }
    if (sessions.size >= limits.maxSessions) return void socket.destroy();
    // Asked once: a program may ask to be paired again and again.
    const programPath = once(() => gate.programPath(socket));
    const session = new PipeSession(socket, { ...shared, programPath });
    sessions.add(session);
    void session.closed.then(() => sessions.delete(session));
  };
}

/** The same function, which does its work when it is first called. */
function once<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => (done ??= { value: work() }).value;
}

/**
 * Cuts the connection that has waited longest without proving a key: whoever opens all there are keeps nobody out, since a
 * program proves its key within a millisecond.
 */
function makeRoom(sessions: Set<PipeSession>): void {
  for (const session of sessions) {
    if (!session.isStranger) continue;
    // At once, and not only when the socket has closed: the bound must hold.
    sessions.delete(session);
    return session.cut();
  }
}

/** Starts what goes on beside the sessions, and returns the function that ends everything. */
function closer(server: Server, sessions: ReadonlySet<PipeSession>, context: ServerContext): PipeServer["close"] {
  const { registry, nowMs, limits, gate } = context;
  const stopWatching = registry.onClientRemoved((clientId) => {
    // Its key may still be good, if only its access changed: the program must open a new session to find out.
    for (const session of sessions) session.endIfClient(clientId, failure("session_not_authenticated"));
  });
  const sweeper = setInterval(() => {
    for (const session of sessions) session.sweep(nowMs());
  }, limits.sweepMs);
  sweeper.unref();
  let closing: Promise<void> | undefined;
  const close = async (retryAfterSeconds: number): Promise<void> => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    clearInterval(sweeper);
    stopWatching();
    for (const session of sessions) session.shutDown(retryAfterSeconds);
    // The server counts a connection as gone a little before its session has tidied up.
    await Promise.all([stopped, ...[...sessions].map((session) => session.closed)]);
    gate.close();
  };
  return (retryAfterSeconds = usualRetryAfterSeconds) => (closing ??= close(retryAfterSeconds));
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(name, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
