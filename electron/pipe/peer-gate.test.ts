/** Who may connect to the Unix socket, shown with real processes on a real server. Windows has an access list instead. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, realpath, rename, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { release } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ok } from "../../shared/result.ts";
import { fileOfProcess } from "./linux-peer.ts";
import { openPeerGate, type PeerGateOptions } from "./peer-gate.ts";
import { presentableProgramPath } from "./program-path.ts";
import { type FakeBroker, type FakeBrokerOptions, pipeIn, recordingLog, startFakeBroker, temporaryFolder } from "./testing/fake-broker.ts";
import { RawClient } from "./testing/raw-client.ts";

const onUnix = process.platform !== "win32";
const isRoot = process.geteuid?.() === 0;
const [major = 0, minor = 0] = release().split(".").map(Number);
/** SO_PEERPIDFD came with Linux 6.5; macOS 11 is Darwin 20. */
const tellsPaths = process.platform === "linux" ? major > 6 || (major === 6 && minor >= 5) : process.platform === "darwin" && major >= 20;
if (onUnix && !isRoot)
  process.stdout.write("skipped: that another user's connection is refused was not exercised, since only root can be another user.\n");
if (onUnix && !tellsPaths) process.stdout.write("skipped: a program's path was not exercised: this system does not tell it.\n");

/** Belongs to nobody. */
const otherUserId = 65534;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function broker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const started = await startFakeBroker(options);
  cleanups.push(started.dispose);
  return started;
}
async function folder(): Promise<string> {
  const made = await temporaryFolder();
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}
function run(program: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  cleanups.push(() => child.kill("SIGKILL"));
  return child;
}
async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout ?? child, "data")) as [Buffer]; // what a stream without encoding emits
  return chunk.toString("utf8").trim();
}

/** Opens what keeps others out, so that the check itself is all that is left. */
async function openToEverybody({ pipe, folder }: FakeBroker): Promise<void> {
  await chmod(folder, 0o755);
  await chmod(pipe, 0o666);
}
/** A process of another user that connects and asks something; says how many bytes it got before it was cut off. */
async function bytesForOtherUser(pipe: string): Promise<string> {
  const script = `
    const [, pipe, userId] = process.argv;
    process.setgroups([]);
    process.setgid(Number(userId));
    process.setuid(Number(userId));
    let bytes = 0;
    const socket = require("node:net").connect(pipe, () => socket.write('{"jsonrpc":"2.0","id":1,"method":"broker.status"}\\n'));
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.on("error", (error) => { if (error.code === "EACCES") bytes = "not even connected"; });
    socket.on("close", () => console.log(bytes));
  `;
  return firstLine(run(process.execPath, "-e", script, pipe, String(otherUserId)));
}

describe.skipIf(!onUnix || !isRoot)("a program of another user", () => {
  it("is cut off without a word, while the user's own are served", async () => {
    const started = await broker();
    await openToEverybody(started);
    const own = await RawClient.connect(started.pipe);
    expect(await bytesForOtherUser(started.pipe)).toBe("0");
    expect(await own.authenticate()).toHaveProperty("result");
    expect(started.log.lines).toContain('pipe.peers_refused {"otherUser":1,"unreadable":0}');
    expect(started.registry.closedSessions).toEqual([]);
  });

  it("does not reach the socket at all as long as the folder is as it was made", async () => {
    const started = await broker();
    expect(await bytesForOtherUser(started.pipe)).toBe("not even connected");
    expect(started.log.lines.join()).not.toContain("pipe.peers_refused");
  });

  it("takes no connection away from the user's own, however many are open", async () => {
    const started = await broker({ limits: { maxSessions: 1 } });
    await openToEverybody(started);
    const waiting = await RawClient.connect(started.pipe);
    expect(await bytesForOtherUser(started.pipe)).toBe("0");
    expect(await waiting.authenticate()).toHaveProperty("result");
  });

  it("is told to the log once a minute, with how many there were", async () => {
    let nowMs = 0;
    const started = await broker({ nowMs: () => nowMs });
    await openToEverybody(started);
    const told = () => started.log.lines.filter((line) => line.startsWith("pipe.peers_refused"));
    for (let round = 0; round < 3; round += 1) await bytesForOtherUser(started.pipe);
    expect(told()).toEqual(['pipe.peers_refused {"otherUser":1,"unreadable":0}']);
    nowMs = 60_000;
    await bytesForOtherUser(started.pipe);
    expect(told().at(-1)).toBe('pipe.peers_refused {"otherUser":3,"unreadable":0}');
    await bytesForOtherUser(started.pipe);
    await started.server.close();
    expect(told().at(-1)).toBe('pipe.peers_refused {"otherUser":1,"unreadable":0}');
  });
});

