/**
 * The computer's way to the internet, as Electron sees it. Electron's main process has no event for a network that comes or
 * goes, so it is asked now and then.
 *
 * Invariant: nothing is sent to anybody but the name servers (and to wherever the system's proxy script comes from).
 */
import { isIP } from "node:net";
import type { Net, Session } from "electron";
import type { Network } from "../core/ports.ts";
import { isLoopbackHost } from "./loopback-host.ts";

export interface NetworkWatchParts {
  readonly net: Pick<Net, "isOnline" | "resolveHost">;
  readonly session: Pick<Session, "resolveProxy">;
}

/** Asking costs less than a microsecond; a person who plugs a cable in looks at the window for longer than this. */
const pollMs = 3_000;

/** Watches only while somebody listens. */
export function createNetworkWatch({ net, session }: NetworkWatchParts): Network {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let wasOnline = net.isOnline();
  const poll = (): void => {
    const isOnline = net.isOnline();
    if (isOnline === wasOnline) return;
    wasOnline = isOnline;
    for (const listener of listeners) listener();
  };
  return {
    isOnline: () => net.isOnline(),
    canReach: async (url, signal) => !signal.aborted && untilAborted(canReach({ net, session }, url), signal),
    onChanged: (listener) => {
      // The same function twice must be two listeners.
      const own = (): void => listener();
      if (listeners.size === 0) {
        wasOnline = net.isOnline();
        timer = setInterval(poll, pollMs);
        timer.unref();
      }
      listeners.add(own);
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) clearInterval(timer);
      };
    },
  };
}

async function canReach({ net, session }: NetworkWatchParts, url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  if (needsNoName(hostname)) return true;
  // A proxy that cannot be found out is one that cannot be used.
  const ways = await session.resolveProxy(url).catch(() => "DIRECT");
  for (const host of firstHosts(ways, hostname)) {
    if (needsNoName(host) || (await resolves(net, host))) return true;
  }
  return false;
}

/**
 * The host that must be reached first, on each way in turn.
 *
 * @param ways as a proxy script answers: `PROXY proxy.example:8080; SOCKS5 [::1]:1080; DIRECT`
 */
function firstHosts(ways: string, hostname: string): readonly string[] {
  const hosts = ways.split(";").flatMap((way) => {
    const [kind = "", address = ""] = way.trim().split(/\s+/);
    if (kind.toUpperCase() === "DIRECT") return [hostname];
    const host = URL.canParse(`proxy://${address}`) ? new URL(`proxy://${address}`).hostname : "";
    return host === "" ? [] : [host];
  });
  return hosts.length === 0 ? [hostname] : hosts;
}

function needsNoName(hostname: string): boolean {
  return isLoopbackHost(hostname) || isIP(hostname.replaceAll(/^\[|\]$/g, "")) !== 0;
}

/** Asked anew each time: what was known before the computer slept says nothing about the network it woke up in. */
async function resolves(net: NetworkWatchParts["net"], host: string): Promise<boolean> {
  try {
    const { endpoints } = await net.resolveHost(host, { cacheUsage: "disallowed" });
    return endpoints.length > 0;
  } catch {
    return false;
  }
}

/** Electron cannot take a question back: its answer is not waited for any longer. */
async function untilAborted(answer: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const aborted = Promise.withResolvers<boolean>();
  const stop = (): void => aborted.resolve(false);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
