/**
 * A client program that makes the one mistake it is told to make, and none otherwise: `faulty-client.ts FAULT token …`.
 * It shows that the kit finds each. For tests only; nothing here is an example.
 */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

const [fault = "none", command = "", ...words] = process.argv.slice(2);
const has = (name: string): boolean => fault === name;
const timeoutMs = Number(process.env["DMS_CONNECT_TIMEOUT_SECONDS"] ?? "60") * 1000;
const maxBytes = 8 * 1024 * 1024;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Readonly<Record<string, string>>;
  readonly error?: { readonly data: { readonly code: string; readonly remedy: string; readonly retryAfterSeconds?: number } };
}

/** A failure with the word that a good client would say. */
class Trouble extends Error {
  readonly word: string;
  readonly retryAfterSeconds: number | undefined;
  constructor(word: string, message = "", retryAfterSeconds?: number) {
    super(message);
    this.word = word;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #lastId = 0;
  readonly gone: Promise<never>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.gone = new Promise((_resolve, reject) => {
      socket.once("close", () => reject(new Trouble("broker_unreachable")));
    });
    this.gone.catch(() => undefined);
    this.#read();
  }

  static open(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(process.env["DMS_CONNECT_PIPE"] ?? "");
      socket.once("error", () => reject(new Trouble("broker_unreachable")));
      socket.once("connect", () => resolve(new Connection(socket)));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  async ask(method: string, params: object, patienceMs = timeoutMs): Promise<Readonly<Record<string, string>>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      if (!has("waits-forever")) timer = setTimeout(() => reject(new Trouble("timed_out")), patienceMs);
    });
    const message = await Promise.race([answered, this.gone, late]).finally(() => clearTimeout(timer));
    if (message.error === undefined) return message.result ?? {};
    const { code, remedy, retryAfterSeconds } = message.error.data;
    throw new Trouble(code, remedy, retryAfterSeconds);
  }

  #read(): void {
    let unfinished = Buffer.alloc(0);
    let text = "";
    this.#socket.on("data", (data) => {
      if (has("decodes-pieces")) {
        const lines = (text + data.toString("utf8")).split("\n");
        text = lines.pop() ?? "";
        return lines.forEach((line) => this.#deliver(line));
      }
      if (has("reads-on") && unfinished.length > maxBytes) return;
      unfinished = Buffer.concat([unfinished, data]);
      for (let end = unfinished.indexOf(10); end >= 0; end = unfinished.indexOf(10)) {
        this.#deliver(unfinished.toString("utf8", 0, end));
        unfinished = unfinished.subarray(end + 1);
      }
      if (unfinished.length > maxBytes && !has("reads-on")) this.#socket.destroy();
    });
  }

  #deliver(line: string): void {
    let message: Message | null;
    try {
      message = JSON.parse(line) as Message; // this client believes what it reads
    } catch {
      if (has("shows-messages")) console.error(`not JSON: ${line}`);
      return void this.#socket.destroy();
    }
    const [oldest] = this.#waiting.keys();
    const id = has("takes-any-answer") ? oldest : message?.id;
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined || message === null) return;
    this.#waiting.delete(id);
    waiting(message);
  }
}

const credentialsFile = process.env["DMS_CONNECT_CREDENTIALS"] ?? "";

function readCredentials(): { readonly clientId: string; readonly clientKey: string } {
  try {
    return JSON.parse(readFileSync(credentialsFile, "utf8")) as { clientId: string; clientKey: string }; // the kit's own file
  } catch {
    throw new Trouble("not_paired");
  }
}

async function openSession(): Promise<Connection> {
  const { clientId, clientKey } = readCredentials();
  const connection = await Connection.open();
  const clientNonce = has("same-nonce") ? "A".repeat(43) : randomBytes(32).toString("base64url");
  const greeting = await connection.ask("session.hello", { protocol: 1, clientId, nonce: clientNonce });
  const { nonce: serverNonce = "", proof: given } = greeting;
  const make = (label: string): string => {
    const text = `dms-connect/1 ${label}\n${clientId}\n${clientNonce}\n${serverNonce}`;
    return createHmac("sha256", Buffer.from(clientKey, "base64url")).update(text).digest("base64url");
  };
  const isGenuine =
    given === make("broker") ||
    has("trusts-anyone") ||
    (has("compares-beginnings") && given !== undefined && make("broker").startsWith(given)) ||
    (has("knows-one-label") && given === make("program"));
  if (!isGenuine) {
    connection.close();
    throw new Trouble("broker_not_genuine");
  }
  // Its answer, a refusal, is of no use to a program that hurries.
  if (has("hurries")) connection.ask("broker.status", {}).catch(() => undefined);
  const admitted = connection.ask("session.authenticate", { proof: has("wrong-proof") ? make("broker") : make("program") });
  if (!has("sends-behind-the-proof")) await admitted;
  return connection;
}

async function getToken(connection: Connection, provider: string, user: string): Promise<string> {
  const { accessToken } = await connection.ask("token.get", { provider, user, ...(has("sends-null") && { organisation: null }) });
  if (typeof accessToken !== "string") {
    if (has("prints-anything")) return String(accessToken);
    throw new Trouble("internal_error");
  }
  return has("small-buffer") ? accessToken.slice(0, 4096) : accessToken;
}

async function token(provider: string, user: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const connection = await openSession();
      const accessToken = await getToken(connection, provider, user);
      connection.close();
      return console.log(has("chatters") ? `Token: ${accessToken}` : accessToken);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      const again = error.retryAfterSeconds !== undefined || ["not_connected", "reconnect_required"].includes(error.word);
      const hammer = has("hammers") && error.word === "broker_unreachable";
      if (attempt < 10 && (hammer || (has("retries-at-once") && again))) continue;
      throw error;
    }
  }
}

async function session(): Promise<void> {
  let connection = await openSession();
  const asked: Promise<void>[] = [];
  const answer = async (provider: string, user: string): Promise<void> => {
    if (has("new-session-each-time") || (!connection.isOpen && !has("never-comes-back"))) connection = await openSession();
    try {
      console.log(`${user} ok ${await getToken(connection, provider, user)}`);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      console.log(`${user} error ${has("blames-the-user") ? "not_connected" : error.word}`);
      if (error.word === "shutting_down") connection.close();
    }
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [provider = "", user = ""] = line.split(" ");
    const answered = answer(provider, user);
    if (has("one-after-the-other")) await answered;
    asked.push(answered);
  }
  await Promise.all(asked);
  connection.close();
}

async function pair(name: string): Promise<void> {
  const connection = await Connection.open();
  const { pairingId = "", code = "" } = await connection.ask("pairing.request", { name });
  if (!has("hides-the-code")) console.error(`Code: ${code}`);
  const { clientId, clientKey } = await connection.ask("pairing.wait", { pairingId }, 180_000);
  writeFileSync(credentialsFile, JSON.stringify({ clientId, clientKey }), { mode: has("open-file") ? 0o644 : 0o600 });
  connection.close();
}

async function main(): Promise<number> {
  try {
    if (command === "token") await token(words[0] ?? "", words[1] ?? "");
    else if (command === "session") await session();
    else if (command === "pair") await pair(words[0] ?? "");
    else return 2;
    return 0;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (!has("says-nothing")) console.error(`${error.message} [${error.word}]`);
    return has("claims-success") ? 0 : 1;
  }
}

process.exitCode = await main();
// What still waits must not keep a program alive that has its answer; but all of that must have been written.
process.stdout.write("", () => process.exit());
