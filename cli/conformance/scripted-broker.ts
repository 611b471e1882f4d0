/**
 * A broker that does what a scenario tells it to, and notes what the client program does.
 *
 * Invariant: it judges by the document only; every remark is a sentence about the client that `problems` gives back.
 */
import { createHmac, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Credentials } from "../../clients/node/session-proof.ts";
import { type ClientMessage, readClientMessage } from "./client-message.ts";

export interface Nonces {
  readonly clientNonce: string;
  readonly serverNonce: string;
}

/** One request of the client, and the ways to answer it. */
export interface Call extends ClientMessage {
  /** The first connection is 1. */
  readonly connection: number;
  readonly atMs: number;
  readonly result: (result: object, more?: object) => void;
  readonly refuse: (data: ErrorData) => void;
  /** Writes bytes as they are. */
  readonly raw: (bytes: string | Buffer) => void;
  /** Writes bytes and waits until the system has taken them; false if the connection is gone. */
  readonly rawAndWait: (bytes: string | Buffer) => Promise<boolean>;
  /** Ends the connection without an answer. */
  readonly hangUp: () => void;
  /** Ends the connection once the client has been sent everything. */
  readonly finish: () => void;
  /** Settles when the connection is gone. */
  readonly gone: Promise<void>;
}

export interface ErrorData {
  readonly code: string;
  readonly detail: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
  readonly connectionId?: string;
}

/** What the broker does. What is left out it does as the real one does. */
export interface BrokerScript {
  /** The answer to `session.hello`; undefined says nothing at all. Given the right one. */
  readonly greeting?: (right: Greeting, nonces: Nonces) => object | undefined;
  /** Every request after `session.authenticate`, and those of pairing. */
  readonly onCall: (call: Call) => void;
}

export interface Greeting {
  readonly nonce: string;
  readonly proof: string;
}

export interface BrokerSetting {
  readonly pipe: string;
  readonly credentials: Credentials;
  /** All nonces that any client has used so far. */
  readonly usedNonces: Set<string>;
}

/** Long enough for what a client sends right behind its proof to arrive before the answer. */
const authenticateDelayMs = 50;
/** The document lets answers be longer than this for lists only; reading stops far beyond what any client may send. */
const maxUnfinishedBytes = 1024 * 1024;

export class ScriptedBroker {
  readonly calls: Call[] = [];
  connections = 0;
  /** How often a client went on after a proof that was wrong. */
  sentAfterWrongProof = 0;
  readonly #setting: BrokerSetting;
  readonly #script: BrokerScript;
  readonly #problems = new Set<string>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(setting: BrokerSetting, script: BrokerScript) {
    this.#setting = setting;
    this.#script = script;
  }

  /** What the client has done against the document, each once. */
  get problems(): readonly string[] {
    return [...this.#problems];
  }

  callsOf(method: string): readonly Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** Listens on the pipe; again after `stop`, like an app that was restarted. */
  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#setting.pipe, resolve);
    });
  }

  /** Closes the pipe and every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
    if (process.platform !== "win32") rmSync(this.#setting.pipe, { force: true });
  }

  /** Settles when the client has closed what it had open, or after a moment: its last bytes have arrived then. */
  async settled(): Promise<void> {
    const closed = [...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 1_000);
    });
    await Promise.race([Promise.all(closed), moment]);
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    const gone = new Promise<void>((resolve) => {
      socket.once("close", () => {
        this.#sockets.delete(socket);
        resolve();
      });
    });
    // A client may go away at any time; "close" follows.
    socket.on("error", () => undefined);
    const session = new ScriptedSession(this.#setting, this.#script, (problem) => void this.#problems.add(problem));
    const connection = this.connections;
    let unfinished = Buffer.alloc(0);
    socket.on("data", (data) => {
      if (session.wrongProofSent) this.sentAfterWrongProof += 1;
      unfinished = Buffer.concat([unfinished, data]);
      for (let end = unfinished.indexOf(0x0a); end >= 0; end = unfinished.indexOf(0x0a)) {
        const line = unfinished.subarray(0, end);
        unfinished = unfinished.subarray(end + 1);
        this.#receive(session, line, { socket, connection, gone });
      }
      if (unfinished.length > maxUnfinishedBytes) socket.destroy();
    });
  }

  #receive(session: ScriptedSession, line: Buffer, { socket, connection, gone }: Arrival): void {
    if (line.toString("latin1").trim() === "") return;
    const raw = (bytes: string | Buffer): void => void (socket.destroyed || socket.write(bytes));
    const send = (message: object): void => raw(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    const read = readClientMessage(line);
    if ("problem" in read) {
      this.#problems.add(read.problem);
      return send({ id: read.id, error: { code: -32_600, message: read.problem, data: messageInvalid(read.problem) } });
    }
    const { request } = read;
    const call: Call = {
      ...request,
      connection,
      atMs: performance.now(),
      result: (result, more = {}) => send({ id: request.id, result, ...more }),
      refuse: (data) => send({ id: request.id, error: { code: -32_000, message: data.message, data } }),
      raw,
      rawAndWait: (bytes) => new Promise((resolve) => socket.write(bytes, (error) => resolve(!error))),
      hangUp: () => socket.destroy(),
      finish: () => socket.end(),
      gone,
    };
    this.calls.push(call);
    session.receive(call);
  }
}

