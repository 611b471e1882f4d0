/** Which proxy the Chromium host uses: as Chromium does on a Linux desktop without settings of its own, by the environment. */
import { environmentProxy, type ProxyEnvironment, proxyName } from "../../cli/doctor-proxy.ts";

export type { ProxyEnvironment } from "../../cli/doctor-proxy.ts";

/** The answer of `session.resolveProxy`, in the form of a PAC file's: `PROXY host:port` or `DIRECT`. */
export function proxyList(url: string, environment: ProxyEnvironment): string {
  const proxy = environmentProxy(new URL(url), environment);
  return proxy === undefined ? "DIRECT" : `PROXY ${proxyName(proxy)}`;
}
