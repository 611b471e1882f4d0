/**
 * Asks whether the D-Bus session bus, and a service on it, answers.
 *
 * Why: the keyring library connects in a constructor, on the thread that calls it. A bus that accepts the connection and
 * says nothing would stop the whole process for good, a service that is stopped for two seconds at each call (both measured).
 * Here the same questions are asked without waiting for them on the thread.
 *
 * Invariant: only silence counts. Whoever answers, be it with an error, is left to the library.
 */
import { existsSync } from "node:fs";
import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import { join } from "node:path";
import { type DbusCall, encodeCall, takeMessage } from "./dbus-message.ts";

/** Addresses of the session bus, as the D-Bus specification ("Server Addresses") and libdbus look for them. */
export type BusEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * False when the bus, or the service `destination` that it starts if need be, stays silent for `timeoutMs`. True when there is
 * no bus, or one that is reached in a way not known here.
 */
export async function busAnswers(destination: string, timeoutMs: number, environment: BusEnvironment = process.env): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (const address of addressesOf(environment)) {
    const outcome = await ask(address, destination, Math.max(1, deadline - Date.now()));
    if (outcome !== "no connection") return outcome === "answered";
  }
  return true;
}

function addressesOf(environment: BusEnvironment): readonly NetConnectOpts[] {
  const listed = environment["DBUS_SESSION_BUS_ADDRESS"];
  if (listed !== undefined) return listed.split(";").flatMap(parseAddress);
  const runtimeFolder = environment["XDG_RUNTIME_DIR"];
  const usual = runtimeFolder === undefined ? undefined : join(runtimeFolder, "bus");
  return usual !== undefined && existsSync(usual) ? [{ path: usual }] : [];
}

/** `unix:path=…`, `unix:abstract=…` and `tcp:host=…,port=…`. */
function parseAddress(text: string): readonly NetConnectOpts[] {
  const [transport, list = ""] = text.split(":", 2);
  const values = new Map(list.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), unescaped(pair.slice(pair.indexOf("=") + 1))]));
  const path = values.get("path");
  const abstract = values.get("abstract");
  const port = Number(values.get("port"));
  if (transport === "unix" && path !== undefined) return [{ path }];
  if (transport === "unix" && abstract !== undefined) return [{ path: `\0${abstract}` }];
  return transport === "tcp" && port > 0 && port < 65_536 ? [{ host: values.get("host") ?? "localhost", port }] : [];
}

function unescaped(value: string): string {
  return value.replace(/%([0-9a-f]{2})/gi, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

type Answer = "answered" | "silent" | "no connection";

/** One connection: authenticates, says hello and pings the service. */
function ask(address: NetConnectOpts, destination: string, timeoutMs: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const socket = createConnection(address);
  const timer = setTimeout(resolve, timeoutMs, "silent" satisfies Answer);
  let connected = false;
  socket.once("connect", () => {
    connected = true;
    converse(socket, destination, () => resolve("answered"));
  });
  // A connection that is refused or cut costs the library no time either.
  socket.on("error", () => resolve(connected ? "answered" : "no connection"));
  socket.on("close", () => resolve(connected ? "answered" : "no connection"));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

const helloSerial = 1;
const pingSerial = 2;

/** D-Bus specification, "Authentication Protocol": a NUL byte, then lines; after BEGIN, messages. */
function converse(socket: Socket, destination: string, answered: () => void): void {
  let received: Buffer = Buffer.alloc(0);
  let authenticated = false;
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!authenticated) {
      const lineEnd = received.indexOf("\r\n");
      if (lineEnd < 0) return;
      if (!received.subarray(0, lineEnd).toString("latin1").startsWith("OK ")) return answered();
      authenticated = true;
      received = received.subarray(lineEnd + 2);
      socket.write(Buffer.concat([Buffer.from("BEGIN\r\n"), encodeCall(hello), encodeCall(pingOf(destination))]));
    }
    received = afterMessages(received, answered);
  });
  const userId = String(process.getuid?.() ?? "");
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(userId).toString("hex")}\r\n`);
}

const hello: DbusCall = {
  serial: helloSerial,
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "Hello",
};

function pingOf(destination: string): DbusCall {
  return { serial: pingSerial, destination, path: "/", interface: "org.freedesktop.DBus.Peer", member: "Ping" };
}

function afterMessages(bytes: Buffer, answered: () => void): Buffer {
  let rest = bytes;
  for (let message = takeMessage(rest); message !== undefined; message = takeMessage(rest)) {
    if (message === "unknown" || message.repliesTo === pingSerial) {
      answered();
      return Buffer.alloc(0);
    }
    rest = message.rest;
  }
  return rest;
}
