import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, mkdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { PipeServer } from "./pipe-server.ts";
import { startPipeServer } from "./pipe-server.ts";
import {
  type FakeBroker,
  type FakeBrokerOptions,
  FakeRegistry,
  fakeProgramApi,
  knownClient,
  recordingLog,
  someToken,
  startFakeBroker,
  temporaryFolder,
} from "./testing/fake-broker.ts";
import { RawClient } from "./testing/raw-client.ts";

const cleanups: (() => Promise<unknown>)[] = [];
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
async function listenOn(name: string): Promise<Result<PipeServer>> {
  const started = await startPipeServer({
    name,
    programApi: fakeProgramApi(),
    registry: new FakeRegistry(),
    log: recordingLog(),
    version: "1.2.3",
    nowMs: Date.now,
  });
  if (started.ok) cleanups.push(started.value.close);
  return started;
}

describe("the server", () => {
  it("says nothing to a program that says nothing", async () => {
    const { pipe, server } = await broker();
    const program = await RawClient.connect(pipe);
    await server.close();
    await program.closed;
    expect(program.bytesReceived).toBe(0);
  });

  it("refuses a name on which another broker listens, and leaves that one alone", async () => {
    const { pipe } = await broker();
    expect(await listenOn(pipe)).toMatchObject({ ok: false, error: { code: "pipe_in_use", params: { name: pipe } } });
    const program = await RawClient.connect(pipe);
    expect(await program.authenticate()).toHaveProperty("result");
  });

  it("takes at most so many connections in all, and closes further ones without a word", async () => {
    const { pipe } = await broker({ limits: { maxSessions: 2 } });
    const [first, second] = [await RawClient.connect(pipe), await RawClient.connect(pipe)];
    await Promise.all([first.authenticate(), second.authenticate()]);
    const third = await RawClient.connect(pipe);
    await third.closed;
    expect(third.bytesReceived).toBe(0);
    expect(await first.ask("broker.status")).toHaveProperty("result");
  });

  it("takes at most so many sessions of one program, and another one once one has ended", async () => {
    const { pipe, registry } = await broker({ limits: { maxSessionsPerProgram: 1 } });
    const first = await RawClient.connect(pipe);
    await first.authenticate();
    const second = await RawClient.connect(pipe);
    expect(await second.authenticate()).toMatchObject({ error: { code: -32006, data: { code: "rate_limited", retryable: true } } });
    await second.closed;
    first.socket.destroy();
    await expect.poll(() => registry.closedSessions.length).toBe(2);
    expect(await (await RawClient.connect(pipe)).authenticate()).toHaveProperty("result");
  });

  it("ends the sessions of a removed program at once, and no others", async () => {
    const tokens = Promise.withResolvers<Result<typeof someToken>>();
    const asked = Promise.withResolvers<void>();
    const tokenGet = (): Promise<Result<typeof someToken>> => {
      asked.resolve();
      return tokens.promise;
    };
    const { pipe, registry } = await broker({ api: { tokenGet } });
    const [removed, entering, other] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe), RawClient.connect(pipe)]);
    await removed.authenticate();
    await entering.hello();
    removed.send({ id: 1, method: "token.get", params: { provider: "mazda", user: "jdoe" } });
    await asked.promise;
    registry.remove(knownClient.clientId);
    expect(await removed.next()).toMatchObject({ id: 1, error: { data: { code: "not_paired", detail: "session_not_authenticated" } } });
    await Promise.all([removed.closed, entering.closed]);
    tokens.resolve(ok(someToken));
    expect(await other.ask("broker.status")).toHaveProperty("error");
  });

  it("answers what is under way with shutting_down when it closes, and can be closed twice", async () => {
    const asked = Promise.withResolvers<void>();
    const { pipe, server } = await broker({
      api: {
        tokenGet: () => {
          asked.resolve();
          return new Promise(() => undefined);
        },
      },
    });
    const program = await RawClient.connect(pipe);
    await program.authenticate();
    program.send({ id: 1, method: "token.get", params: { provider: "mazda", user: "jdoe" } });
    await asked.promise;
    const closed = Promise.all([server.close(), server.close()]);
    expect(await program.next()).toMatchObject({
      id: 1,
      error: { code: -32008, data: { code: "shutting_down", retryable: true, retryAfterSeconds: 5 } },
    });
    await Promise.all([closed, program.closed]);
    await expect(RawClient.connect(pipe)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });

  it("tells whoever waits for an answer or a pairing when to come back", async () => {
    const asked = Promise.withResolvers<void>();
    const tokenGet = () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    };
    const { pipe, server, registry } = await broker({ api: { tokenGet } });
    const waited = Promise.withResolvers<void>();
    registry.waitForPairing = () => {
      waited.resolve();
      return new Promise(() => undefined);
    };
    const [program, newcomer] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe)]);
    await program.authenticate();
    program.send({ id: 1, method: "token.get", params: { provider: "mazda", user: "jdoe" } });
    await newcomer.ask("pairing.request", { name: "New" });
    newcomer.send({ id: 2, method: "pairing.wait", params: { pairingId: "pairing-1" } });
    await Promise.all([asked.promise, waited.promise]);
    const closed = server.close(30);
    for (const [waiting, id] of [
      [program, 1],
      [newcomer, 2],
    ] as const) {
      expect(await waiting.next()).toMatchObject({ id, error: { data: { code: "shutting_down", retryAfterSeconds: 30 } } });
    }
    await closed;
  });

  it("has answered and told everybody once it has been asked to close, whatever ends right afterwards", async () => {
    const asked = Promise.withResolvers<void>();
    const tokens = Promise.withResolvers<Result<typeof someToken>>();
    const tokenGet = () => {
      asked.resolve();
      return tokens.promise;
    };
    const { pipe, server } = await broker({ api: { tokenGet } });
    const program = await RawClient.connect(pipe);
    await program.authenticate();
    await program.ask("events.subscribe");
    program.send({ id: 1, method: "token.get", params: { provider: "mazda", user: "jdoe" } });
    await asked.promise;
    const closed = server.close(30);
    tokens.resolve(err(failure("shutting_down")));
    expect(await program.next()).toMatchObject({ method: "event", params: { sequence: 1, type: "shutting_down", retryAfterSeconds: 30 } });
    expect(await program.next()).toMatchObject({ id: 1, error: { data: { code: "shutting_down", retryAfterSeconds: 30 } } });
    await closed;
  });

  it("closes although a program does not", async () => {
    const { pipe, server } = await broker({ limits: { endGraceMs: 20 } });
    const program = await RawClient.connect(pipe);
    await program.authenticate();
    program.socket.pause();
    await server.close();
    await expect(RawClient.connect(pipe)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });
});

