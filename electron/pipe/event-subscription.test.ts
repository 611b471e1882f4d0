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
});
