/** A loopback port for what must be registered before it is listened on, such as a redirect URI. */
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** A port of 127.0.0.1 that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  const server = await occupy(0);
  const port = boundPort(server);
  server.close();
  await once(server, "close");
  return port;
}

/** Takes `port` of 127.0.0.1 (0: any), as another program would, until the server is closed. */
export async function occupy(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Whether somebody listens on `port` of 127.0.0.1. */
export async function isTaken(port: number): Promise<boolean> {
  try {
    const server = await occupy(port);
    server.close();
    await once(server, "close");
    return false;
  } catch {
    return true;
  }
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address with a port");
  return address.port;
}