interface Arrival {
  readonly socket: Socket;
  readonly connection: number;
  readonly gone: Promise<void>;
}

/** One connection's way through greeting and proof. */
class ScriptedSession {
  wrongProofSent = false;
  readonly #setting: BrokerSetting;
  readonly #script: BrokerScript;
  readonly #remark: (problem: string) => void;
  #nonces: Nonces | undefined;
  #state: "new" | "greeted" | "proving" | "open" = "new";
  readonly #behindProof: Call[] = [];

  constructor(setting: BrokerSetting, script: BrokerScript, remark: (problem: string) => void) {
    this.#setting = setting;
    this.#script = script;
    this.#remark = remark;
  }

  receive(call: Call): void {
    if (call.method.startsWith("pairing.")) return this.#script.onCall(call);
    if (call.method === "session.hello") return this.#hello(call);
    if (call.method === "session.authenticate") return this.#authenticate(call);
    // Requests may follow right behind the proof; they wait for its outcome.
    if (this.#state === "proving") return void this.#behindProof.push(call);
    if (this.#state === "new" || this.#state === "greeted") {
      this.#remark(`${call.method} was sent without session.authenticate`);
      return call.refuse(notAuthenticated);
    }
    this.#script.onCall(call);
  }

  #hello(call: Call): void {
    const { protocol, clientId, nonce } = call.params;
    const { credentials, usedNonces } = this.#setting;
    if (protocol !== 1) this.#remark("session.hello does not ask for protocol 1");
    if (clientId !== credentials.clientId) this.#remark("session.hello does not send the clientId of the credentials file");
    if (typeof nonce !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(nonce)) {
      this.#remark("the nonce of session.hello is not 32 bytes in base64url without padding");
    } else {
      if (usedNonces.has(nonce))
        this.#remark("a nonce was used twice: make a new one for each connection, from a cryptographic random source");
      usedNonces.add(nonce);
    }
    const nonces = { clientNonce: String(nonce), serverNonce: randomBytes(32).toString("base64url") };
    const right = { nonce: nonces.serverNonce, proof: makeProof("broker", credentials, nonces) };
    this.#nonces = nonces;
    this.#state = "greeted";
    const greeting = this.#script.greeting === undefined ? right : this.#script.greeting(right, nonces);
    if (greeting === undefined) return;
    this.wrongProofSent = !("proof" in greeting) || greeting.proof !== right.proof;
    call.result(greeting);
  }

  #authenticate(call: Call): void {
    const nonces = this.#nonces;
    if (nonces === undefined || this.#state !== "greeted") {
      this.#remark("session.authenticate was sent without session.hello");
      return call.refuse(notAuthenticated);
    }
    if (call.params["proof"] !== makeProof("program", this.#setting.credentials, nonces)) {
      this.#remark("the program's proof is wrong: compare with the test vectors of docs/pipe-protocol.md");
      call.refuse(notAuthenticated);
      return call.hangUp();
    }
    this.#state = "proving";
    setTimeout(() => {
      this.#state = "open";
      call.result({ name: "DMS Connect", version: "0.0.0" });
      for (const waiting of this.#behindProof.splice(0)) this.#script.onCall(waiting);
    }, authenticateDelayMs);
  }
}

function messageInvalid(problem: string): ErrorData {
  const message = `The message is not valid: ${problem}.`;
  return {
    code: "invalid_request",
    detail: "message_invalid",
    message,
    remedy: "See docs/pipe-protocol.md for its form.",
    retryable: false,
  };
}

const notAuthenticated: ErrorData = {
  code: "not_paired",
  detail: "session_not_authenticated",
  message: "The session has not proved its key yet.",
  remedy: "Send session.hello and session.authenticate first.",
  retryable: false,
};

/** A proof with either label, as docs/pipe-protocol.md has it. */
export function makeProof(label: "broker" | "program", { clientId, clientKey }: Credentials, { clientNonce, serverNonce }: Nonces): string {
  const text = `dms-connect/1 ${label}\n${clientId}\n${clientNonce}\n${serverNonce}`;
  return createHmac("sha256", Buffer.from(clientKey, "base64url")).update(text, "utf8").digest("base64url");
}
