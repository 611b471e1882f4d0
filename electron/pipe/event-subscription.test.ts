import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { PipeConnection } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionChanges } from "./testing/connection-changes.ts";
import { type FakeBroker, type FakeBrokerOptions, someConnection, startFakeBroker } from "./testing/fake-broker.ts";
import { RawClient } from "./testing/raw-client.ts";

const brokers: FakeBroker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.dispose()));
});
async function session(options: FakeBrokerOptions): Promise<{ readonly broker: FakeBroker; readonly program: RawClient }> {
  const broker = await startFakeBroker(options);
  brokers.push(broker);
  const program = await RawClient.connect(broker.pipe);
  await program.authenticate();
  return { broker, program };
}

describe("events", () => {
  it("follow the snapshot with rising numbers, and none comes to who has not subscribed", async () => {
    const change = connectionChanges();
    const { program, broker } = await session({ api: { onConnectionChanged: change.onConnectionChanged } });
    const bystander = await RawClient.connect(broker.pipe);
    await bystander.authenticate();
    expect(await program.ask("events.subscribe")).toMatchObject({ result: { sequence: 0, connections: [someConnection] } });
    change.emit({ ...someConnection, state: "Refreshing" });
    change.emit(someConnection);
    expect(await program.next()).toEqual({
      jsonrpc: "2.0",
      method: "event",
      params: { sequence: 1, type: "connection.changed", connection: { ...someConnection, state: "Refreshing" } },
    });
    expect(await program.next()).toMatchObject({ params: { sequence: 2, connection: { state: "Active" } } });
    expect(await bystander.ask("broker.status")).toHaveProperty("result");
  });

  it("that happen while the snapshot is read come after it", async () => {
    const change = connectionChanges();
    const snapshot = Promise.withResolvers<Result<{ connections: readonly PipeConnection[] }>>();
    const { program } = await session({ api: { onConnectionChanged: change.onConnectionChanged, connectionList: () => snapshot.promise } });
    program.send({ id: 1, method: "events.subscribe" });
    await vi.waitFor(() => expect(change.listeners.size).toBe(1));
    change.emit({ ...someConnection, state: "Refreshing" });
    change.emit({ ...someConnection, state: "Retrying" });
    snapshot.resolve(ok({ connections: [someConnection] }));
    expect(await program.next()).toMatchObject({ id: 1, result: { sequence: 0 } });
    expect(await program.next()).toMatchObject({ method: "event", params: { sequence: 1, connection: { state: "Retrying" } } });
  });

  it("come once, however often the program subscribes", async () => {
    const change = connectionChanges();
    const { program } = await session({ api: { onConnectionChanged: change.onConnectionChanged } });
    await program.ask("events.subscribe");
    change.emit(someConnection);
    await program.next();
    expect(await program.ask("events.subscribe")).toMatchObject({ result: { sequence: 1 } });
    change.emit(someConnection);
    program.send({ id: "after", method: "broker.status" });
    expect(await program.next()).toMatchObject({ method: "event", params: { sequence: 2 } });
    expect(await program.next()).toMatchObject({ id: "after" });
  });

  it("stop when the snapshot cannot be had or the program leaves", async () => {
    const change = connectionChanges();
    let locked = true;
    const connectionList = (): Promise<Result<{ connections: readonly PipeConnection[] }>> =>
      Promise.resolve(locked ? err(failure("vault_locked")) : ok({ connections: [] }));
    const { program } = await session({ api: { onConnectionChanged: change.onConnectionChanged, connectionList } });
    expect(await program.ask("events.subscribe")).toMatchObject({ error: { data: { code: "vault_locked" } } });
    expect(change.listeners.size).toBe(0);
    locked = false;
    await program.ask("events.subscribe");
    expect(change.listeners.size).toBe(1);
    program.socket.destroy();
    await vi.waitFor(() => expect(change.listeners.size).toBe(0));
  });

  it("of a program that reads slowly are told as one a connection, without a gap, and end with the last states", async () => {
    const change = connectionChanges();
    const { program, broker } = await session({ api: { onConnectionChanged: change.onConnectionChanged } });
    await program.ask("events.subscribe");
    const ids = Array.from({ length: 40 }, (_, index) => `mazda/production/user-${index}`);
    // So long that the system's own buffers are full soon.
    const organisation = "o".repeat(2_000);
    const rounds = 500;
    program.socket.pause();
    for (let round = 1; round <= rounds; round += 1) {
      for (const id of ids) change.emit({ ...someConnection, id, organisation, grantExpiresAt: round });
      await new Promise(setImmediate);
    }
    expect(broker.registry.closedSessions).toEqual([]);
    program.socket.resume();
    program.send({ id: "after", method: "broker.status" });
    const seen = new Map<string, number>();
    const numbers: number[] = [];
    const isOver = () => seen.size === ids.length && [...seen.values()].every((round) => round === rounds);
    while (!isOver()) {
      const { params } = await program.next();
      if (params?.connection === undefined) continue;
      numbers.push(params.sequence);
      seen.set(params.connection.id, Number(params.connection.grantExpiresAt));
    }
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeLessThan((rounds * ids.length) / 4);
  });

  it("leave out nobody while one connection changes all the time", async () => {
    const change = connectionChanges();
    const { program } = await session({ api: { onConnectionChanged: change.onConnectionChanged } });
    await program.ask("events.subscribe");
    const organisation = "o".repeat(60_000);
    program.socket.pause();
    for (let round = 0; round < 40; round += 1) {
      change.emit({ ...someConnection, id: "restless", organisation });
      change.emit({ ...someConnection, id: "quiet", organisation });
      await new Promise(setImmediate);
    }
    change.emit({ ...someConnection, id: "quiet", state: "ReconnectRequired" });
    change.emit({ ...someConnection, id: "restless", state: "Refreshing" });
    program.socket.resume();
    const last = new Map<string, string>();
    while (last.get("quiet") !== "ReconnectRequired" || last.get("restless") !== "Refreshing") {
      const { params } = await program.next();
      if (params?.connection !== undefined) last.set(params.connection.id, params.connection.state);
    }
    expect(last.size).toBe(2);
  });

  it("end with the app's: it says when to come back, and the number is the next", async () => {
    const change = connectionChanges();
    const { program, broker } = await session({ api: { onConnectionChanged: change.onConnectionChanged } });
    const bystander = await RawClient.connect(broker.pipe);
    await bystander.authenticate();
    const bytesBefore = bystander.bytesReceived;
    await program.ask("events.subscribe");
    change.emit(someConnection);
    await program.next();
    const closed = broker.server.close(12);
    expect(await program.next()).toEqual({
      jsonrpc: "2.0",
      method: "event",
      params: { sequence: 2, type: "shutting_down", retryAfterSeconds: 12 },
    });
    await Promise.all([closed, program.closed, bystander.closed]);
    expect(bystander.bytesReceived).toBe(bytesBefore);
  });
});
