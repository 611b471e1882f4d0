/**
 * JSON-RPC 2.0 over one connection to the broker: one line a message, answers matched by id.
 *
 * Invariant: every call settles: with the answer, after its timeout, or when the connection ends.
 */
import { connect, type Socket } from "node:net";
import { err, ok, type Result } from "../../shared/result.ts";
import { type BrokerFailure, brokerUnreachable, localFailure, parseFailure, timedOut } from "./broker-failure.ts";
import { isRecord, UnexpectedAnswer } from "./parse-fields.ts";

export type Parser<T> = (value: unknown) => T;
export type Answer<T> = Promise<Result<T, BrokerFailure>>;

export interface Channel {
  /** Sends a request. `timeoutMs` counts from now; without it the call waits as long as the connection lasts. */
  readonly call: <T>(method: string, params: object, parse: Parser<T>, timeoutMs?: number) => Answer<T>;
  /** Calls `listener` for each notification until the returned function is called. */
  readonly onNotification: (listener: (method: string, params: unknown) => void) => () => void;
  readonly close: () => void;
  /** Settles when the connection has ended. Never rejects. */
  readonly closed: Promise<void>;
}

/** Lists of connections may be long; nothing the broker sends is longer (docs/pipe-protocol.md, "Limits"). */
const maxReceivedLength = 8 * 1024 * 1024;

interface PendingCall {
  readonly settle: (answer: Result<unknown, BrokerFailure>) => void;
}

/** Connects to `pipe`. Fails with `broker_unreachable` if nobody listens or answers within `timeoutMs`. */
export function openChannel(pipe: string, timeoutMs: number): Answer<Channel> {
  return new Promise((resolve) => {
    const socket = connect(pipe);
    const timer = setTimeout(() => socket.destroy(new Error("timed out")), timeoutMs);
    const failed = (): void => {
      clearTimeout(timer);
      resolve(err(brokerUnreachable("not-sent")));
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", failed);
      resolve(ok(channelOver(socket)));
    });
  });
}

function channelOver(socket: Socket): Channel {
  const pending = new Map<number, PendingCall>();
  const listeners = new Set<(method: string, params: unknown) => void>();
  let lastId = 0;
  let received = 0;
  // "close" always follows an error.
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve())).then(() => {
    for (const call of pending.values()) call.settle(err(brokerUnreachable("connection-ended")));
  });
  readLines(socket, (line) => {
    received += 1;
    if (line.trim() === "") return;
    const message: unknown = JSON.parse(line);
    if (!isRecord(message)) return;
    if (typeof message["method"] === "string") {
      for (const listener of listeners) listener(message["method"], message["params"]);
      return;
    }
    const call = typeof message["id"] === "number" ? pending.get(message["id"]) : undefined;
    call?.settle("error" in message ? err(parseFailure(message["error"])) : ok(message["result"]));
  });

  const call = <T>(method: string, params: object, parse: Parser<T>, timeoutMs?: number): Answer<T> =>
    new Promise((resolve) => {
      if (!socket.writable) return resolve(err(brokerUnreachable("not-sent")));
      lastId += 1;
      const id = lastId;
      const receivedBefore = received;
      const giveUp = (): void => {
        settle(err(timedOut()));
        // Not only this answer: nothing came at all. The next request gets a new connection.
        if (received === receivedBefore) socket.destroy();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      const settle = (answer: Result<unknown, BrokerFailure>): void => {
        clearTimeout(timer);
        pending.delete(id);
        resolve(answer.ok ? parsed(parse, answer.value) : answer);
      };
      pending.set(id, { settle });
      // A write that failed has not delivered its last byte, the line feed: for the broker there was no request.
      const written = (error?: Error | null): void => void (error && settle(err(brokerUnreachable("not-sent"))));
      socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`, written);
    });
  const onNotification: Channel["onNotification"] = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { call, onNotification, close: () => socket.destroy(), closed };
}

/** An answer that cannot be read is a failure of the call, not a crash of the program. */
function parsed<T>(parse: Parser<T>, value: unknown): Result<T, BrokerFailure> {
  try {
    return ok(parse(value));
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return err(localFailure("internal_error"));
    throw error;
  }
}

/** Calls `onLine` for each line. A peer that sends no JSON lines is no broker: the connection ends. */
function readLines(socket: Socket, onLine: (line: string) => void): void {
  let unfinished = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    // Long answers come in many pieces: only the new piece is searched.
    const lines = text.split("\n");
    lines[0] = unfinished + (lines[0] ?? "");
    unfinished = lines.pop() ?? "";
    try {
      if (unfinished.length > maxReceivedLength) throw new UnexpectedAnswer("a message is too long");
      lines.forEach(onLine);
    } catch (error) {
      // Anything else is a bug of a listener, and not hidden.
      if (!(error instanceof UnexpectedAnswer || error instanceof SyntaxError)) throw error;
      socket.destroy();
    }
  });
}
