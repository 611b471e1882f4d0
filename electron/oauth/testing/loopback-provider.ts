/** Small real servers that stand in for a provider in the tests of this folder. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import type { LoopbackCertificate } from "../loopback-listener.ts";

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly form: URLSearchParams;
}

export interface LoopbackProvider {
  readonly origin: string;
  readonly requests: readonly ReceivedRequest[];
  readonly close: () => Promise<void>;
}

/** Answers each request, once it was read completely, with `respond`. */
export async function startProvider(
  respond: (response: ServerResponse, request: ReceivedRequest) => void,
  certificate?: LoopbackCertificate,
): Promise<LoopbackProvider> {
  const requests: ReceivedRequest[] = [];
  const listener: RequestListener = (incoming, response) => {
    let body = "";
    incoming.setEncoding("utf8");
    incoming.on("data", (chunk: string) => {
      body += chunk;
    });
    incoming.on("end", () => {
      const request = { path: incoming.url ?? "", headers: incoming.headers, body, form: new URLSearchParams(body) };
      requests.push(request);
      respond(response, request);
    });
  };
  const server =
    certificate === undefined
      ? createServer(listener)
      : createHttpsServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem }, listener);
  const origin = await listen(server, certificate === undefined ? "http" : "https");
  return { origin, requests, close: () => closeServer(server) };
}

/** Hands each connection's bytes so far to `onData`, for answers no http server would give. */
export async function startRawServer(onData: (socket: Socket, received: string) => void): Promise<LoopbackProvider> {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    let received = "";
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      onData(socket, received);
    });
  });
  const origin = await listen(server, "http");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return closeServer(server);
  };
  return { origin, requests: [], close };
}

/** An origin on which nobody listens. */
export async function closedOrigin(): Promise<string> {
  const server = await startRawServer(() => undefined);
  await server.close();
  return server.origin;
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "content-type": "application/json;charset=UTF-8", ...headers }).end(JSON.stringify(body));
}

async function listen(server: Server | RawServer, scheme: string): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return `${scheme}://127.0.0.1:${port}`;
}

async function closeServer(server: Server | RawServer): Promise<void> {
  const closed = once(server, "close");
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
  await closed;
}