describe.skipIf(!onUnix)("the gate", () => {
  /** Two ends of a real connection: what the gate is shown, and the other one. */
  async function connection(): Promise<Socket> {
    const pipe = pipeIn(await folder());
    const server = createServer().listen(pipe);
    cleanups.push(() => server.close());
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>; // as documented
    const client = await RawClient.connect(pipe);
    cleanups.push(() => client.socket.destroy());
    const [socket] = await accepted;
    cleanups.push(() => socket.destroy());
    return socket;
  }
  const opened = async (options: Partial<PeerGateOptions> = {}) => {
    const log = recordingLog();
    return { log, gate: await openPeerGate({ log, nowMs: () => 0, ...options }) };
  };

  it("lets in who has the broker's own user id, root or not", async () => {
    const { gate, log } = await opened();
    expect(gate.admits(await connection())).toBe(true);
    expect(log.lines).toEqual([]);
  });

  it("refuses everybody else, root too", async () => {
    const { gate, log } = await opened({ ownUserId: (process.geteuid?.() ?? 0) + 1 });
    expect(gate.admits(await connection())).toBe(false);
    expect(log.lines).toEqual(['pipe.peers_refused {"otherUser":1,"unreadable":0}']);
  });

  it("refuses whom it cannot read", async () => {
    const { gate, log } = await opened();
    const socket = await connection();
    socket.destroy();
    expect(gate.admits(socket)).toBe(false);
    expect(log.lines).toEqual(['pipe.peers_refused {"otherUser":0,"unreadable":1}']);
  });

  it("leaves it to folder and socket where the system cannot be asked, and says so once", async () => {
    vi.resetModules();
    vi.doMock("koffi", () => {
      throw new Error("there is no binary for this computer");
    });
    cleanups.push(() => vi.doUnmock("koffi"));
    const { openPeerGate } = await import("./peer-gate.ts");
    const log = recordingLog();
    const gate = await openPeerGate({ log, nowMs: () => 0 });
    const socket = await connection();
    expect([gate.admits(socket), gate.admits(socket), gate.programPath(socket)]).toEqual([true, true, undefined]);
    expect(log.lines).toEqual([`pipe.peers_not_checked {"platform":"${process.platform}"}`]);
  });
});

describe.skipIf(!tellsPaths)("the path of a program that asks to be paired", () => {
  async function pathsAsked(
    options?: FakeBrokerOptions,
  ): Promise<{ readonly pipe: string; readonly next: () => Promise<string | undefined> }> {
    const { pipe, registry } = await broker(options);
    const paths: (string | undefined)[] = [];
    registry.requestPairing = (_session, _params, programPath) => {
      paths.push(programPath);
      return ok({ pairingId: "pairing-1", code: "123456", expiresInSeconds: 120 });
    };
    const next = async () => {
      await expect.poll(() => paths.length).toBeGreaterThan(0);
      return paths.shift();
    };
    return { pipe, next };
  }
  const request = `{"jsonrpc":"2.0","id":1,"method":"pairing.request","params":{"name":"Dealer DMS"}}\\n`;

  it("is the file its process runs", async () => {
    const { pipe, next } = await pathsAsked();
    run(process.execPath, "-e", `require("node:net").connect(process.argv[1]).write('${request}')`, pipe);
    expect(await next()).toBe(await realpath(process.execPath));
  });

  // macOS tells the file of the process that has used the connection last.
  it.skipIf(process.platform !== "linux")(
    "is not told when the process that connected has ended, and left the connection to another",
    async () => {
      const { pipe, next } = await pathsAsked();
      // The shell gets the connection as its third descriptor, asks, and stays; the process that connected is gone by then.
      const script = `
      const socket = require("node:net").connect(process.argv[1], () => {
        const shell = 'read line; printf "%s\\n" \\'${request.replace("\\n", "")}\\' >&3; exec sleep 60';
        const heir = require("node:child_process").spawn("sh", ["-c", shell], { stdio: ["pipe", "ignore", "inherit", socket] });
        console.log(heir.pid);
        process.exit();
      });
    `;
      const parent = run(process.execPath, "-e", script, pipe);
      const [heirId] = await Promise.all([firstLine(parent), once(parent, "exit")]);
      cleanups.push(() => process.kill(Number(heirId), "SIGKILL"));
      expect(await next()).toBeUndefined();
    },
  );
});

describe.skipIf(process.platform !== "linux")("the file of a process", () => {
  async function copyOfSleep(name: string): Promise<{ readonly file: string; readonly processId: number }> {
    const file = path.join(await realpath(await folder()), name);
    await copyFile(await realpath("/bin/sleep"), file);
    const child = run(file, "60");
    await once(child, "spawn");
    return { file, processId: child.pid ?? 0 };
  }

  it("is where it lay when it was deleted or replaced", async () => {
    const { file, processId } = await copyOfSleep("dealer");
    expect(fileOfProcess(processId)).toBe(file);
    await copyFile(file, `${file}.new`);
    await rename(`${file}.new`, file);
    expect(fileOfProcess(processId)).toBe(file);
    await rm(file);
    expect(fileOfProcess(processId)).toBe(file);
  });

  it("keeps a name that only looks like a deleted file's", async () => {
    const { file, processId } = await copyOfSleep("dealer (deleted)");
    expect(fileOfProcess(processId)).toBe(file);
    await rm(file);
    expect(fileOfProcess(processId)).toBe(file);
  });
});

describe("a path that is shown", () => {
  it("stays as it is in any script", () => {
    expect(presentableProgramPath("/opt/Händler/мотор/ディーラー")).toBe("/opt/Händler/мотор/ディーラー");
  });

  it("has no characters that break the line or turn the direction round", () => {
    expect(presentableProgramPath("/opt/a\nb\u001B[2J\u202Egnp.exe\u2028c")).toBe("/opt/a\uFFFDb\uFFFD[2J\uFFFDgnp.exe\uFFFDc");
  });

  it("is absolute and no longer than the system allows", () => {
    expect(presentableProgramPath("(unreachable)/opt/dms")).toBeUndefined();
    expect(presentableProgramPath(`/${"a".repeat(4_096)}`)).toBeUndefined();
    expect(presentableProgramPath(`/${"a".repeat(4_095)}`)).toHaveLength(4_096);
  });
});
