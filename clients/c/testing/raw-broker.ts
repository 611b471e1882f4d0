/**
 * A broker whose bytes a test chooses, one request at a time.
 *
 * Invariant: it ends with its test, and so do its connections.
 */
import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { makeProof } from "../../../cli/conformance/scripted-broker.ts";
import { knownClient, pipeIn, someConnection, someToken } from "../../../electron/pipe/testing/fake-broker.ts";
import { temporaryFolder } from "./c-library.ts";

const { clientId, clientKey } = knownClient;
const serverNonce = Buffer.alloc(32, 9).toString("base64url");

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The bytes that answer a request; the connection ends after them if `end`. */
export interface Reply {
  readonly bytes: Buffer | string;
  readonly end?: boolean;
}

/** The right answer to each request. */
export function rightAnswer({ id, method, params }: Request): Buffer {
  return Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id, result: rightResult(method, params) })}\n`);
}

function rightResult(method: string, params: Request["params"]): object {
  if (method === "session.hello") {
    const nonces = { clientNonce: String(params["nonce"]), serverNonce };
    return { nonce: serverNonce, proof: makeProof("broker", knownClient, nonces) };
  }
  if (method === "session.authenticate") return { name: "DMS Connect", version: "1.2.3" };
  if (method === "pairing.request") return { pairingId: "p-1", code: "123456", expiresInSeconds: 120 };
  if (method === "pairing.wait") return { clientId, clientKey };
  if (method === "connection.list") return { connections: [someConnection] };
  return someToken;
}

/** Listens on a pipe of its own; gives its name. */
export async function startRawBroker(reply: (request: Request, socket: Socket) => Reply): Promise<string> {
  const pipe = pipeIn(temporaryFolder());
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let unfinished = "";
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      const lines = (unfinished + data.toString()).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) {
        // The library's own requests: their form is tested elsewhere.
        const { bytes, end } = reply(JSON.parse(line) as Request, socket);
        if (end === true) socket.end(bytes);
        else socket.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(pipe, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return pipe;
}
