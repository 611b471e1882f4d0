/**
 * Opens and closes the one socket of a stand-in provider. Invariant: it is reachable on 127.0.0.1 only,
 * and `close` leaves neither the port nor a connection behind.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { generate } from "selfsigned";

export interface ListenOptions {
  readonly protocol: "https" | "http";
  /** 0 lets the system choose. */
  readonly port: number;
  /** Asked for every connection and request; `true` cuts it before a byte is answered. */
  readonly refuse: () => boolean;
  /** Added to the `Date` header of every answer. */
  readonly dateOffsetSeconds: () => number;
}

export interface LoopbackListener {
  /** For example `https://127.0.0.1:43117`, without a slash at the end. */
  readonly origin: string;
  /** The public certificate to trust; only with https. */
  readonly certificatePem?: string;
  readonly close: () => Promise<void>;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Listens on 127.0.0.1.
 *
 * @param options protocol, port, and whether to cut connections
 * @param handler answers each request; what it throws becomes an empty 500
 * @returns origin, certificate and `close`
 * @throws when the port is taken
 */
export async function listenOnLoopback(options: ListenOptions, handler: RequestHandler): Promise<LoopbackListener> {
  const certificate = options.protocol === "https" ? await makeCertificate() : undefined;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (options.refuse()) {
      request.socket.destroy();
      return;
    }
    const offsetMs = options.dateOffsetSeconds() * 1000;
    if (offsetMs !== 0) response.setHeader("Date", new Date(Date.now() + offsetMs).toUTCString());
    handler(request, response).catch(() => answerFault(response));
  };
  const server: Server =
    certificate === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ cert: certificate.certificatePem, key: certificate.keyPem }, listener);
  // "connection" comes before the TLS handshake, so a refused https client has sent no request yet.
  server.on("connection", (socket) => {
    if (options.refuse()) socket.destroy();
  });
  await startListening(server, options.port);
  return {
    origin: `${options.protocol}://127.0.0.1:${boundPort(server)}`,
    ...(certificate === undefined ? {} : { certificatePem: certificate.certificatePem }),
    close: () => closeServer(server),
  };
}

async function startListening(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", () => {
    server.off("error", reject);
    resolve();
  });
  await promise;
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no TCP address");
  return address.port;
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

function answerFault(response: ServerResponse): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(500).end();
}

async function makeCertificate(): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const made = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    // A day back, so that a slightly slow clock still accepts it.
    notBeforeDate: new Date(Date.now() - dayMs),
    notAfterDate: new Date(Date.now() + 90 * dayMs),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { certificatePem: made.cert, keyPem: made.private };
}
