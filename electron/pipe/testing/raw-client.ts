/** A program that says exactly what a test tells it to, byte by byte. For tests only. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { DmsClientRecord } from "../../core/ports.ts";
import { programProof } from "../handshake.ts";
import { knownClient } from "./fake-broker.ts";

/** A received message, of whatever kind. */
export interface RawMessage {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: {
    readonly sequence: number;
    readonly type: string;
    readonly connection?: { readonly id: string; readonly state: string; readonly grantExpiresAt?: number };
    readonly retryAfterSeconds?: number;
  };
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string; readonly detail: string; readonly message: string };
  };
}

export const clientNonce = Buffer.alloc(32, 1).toString("base64url");

export class RawClient {
  readonly socket: Socket;
  /** Settles when the connection is gone. */
  readonly closed: Promise<unknown>;
  readonly #received: RawMessage[] = [];
  readonly #waiting: ((message: RawMessage) => void)[] = [];
  #bytesReceived = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    let unfinished = "";
    socket.on("data", (chunk: Buffer) => {
      this.#bytesReceived += chunk.length;
      const lines = (unfinished + chunk.toString("utf8")).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) this.#deliver(JSON.parse(line) as RawMessage); // shape is asserted by the tests
    });
  }

  static async connect(pipe: string): Promise<RawClient> {
    const socket = connect(pipe);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  send(...messages: readonly object[]): void {
    this.socket.write(messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join(""));
  }

  /** The next message. Rejects if the connection ends first. */
  async next(): Promise<RawMessage> {
    const message = this.#received.shift();
    if (message !== undefined) return message;
    const arrival = new Promise<RawMessage>((resolve) => this.#waiting.push(resolve));
    const gone = this.closed.then((): never => {
      throw new Error("the connection ended");
    });
    return Promise.race([arrival, gone]);
  }

  async ask(method: string, params?: object, id: string | number = "ask"): Promise<RawMessage> {
    this.send({ id, method, params });
    return this.next();
  }

  /** Says hello as the known client and returns what is needed for the proof. */
  async hello(clientId: string = knownClient.clientId): Promise<{ readonly nonce: string; readonly proof: string }> {
    const { result } = await this.ask("session.hello", { protocol: 1, clientId, nonce: clientNonce });
    return { nonce: String(result?.["nonce"]), proof: String(result?.["proof"]) };
  }

  async authenticate(): Promise<RawMessage> {
    const { nonce } = await this.hello();
    return this.ask("session.authenticate", { proof: proofFor(nonce) });
  }

  #deliver(message: RawMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#received.push(message);
    else waiting(message);
  }
}

/** The right proof of a client for a server nonce. */
export function proofFor(
  serverNonce: string,
  { clientId, clientKey }: Pick<DmsClientRecord, "clientId" | "clientKey"> = knownClient,
): string {
  return programProof({ key: Buffer.from(clientKey, "base64url"), clientId, clientNonce, serverNonce });
}
