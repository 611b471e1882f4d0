/**
 * One listening socket on loopback. Invariant: when `openListener` succeeds, a request to the address
 * provably reaches this process; after `stop` the port is closed and no connection outlives a second.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { err, ok, type Result } from "../../shared/result.ts";
import { type Probe, probePath } from "./loopback-probe.ts";

export interface LoopbackCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface ListenerOptions {
  readonly scheme: "http" | "https";
  readonly address: "127.0.0.1" | "::1";
  /** 0 for any free one. */
  readonly port: number;
  /** For https. */
  readonly certificate: LoopbackCertificate | undefined;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly probe: Probe;
  /** A client that has not sent its headers by then is cut. */
  readonly headersTimeoutMs: number;
}

export interface LoopbackListener {
  readonly port: number;
  /** Closes the port at once; answers being sent have a second to leave. */
  readonly stop: () => void;
}

/** Why listening failed: the system's code (`EADDRINUSE`, `EACCES`, …), or `foreign-answer` when another program got the probe. */
export type ListenFault = string;

/** A browser opens a few; more at once is no browser. */
const maxConnections = 64;
const lingerMs = 1_000;

/** Listens and asks itself for a secret word, since on Windows two programs can hold one port. */
export async function openListener(options: ListenerOptions): Promise<Result<LoopbackListener, ListenFault>> {
  const nonce = randomBytes(16).toString("base64url");
  const proof = randomBytes(16).toString("base64url");
  const server = makeServer(options, (request, response) => {
    if (request.url === probePath(nonce)) response.writeHead(200, { Connection: "close" }).end(proof);
    else options.onRequest(request, response);
  });
  const stop = stopper(server);
  const fault = await listen(server, options);
  if (fault !== undefined) return err(fault);
  const port = boundPort(server);
  const { scheme, address, certificate } = options;
  const isOurs = await options.probe({ scheme, address, port, nonce, proof, certificatePem: certificate?.certificatePem });
  if (isOurs) return ok({ port, stop });
  stop();
  return err("foreign-answer");
}

function makeServer(options: ListenerOptions, onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const limits: ServerOptions = {
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.headersTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, options.headersTimeoutMs),
    // Above the limit of `callback-request.ts`, so that a long address still gets a page.
    maxHeaderSize: 64 * 1024,
  };
  const server = options.scheme === "https" ? makeHttpsServer(options, limits, onRequest) : createHttpServer(limits, onRequest);
  server.maxConnections = maxConnections;
  // Slow, broken and oversized requests: nobody to explain anything to.
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

function makeHttpsServer(
  options: ListenerOptions,
  limits: ServerOptions,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  if (options.certificate === undefined) throw new Error("an https listener needs a certificate");
  const { certificatePem, privateKeyPem } = options.certificate;
  const tls = { cert: certificatePem, key: privateKeyPem, minVersion: "TLSv1.2", handshakeTimeout: options.headersTimeoutMs } as const;
  return createHttpsServer({ ...limits, ...tls }, onRequest);
}

async function listen(server: Server, options: ListenerOptions): Promise<ListenFault | undefined> {
  try {
    server.listen({ host: options.address, port: options.port, exclusive: true });
    await once(server, "listening");
    // Later errors (no more file descriptors, …) only concern single connections.
    server.on("error", () => undefined);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
  }
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  return address.port;
}

/** Tracks raw sockets itself: those in a TLS handshake are on no list of the http server. */
function stopper(server: Server): () => void {
  const sockets = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  let isStopped = false;
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    answering.add(response);
    request.socket.once("close", () => {
      answering.delete(response);
      if (isStopped && answering.size === 0) destroyAll();
    });
  });
  return () => {
    if (isStopped) return;
    isStopped = true;
    server.close();
    const isAnswerLeaving = [...answering].some((response) => response.writableEnded);
    if (!isAnswerLeaving) return destroyAll();
    setTimeout(destroyAll, lingerMs).unref();
  };
}
