/**
 * One connection of the pipe fuzzer: sends any bytes, and keeps whatever comes back.
 *
 * Invariant: it remembers all that was sent and received, and which proofs it could have sent, so that it can be judged.
 */
import { connect, type Socket } from "node:net";
import { programProof } from "../../electron/pipe/handshake.ts";
import type { FuzzedProgram } from "./child-contract.ts";

export interface Greeting {
  readonly program: FuzzedProgram;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly brokerProof: string;
  /** What only the program itself can know. */
  readonly rightProof: string;
}

/** How waiting for an answer ended: it came, or the connection ended first, or it took too long. */
export type Waited = "came" | "ended" | "too long";

/** Why there is no greeting; refused, when hello was not expected. */
export type NotGreeted = Exclude<Waited, "came"> | "refused";

export class PipeClient {
  readonly socket: Socket;
  readonly #closed: Promise<void>;
  readonly #boundMs: number;
  #isClosed = false;
  #received = "";
  #sent = "";
  #greetings: Greeting[] = [];
  #waiting: { readonly isThere: () => boolean; readonly settle: (waited: Waited) => void } | undefined;

  constructor(path: string, boundMs: number) {
    this.#boundMs = boundMs;
    this.socket = connect(path);
    this.#closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    this.socket.on("error", () => undefined);
    this.socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      if (this.#waiting?.isThere() === true) this.#settle("came");
    });
    void this.#closed.then(() => {
      this.#isClosed = true;
      this.#settle("ended");
    });
  }

  /** latin1: every byte is a character, whatever was sent. */
  get received(): string {
    return this.#received;
  }

  get sent(): string {
    return this.#sent;
  }

  get greetings(): readonly Greeting[] {
    return this.#greetings;
  }

  send(bytes: Buffer | string): void {
    this.#sent += bytes.toString("latin1");
    if (!this.#isClosed) this.socket.write(bytes);
  }

  /** Sends, and waits until `mark` has come. */
  ask(bytes: Buffer | string, mark: string): Promise<Waited> {
    const from = this.#received.length;
    let searchedTo = from;
    this.send(bytes);
    return this.until(() => {
      if (this.#received.includes(mark, searchedTo)) return true;
      searchedTo = Math.max(from, this.#received.length - mark.length);
      return false;
    });
  }

  /** Waits until `isThere`, which is asked whenever something has come. */
  until(isThere: () => boolean): Promise<Waited> {
    if (isThere()) return Promise.resolve("came");
    if (this.#isClosed) return Promise.resolve("ended");
    const { promise, resolve } = Promise.withResolvers<Waited>();
    const timer = setTimeout(() => this.#settle("too long"), this.#boundMs);
    this.#waiting = {
      isThere,
      settle: (waited) => {
        clearTimeout(timer);
        resolve(waited);
      },
    };
    return promise;
  }

  /** Waits until the other side has ended the connection. */
  untilClosed(): Promise<Waited> {
    return this.until(() => false);
  }

  /** Says hello as that program does. */
  async greet(program: FuzzedProgram, clientNonce: string): Promise<Greeting | NotGreeted> {
    const params = { protocol: 1, clientId: program.clientId, nonce: clientNonce };
    const hello = `${JSON.stringify({ jsonrpc: "2.0", id: "hello", method: "session.hello", params })}\n`;
    const from = this.#received.length;
    const waited = await this.ask(hello, '"id":"hello"');
    if (waited !== "came") return waited;
    const found = /"nonce":"([\w-]{43})","proof":"([\w-]{43})"/.exec(this.#received.slice(from));
    const [, serverNonce = "", brokerProof = ""] = found ?? [];
    if (found === null) return "refused";
    const { clientId, clientKey } = program;
    const rightProof = programProof({ key: Buffer.from(clientKey, "base64url"), clientId, clientNonce, serverNonce });
    const greeting = { program, clientNonce, serverNonce, brokerProof, rightProof };
    this.#greetings.push(greeting);
    return greeting;
  }

  /** Says hello, and sends the right proof. Requests may follow at once. */
  async enter(program: FuzzedProgram, clientNonce: string): Promise<"sent" | NotGreeted> {
    const greeting = await this.greet(program, clientNonce);
    if (typeof greeting === "string") return greeting;
    const params = { proof: greeting.rightProof };
    this.send(`${JSON.stringify({ jsonrpc: "2.0", id: "proof", method: "session.authenticate", params })}\n`);
    return "sent";
  }

  #settle(waited: Waited): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.settle(waited);
  }
}
