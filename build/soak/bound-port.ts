import type { Server } from "node:net";

/** The port that a server listens on. Throws if it does not listen on TCP. */
export function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no TCP address");
  return address.port;
}
