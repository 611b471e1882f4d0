/** The way to an endpoint's server: its name, a connection, and the proxy between, if the environment names one. */
import { lookup } from "node:dns/promises";
import { type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { type Check, fail, ok } from "./doctor-check.ts";
import { proxyName } from "./doctor-proxy.ts";

/** What the steps go by. */
export interface DoctorRoute {
  readonly url: URL;
  readonly proxy: URL | undefined;
  /** For each step, in milliseconds. */
  readonly timeoutMs: number;
}

const ownProxy =
  "If this computer uses a proxy, DMS Connect finds it in the system's settings, and this command only in HTTPS_PROXY: set it and try again.";

const otherProxy =
  "That says nothing about DMS Connect, which goes by the system's settings. If the proxy has an http:// address, too, set HTTPS_PROXY to it and try again.";

/** Whether the name is known, or a proxy is there to know it. */
export async function checkName(name: string, { url, proxy, timeoutMs }: DoctorRoute): Promise<Check> {
  if (proxy !== undefined) return ok(name, `${url.hostname}, looked up by the proxy ${proxyName(proxy)} of the environment`);
  const host = bareHost(url);
  try {
    const found = await inTime(lookup(host, { all: true }), timeoutMs);
    return ok(name, `${host} is ${found.map(({ address }) => address).join(", ")}`);
  } catch (error) {
    const remedy = `Check the internet connection and the address of the DNS server. ${ownProxy}`;
    return fail(name, `${host} was not found (${errorWord(error)})`, remedy);
  }
}

export type Connected = { readonly check: Check; readonly socket?: Socket };

/** Opens a connection to the server, through the proxy if there is one. The caller ends it. */
export async function checkConnection(name: string, route: DoctorRoute): Promise<Connected> {
  const { url, proxy } = route;
  if (proxy !== undefined && proxy.protocol !== "http:") {
    const found = `the proxy ${proxyName(proxy)} is reached by ${proxy.protocol}//, and this command knows http:// proxies only`;
    return { check: fail(name, found, otherProxy) };
  }
  try {
    return proxy === undefined ? await direct(name, route) : await throughProxy(name, proxy, route);
  } catch (error) {
    if (proxy !== undefined) {
      const remedy = "Check the address in HTTPS_PROXY, and whether the proxy runs.";
      return { check: fail(name, `the proxy ${proxyName(proxy)} does not answer (${errorWord(error)})`, remedy) };
    }
    const remedy = `A firewall may be in the way: ask your administrator to let this computer connect to ${url.host}. ${ownProxy}`;
    return { check: fail(name, `no connection to ${url.hostname}, port ${portOf(url)} (${errorWord(error)})`, remedy) };
  }
}

/** Opens the way once more, for a second try at TLS. Throws. */
export async function openSocket(route: DoctorRoute): Promise<Socket> {
  const { socket } = await checkConnection("", route);
  if (socket === undefined) throw new Error("the connection that was just there is gone");
  return socket;
}

async function direct(name: string, { url, timeoutMs }: DoctorRoute): Promise<Connected> {
  // Node tries the addresses of both families in turn (RFC 8305).
  const socket = connect({ host: bareHost(url), port: portOf(url) });
  await untilReady(socket, "connect", timeoutMs);
  return { socket, check: ok(name, `${socket.remoteAddress} (${socket.remoteFamily}), port ${portOf(url)}`) };
}

/** RFC 9110 section 9.3.6. */
async function throughProxy(name: string, proxy: URL, { url, timeoutMs }: DoctorRoute): Promise<Connected> {
  const target = `${url.hostname}:${portOf(url)}`;
  const outgoing = request(proxy, { method: "CONNECT", path: target, headers: { host: target, ...proxySignIn(proxy) }, agent: false });
  const answered = new Promise<{ readonly status: number; readonly socket: Socket }>((resolve, reject) => {
    outgoing.once("connect", ({ statusCode }: IncomingMessage, socket: Socket) => resolve({ status: statusCode ?? 0, socket }));
    outgoing.once("error", reject);
  });
  outgoing.end();
  const { status, socket } = await inTime(answered, timeoutMs, () => outgoing.destroy());
  if (status === 200) return { socket, check: ok(name, `the proxy ${proxyName(proxy)} lets ${target} through`) };
  socket.destroy();
  const signIn = "Open DMS Connect and click Sign in to the proxy. For this command, write user name and password into HTTPS_PROXY.";
  if (status === 407) return { check: fail(name, `the proxy ${proxyName(proxy)} wants a user name and a password`, signIn) };
  const remedy = `Ask your administrator to let this computer connect to ${target} through the proxy.`;
  return { check: fail(name, `the proxy ${proxyName(proxy)} refuses ${target} (status ${status})`, remedy) };
}

function proxySignIn({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

/** Waits for an event of a socket; destroys it when it fails or takes too long. */
export async function untilReady(socket: Socket, event: "connect" | "secureConnect", timeoutMs: number): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    // Stays: a connection that breaks later must not end the command.
    socket.on("error", reject);
    socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  });
  await inTime(ready, timeoutMs, () => socket.destroy());
}

/** Rejects with `timed out` after `timeoutMs`; `onFailed` lets go of what is being waited for. */
export async function inTime<T>(waited: Promise<T>, timeoutMs: number, onFailed: () => unknown = () => undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("timed out"), { code: "no answer in time" })), timeoutMs);
  });
  try {
    return await Promise.race([waited, late]);
  } catch (error) {
    onFailed();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The word of an error that a person can look up; of several addresses, that of the first. */
export function errorWord(error: unknown): string {
  if (typeof error !== "object" || error === null) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}

/** An IPv6 address without its brackets. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}
