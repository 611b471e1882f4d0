/** What the server does while its place is not closed to others, and if that fails. The place is played, the rest is real. */
import { rm } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type PipePlace, preparePipePlace } from "./pipe-place.ts";
import { startPipeServer } from "./pipe-server.ts";
import { FakeRegistry, fakeProgramApi, pipeIn, recordingLog, temporaryFolder } from "./testing/fake-broker.ts";
import { RawClient } from "./testing/raw-client.ts";

vi.mock("./pipe-place.ts", () => ({ preparePipePlace: vi.fn<typeof preparePipePlace>() }));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(closeToOthers: (pipe: string, ownConnection: Promise<unknown>) => Promise<Result<undefined>>) {
  const folder = await temporaryFolder();
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const name = pipeIn(folder);
  const place: PipePlace = { closeToOthers: (ownConnection) => closeToOthers(name, ownConnection) };
  vi.mocked(preparePipePlace).mockResolvedValue(ok(place));
  const registry = new FakeRegistry();
  const log = recordingLog();
  const started = await startPipeServer({ name, programApi: fakeProgramApi(), registry, log, version: "1.2.3", nowMs: Date.now });
  if (started.ok) cleanups.push(started.value.close);
  return { name, registry, started };
}

describe("a server whose pipe could not be closed to others", () => {
  it("does not serve, and is gone", async () => {
    const { name, started } = await start(async () =>
      err(failure("pipe_not_private", { problem: "SetKernelObjectSecurity failed with error 5" })),
    );
    expect(started).toMatchObject({ ok: false, error: { code: "pipe_not_private", retryable: false } });
    await expect(RawClient.connect(name)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });

  it("has served nobody in the meantime", async () => {
    let early: RawClient | undefined;
    const { registry } = await start(async (name) => {
      early = await RawClient.connect(name);
      early.send({ id: 1, method: "broker.status" });
      await early.closed;
      return err(failure("pipe_not_private", { problem: "" }));
    });
    expect(early?.bytesReceived).toBe(0);
    expect(registry.closedSessions).toEqual([]);
  });
});

describe("a server whose pipe had to be opened to close it to others", () => {
  it("takes that connection for nobody's session, and serves all later ones", async () => {
    const { name, registry, started } = await start(async (pipe, ownConnection) => {
      const own = await RawClient.connect(pipe);
      await Promise.all([ownConnection, own.closed]);
      return ok();
    });
    expect(started.ok).toBe(true);
    expect(registry.closedSessions).toEqual([]);
    expect(await (await RawClient.connect(name)).authenticate()).toHaveProperty("result");
  });
});
