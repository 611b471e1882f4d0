/**
 * The proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, also in small letters), as most programs without
 * Chromium's network stack go by. The system's own settings and PAC files are not read here.
 */
import { isLoopbackHost } from "../electron/shell/loopback-host.ts";

export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** @returns the proxy for a URL; undefined when there is none, it is passed by, or its address cannot be read */
export function environmentProxy(url: URL, environment: ProxyEnvironment): URL | undefined {
  const scheme = url.protocol === "https:" ? "https" : "http";
  const setting = environment[`${scheme}_proxy`] ?? environment[`${scheme.toUpperCase()}_PROXY`] ?? "";
  if (setting === "" || isPassedBy(url, environment["no_proxy"] ?? environment["NO_PROXY"] ?? "")) return undefined;
  const address = setting.includes("://") ? setting : `http://${setting}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** What is not here is SOCKS. */
const usualPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Host and port: never the sign-in that may stand in the address. */
export function proxyName(proxy: URL): string {
  return `${proxy.hostname}:${proxy.port || (usualPorts[proxy.protocol] ?? 1080)}`;
}

function isPassedBy({ hostname, port }: URL, list: string): boolean {
  // As Chromium does without being told.
  if (isLoopbackHost(hostname)) return true;
  return list
    .split(",")
    .map((entry) => entry.trim().replace(/^\*?\./, ""))
    .some((entry) => entry === "*" || (entry !== "" && matches(entry, hostname, port)));
}

function matches(entry: string, hostname: string, port: string): boolean {
  const [name = "", onlyPort = port] = entry.split(":");
  return onlyPort === port && (hostname === name || hostname.endsWith(`.${name}`));
}