// Windows keeps no file for a pipe: nothing of this exists there.
describe.skipIf(process.platform === "win32")("the socket's place", () => {
  it("is made for the user alone, and left empty", async () => {
    const place = path.join(await folder(), "a", "b");
    const socket = path.join(place, "broker.sock");
    const started = await listenOn(socket);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    if (started.ok) await started.value.close();
    await expect(lstat(socket)).rejects.toThrow("ENOENT");
  });

  it("is cleared of the socket of a broker that was killed", async () => {
    const socket = path.join(await folder(), "broker.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", script]), "exit");
    expect((await lstat(socket)).isSocket()).toBe(true);
    expect(await listenOn(socket)).toMatchObject({ ok: true });
    expect(await (await RawClient.connect(socket)).authenticate()).toHaveProperty("result");
  });

  it("is refused when a file is there that is no socket, and the file stays", async () => {
    const file = path.join(await folder(), "broker.sock");
    await writeFile(file, "precious");
    expect(await listenOn(file)).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
    expect((await stat(file)).size).toBe(8);
  });

  it("is refused when others may enter the folder, and the folder stays as it is", async () => {
    const shared = path.join(await folder(), "shared");
    await mkdir(shared);
    await chmod(shared, 0o755);
    const refused = await listenOn(path.join(shared, "broker.sock"));
    expect(refused).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
    expect(refused.ok ? "" : refused.error.message).toContain("open to other users");
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
  });

  it("is refused when the folder cannot be made", async () => {
    const file = path.join(await folder(), "file");
    await writeFile(file, "");
    expect(await listenOn(path.join(file, "broker.sock"))).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
  });
});
