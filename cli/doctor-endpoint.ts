/** One endpoint, step by step. Invariant: after the first step that fails the later ones are skipped, and every connection is ended. */
import type { Socket } from "node:net";
import { isLoopbackHost } from "../electron/shell/loopback-host.ts";
import { checkAnswer, judgeClock } from "./doctor-answer.ts";
import { type Check, fail, ok, skipped } from "./doctor-check.ts";
import { checkConnection, checkName, type DoctorRoute } from "./doctor-connection.ts";
import { environmentProxy, type ProxyEnvironment } from "./doctor-proxy.ts";
import { checkEncryption, type TrustedRoots } from "./doctor-tls.ts";

export interface DoctorNetwork {
  readonly environment: ProxyEnvironment;
  readonly roots: TrustedRoots;
  readonly nowMs: () => number;
  /** For each step, in milliseconds. */
  readonly timeoutMs: number;
}

/** Checks that its server is there and to be trusted; of a token endpoint also what it answers, and the clock. */
export async function checkEndpoint(
  { label, address, isTokenEndpoint }: { readonly label: string; readonly address: string; readonly isTokenEndpoint: boolean },
  network: DoctorNetwork,
): Promise<readonly Check[]> {
  const names = ["name", "connection", "encryption", ...(isTokenEndpoint ? ["answer", "clock"] : [])].map((step) => `${label}, ${step}`);
  const found = await runSteps(names, address, network);
  return [...found, ...skipped(names.slice(found.length))];
}

/** The steps up to the first that fails. */
async function runSteps(names: readonly string[], address: string, network: DoctorNetwork): Promise<readonly Check[]> {
  const [name = "", connection = "", encryption = "", answer, clock = ""] = names;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isAllowed(url)) {
    return [fail(name, "the address is neither https nor on this computer", "Correct the endpoints in the registration.")];
  }
  const route: DoctorRoute = { url, proxy: environmentProxy(url, network.environment), timeoutMs: network.timeoutMs };
  const named = await checkName(name, route);
  if (named.outcome !== "ok") return [named];
  const connected = await checkConnection(connection, route);
  if (connected.socket === undefined) return [named, connected.check];
  const secured = await secure(encryption, connected.socket, route, network);
  const way = [named, connected.check, secured.check];
  if (secured.socket === undefined) return way;
  try {
    if (answer === undefined) return way;
    const answered = await checkAnswer(answer, secured.socket, route, network.nowMs);
    if (answered.check.outcome !== "ok") return [...way, answered.check];
    const judged = answered.aheadMs === undefined ? ok(clock, "not told by the provider") : judgeClock(clock, answered.aheadMs);
    return [...way, answered.check, judged];
  } finally {
    secured.socket.destroy();
  }
}

async function secure(
  name: string,
  socket: Socket,
  route: DoctorRoute,
  { roots, nowMs }: DoctorNetwork,
): Promise<{ readonly check: Check; readonly socket?: Socket }> {
  if (route.url.protocol === "https:") return checkEncryption(name, socket, route, roots, nowMs());
  return { socket, check: ok(name, "none, and none needed: it is on this computer") };
}

/** As the broker itself does it: credentials go to https or stay on this computer. */
function isAllowed({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}
