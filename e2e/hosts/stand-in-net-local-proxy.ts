/** A real forward proxy on loopback that may want Basic authentication (RFC 7617). For tests only. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface LocalProxy {
  /** As `HTTPS_PROXY` takes it. */
  readonly url: string;
  /** Host and port, as `proxy_sign_in_needed` names it. */
  readonly name: string;
  /** What came in, each with the `Proxy-Authorization` it had: "CONNECT host:port", or method and whole address. */
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined }[];
  readonly close: () => Promise<void>;
}

export interface LocalProxyOptions {
  /** Wanted from everybody; absent: none is. */
  readonly signIn?: { readonly userName: string; readonly password: string };
  /** What it offers in `Proxy-Authenticate`; Basic. */
  readonly challenge?: string;
  /** Names that only this proxy knows, and the local ports behind them. */
  readonly hosts?: Readonly<Record<string, number>>;
}

/** Starts it on a free port. */
export async function startLocalProxy(options: LocalProxyOptions = {}): Promise<LocalProxy> {
  const requests: { line: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const isAllowed = ({ method, url, headers }: IncomingMessage): boolean => {
    const authorization = headers["proxy-authorization"];
    requests.push({ line: `${method} ${url}`, authorization });
    if (options.signIn === undefined) return true;
    const { userName, password } = options.signIn;
    return authorization === `Basic ${Buffer.from(`${userName}:${password}`).toString("base64")}`;
  };
  const challenge = options.challenge ?? 'Basic realm="dealer"';
  const portOf = (target: URL): number => options.hosts?.[target.hostname] ?? Number(target.port || 80);
  const server = createServer((incoming, response) => {
    if (isAllowed(incoming)) forward(incoming, response, portOf(new URL(incoming.url ?? "")));
    else response.writeHead(407, { "proxy-authenticate": challenge }).end("<html>Sign in</html>");
  });
  server.on("connection", (socket) => sockets.add(socket.on("error", () => undefined)));
  server.on("connect", (incoming: IncomingMessage, socket: Socket) => {
    if (isAllowed(incoming)) sockets.add(tunnel(socket, portOf(new URL(`http://${incoming.url}`))));
    else socket.end(`HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: ${challenge}\r\ncontent-length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is an object.
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${name}`,
    name,
    requests,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

function tunnel(socket: Socket, port: number): Socket {
  const upstream = connect(port, "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    upstream.pipe(socket).pipe(upstream);
  });
  upstream.on("error", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
  return upstream;
}

function forward(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = incoming;
  const { "proxy-authorization": _, ...passedOn } = headers;
  const { pathname, search } = new URL(url ?? "");
  const outgoing = request({ host: "127.0.0.1", port, method, path: pathname + search, headers: passedOn }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  incoming.pipe(outgoing);
}
