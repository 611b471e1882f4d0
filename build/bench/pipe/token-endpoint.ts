/** The provider of the bench: a token endpoint in the bench's own process, so that its answers and the clients' have one clock. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { newAccessToken } from "./token-text.ts";

export interface TokenEndpoint {
  readonly url: string;
  /** How long an answer takes from now on. */
  delayMs: number;
  /** When each answer so far was sent, in milliseconds of `performance.now()`. */
  readonly answeredAtMs: readonly number[];
  readonly close: () => Promise<void>;
}

/** Listens on a free port of 127.0.0.1; every refresh gets a new token of 1.2 kB. */
export async function startTokenEndpoint(): Promise<TokenEndpoint> {
  const answeredAtMs: number[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      void delay(endpoint.delayMs).then(() => {
        answeredAtMs.push(performance.now());
        const tokens = { access_token: newAccessToken(), refresh_token: newAccessToken(), token_type: "Bearer", expires_in: 3600 };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(tokens));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const endpoint: TokenEndpoint = { url: `http://127.0.0.1:${port}/token`, delayMs: 0, answeredAtMs, close };
  return endpoint;
}
