/**
 * A provider that is there by one family of addresses only: IPv6 alone, or a name of which one address refuses (RFC 8305). Over
 * Node's own network stack, with real sockets; on Electron it is Chromium's that chooses, which no test here can exercise.
 */
import dns from "node:dns";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createOAuthClient } from "./oauth-client.ts";
import { sendJson } from "./testing/loopback-provider.ts";
import { mazdaClient, oldGrant, testNowMs } from "./testing/resolved-client.ts";

const never = new AbortController().signal;
const servers: Server[] = [];
const hasIpv6 = await canListen("::1");
if (!hasIpv6) process.stdout.write("skipped: a provider that is there by IPv6 was not exercised: this machine has no IPv6.\n");

afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
});

async function canListen(host: string): Promise<boolean> {
  const server = createTcpServer();
  server.listen(0, host);
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A token endpoint on one address; says which families its callers came by. */
async function providerOn(host: string): Promise<{ readonly port: number; readonly families: readonly (string | undefined)[] }> {
  const families: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    families.push(request.socket.remoteFamily);
    request.resume();
    sendJson(response, 200, { access_token: "new-access", expires_in: 3600 });
  });
  server.listen(0, host);
  await once(server, "listening");
  servers.push(server);
  // A TCP server's address is an object.
  return { port: (server.address() as AddressInfo).port, families };
}

/** Has `localhost` resolve to both families in this order, whatever the machine's own table says. */
function resolveLocalhostTo(...addresses: readonly dns.LookupAddress[]): void {
  const real = dns.lookup;
  const lookup = (hostname: string, options: dns.LookupOptions, callback: (...results: unknown[]) => void): void => {
    if (hostname !== "localhost") return real(hostname, options, callback);
    const [first] = addresses;
    if (options.all === true) callback(null, addresses);
    else callback(null, first?.address, first?.family);
  };
  // Only the form with three arguments is used by `net`.
  vi.spyOn(dns, "lookup").mockImplementation(lookup as typeof dns.lookup);
}

function refreshAt(origin: string) {
  const oauth = createOAuthClient({ fetch: globalThis.fetch, nowMs: () => testNowMs });
  return oauth.refresh(mazdaClient(origin), oldGrant, never);
}

describe.skipIf(!hasIpv6)("a token endpoint", () => {
  it("with an IPv6 address alone is reached", async () => {
    const { port, families } = await providerOn("::1");
    expect(await refreshAt(`http://[::1]:${port}`)).toMatchObject({ kind: "rotated" });
    expect(families).toEqual(["IPv6"]);
  });

  const v4 = { address: "127.0.0.1", family: 4 };
  const v6 = { address: "::1", family: 6 };
  it.each([
    ["IPv4", "127.0.0.1", v6, v4],
    ["IPv6", "::1", v4, v6],
  ] as const)("that answers on %s only is reached by a name whose other address refuses", async (family, host, refusing, answering) => {
    const { port, families } = await providerOn(host);
    resolveLocalhostTo(refusing, answering);
    expect(await refreshAt(`http://localhost:${port}`)).toMatchObject({ kind: "rotated" });
    expect(families).toEqual([family]);
  });

  it("whose addresses all refuse is not-sent", async () => {
    const { port } = await providerOn("::1");
    const [server] = servers.splice(0);
    server?.close();
    await once(server ?? createServer(), "close");
    resolveLocalhostTo(v4, v6);
    expect(await refreshAt(`http://localhost:${port}`)).toMatchObject({ kind: "not-sent", failure: { code: "provider_unreachable" } });
  });
});
