import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { busAnswers } from "./session-bus.ts";
import { temporaryFolder } from "./testing/profile.ts";

const service = "org.freedesktop.secrets";
const timeoutMs = 60;
/** Long enough that a silent bus would fail the test's own deadline. */
const patientMs = 60_000;

/** How a stand-in for the bus behaves once a client is there. */
type Behaviour = (socket: Socket) => void;

async function listening(server: Server, where: string | { port: number; host: string }): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(where, resolve));
  onTestFinished(() => {
    server.close();
  });
  return server;
}

/** Listens on `path` and gives the environment of its clients. */
async function bus(behaviour: Behaviour, path = join(temporaryFolder(), "bus")) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    behaviour(socket);
  });
  await listening(server, path);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
}

/** A message without a body: type 2 answers, type 3 refuses, type 4 is a signal. */
function message(type: number, repliesTo: number | undefined, order: "l" | "B" = "l"): Buffer {
  const bytes = Buffer.alloc(repliesTo === undefined ? 16 : 24);
  const write = (value: number, at: number) => (order === "l" ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at));
  bytes.write(order, 0, "latin1");
  bytes.set([type, 0, 1], 1);
  write(7, 8);
  if (repliesTo !== undefined) {
    write(8, 12);
    bytes.set([5, 1, 0x75, 0], 16);
    write(repliesTo, 20);
  }
  return bytes;
}

/** Authenticates its client, then sends `answers` when it has heard the hello and the ping. */
function answering(answers: readonly Buffer[], byByte = false): Behaviour {
  return (socket) => {
    let heard = "";
    let greeted = false;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString("latin1");
      if (!greeted && /^\0AUTH EXTERNAL [0-9a-f]+\r\n/.test(heard)) {
        greeted = true;
        socket.write("OK 0123456789abcdef\r\n");
      }
      if (!heard.includes("BEGIN\r\n") || !heard.includes("Ping") || !heard.includes(service)) return;
      for (const answer of answers) {
        for (const part of byByte ? answer : [answer]) socket.write(typeof part === "number" ? Buffer.of(part) : part);
      }
    });
  };
}

const welcome = [message(2, 1), message(4, undefined)];

describe.skipIf(process.platform === "win32")("the session bus answers", () => {
  it.each<[string, Behaviour]>([
    ["the service does", answering([...welcome, message(2, 2)])],
    ["the service does in little pieces", answering([...welcome, message(2, 2)], true)],
    ["the service does in the other byte order", answering([...welcome, message(3, 2, "B")])],
    ["the bus says that there is no such service", answering([...welcome, message(3, 2)])],
    ["the bus refuses the authentication", (socket) => socket.write("REJECTED DBUS_COOKIE_SHA1\r\n")],
    ["the bus sends what is no message", answering([Buffer.from("x".repeat(100))])],
    ["the bus announces a message without end", answering([Buffer.from("6c02000100ffffff0700000000000000", "hex")])],
    ["the bus hangs up", (socket) => socket.destroy()],
  ])("when %s", async (_what, behaviour) => {
    expect(await busAnswers(service, patientMs, await bus(behaviour))).toBe(true);
  });

  it.each<[string, Behaviour]>([
    ["accepts connections and says nothing", () => {}],
    ["authenticates and says nothing more", answering([])],
    ["greets, and the service says nothing", answering(welcome)],
    ["lets its answer end in the middle", answering([...welcome, message(2, 2).subarray(0, 20)])],
  ])("not when the bus %s", async (_what, behaviour) => {
    expect(await busAnswers(service, timeoutMs, await bus(behaviour))).toBe(false);
  });
});

describe.skipIf(process.platform === "win32")("the address of the session bus", () => {
  const silent: Behaviour = () => {};

  it.each([
    ["none at all", {}],
    ["one where nobody listens", { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" }],
    ["one of a kind that is not known here", { DBUS_SESSION_BUS_ADDRESS: "launchd:env=DBUS_LAUNCHD_SESSION_BUS_SOCKET" }],
    ["one that makes no sense", { DBUS_SESSION_BUS_ADDRESS: ";;unix:;tcp:host=;=,:" }],
    ["a runtime folder without a bus", { XDG_RUNTIME_DIR: "/nonexistent" }],
  ])("may be %s: the library is left to say so", async (_what, environment) => {
    expect(await busAnswers(service, timeoutMs, environment)).toBe(true);
  });

  it("may be the second in a list", async () => {
    const { DBUS_SESSION_BUS_ADDRESS: address } = await bus(silent);
    expect(await busAnswers(service, timeoutMs, { DBUS_SESSION_BUS_ADDRESS: `unix:path=/nonexistent/bus,guid=00;${address}` })).toBe(false);
  });

  it("may have escaped characters", async () => {
    const path = join(temporaryFolder(), "the bus");
    await bus(silent, path);
    expect(await busAnswers(service, timeoutMs, { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path.replace(" ", "%20")}` })).toBe(false);
  });

  it("may be the usual one in the runtime folder", async () => {
    const folder = temporaryFolder();
    await bus(silent, join(folder, "bus"));
    expect(await busAnswers(service, timeoutMs, { XDG_RUNTIME_DIR: folder })).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("may be an abstract one", async () => {
    const name = `dms-connect-test-${process.pid}`;
    await bus(silent, `\0${name}`);
    expect(await busAnswers(service, timeoutMs, { DBUS_SESSION_BUS_ADDRESS: `unix:abstract=${name}` })).toBe(false);
  });

  it("may be a port", async () => {
    const server = await listening(createServer(), { port: 0, host: "127.0.0.1" });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    expect(await busAnswers(service, timeoutMs, { DBUS_SESSION_BUS_ADDRESS: `tcp:host=127.0.0.1,port=${address.port}` })).toBe(false);
  });
});
