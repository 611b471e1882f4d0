/** Hostile clients side by side with a polite one, on one real server: the polite one is served meanwhile. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import { ok, type Result } from "../../shared/result.ts";
import { type FakeBroker, type FakeBrokerOptions, knownClient, someConnection, someToken, startFakeBroker } from "./testing/fake-broker.ts";
import { proofFor, RawClient } from "./testing/raw-client.ts";

const brokers: FakeBroker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.dispose()));
});

/** Another program than the polite one's. */
const hostileProgram = { ...knownClient, clientId: "hostile", clientKey: Buffer.alloc(32, 9).toString("base64url") };
const wanted = { provider: "mazda", user: "jdoe" };

interface Scene {
  readonly broker: FakeBroker;
  /** Of a program of its own. */
  readonly polite: RawClient;
}

async function scene(options: FakeBrokerOptions = {}): Promise<Scene> {
  const broker = await startFakeBroker(options);
  brokers.push(broker);
  broker.registry.clients.set(hostileProgram.clientId, hostileProgram);
  const polite = await RawClient.connect(broker.pipe);
  await polite.authenticate();
  return { broker, polite };
}

/** A session of the hostile program, with a right proof: what it does then is what counts. */
async function hostileSession({ pipe }: FakeBroker): Promise<RawClient> {
  const client = await RawClient.connect(pipe);
  const { nonce } = await client.hello(hostileProgram.clientId);
  await client.ask("session.authenticate", { proof: proofFor(nonce, hostileProgram) });
  return client;
}

/** Asks several things, as a program at work does. */
async function expectServed(polite: RawClient): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    expect(await polite.ask("token.get", wanted, round)).toMatchObject({ id: round, result: { accessToken: someToken.accessToken } });
  }
  expect(await polite.ask("connection.list")).toMatchObject({ result: { connections: [someConnection] } });
}

/** Receives what comes until the connection ends, and counts the messages. */
async function countUntilClosed(client: RawClient): Promise<number> {
  for (let count = 0; ; count += 1) {
    const received = await client.next().catch(() => undefined);
    if (received === undefined) return count;
  }
}

const request = '{"jsonrpc":"2.0","id":1,"method":"broker.status"}';
const nested = (depth: number): string => `{"jsonrpc":"2.0","id":1,"method":"token.get","params":${"[".repeat(depth)}${"]".repeat(depth)}}`;

describe("a polite program is served beside one that", () => {
  it("sends half a message and no more", async () => {
    const { broker, polite } = await scene();
    const hostiles = await Promise.all([hostileSession(broker), hostileSession(broker), RawClient.connect(broker.pipe)]);
    for (const { socket } of hostiles) socket.write(request.slice(0, 20));
    await expectServed(polite);
    // It harms itself neither: the rest may still come.
    hostiles[0]?.socket.write(`${request.slice(20)}\n`);
    expect(await hostiles[0]?.next()).toMatchObject({ id: 1, result: {} });
  });

  it("sends its messages byte by byte", async () => {
    const { broker, polite } = await scene();
    const hostile = await hostileSession(broker);
    for (const byte of `${request}\n`) {
      hostile.socket.write(byte);
      expect(await polite.ask("token.get", wanted)).toHaveProperty("result");
    }
    expect(await hostile.next()).toMatchObject({ id: 1, result: {} });
  });

  it("sends a million nested brackets", async () => {
    const { broker, polite } = await scene();
    const [longest, nests, closed] = await Promise.all([hostileSession(broker), hostileSession(broker), hostileSession(broker)]);
    longest.socket.write("[".repeat(1_000_000));
    nests.socket.write(`${nested(32_000)}\n`);
    closed.socket.write(`${'{"a":'.repeat(10_000)}0${"}".repeat(10_000)}\n`);
    await expectServed(polite);
    expect(await longest.next()).toMatchObject({ id: null, error: { data: { detail: "message_too_large" } } });
    await longest.closed;
    expect(await nests.next()).toMatchObject({ id: 1, error: { code: -32602 } });
    expect(await closed.next()).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it("sends what is not UTF-8", async () => {
    const { broker, polite } = await scene();
    const hostile = await hostileSession(broker);
    for (let count = 0; count < 500; count += 1) hostile.socket.write(Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x0a]));
    await expectServed(polite);
    for (let count = 0; count < 500; count += 1) expect(await hostile.next()).toMatchObject({ id: null, error: { code: -32700 } });
    expect(await hostile.ask("broker.status")).toHaveProperty("result");
  });

  it("uses one id for all of its requests", async () => {
    const held: ((result: Result<TokenGetResult>) => void)[] = [];
    const tokenGet = ({ clientId }: { readonly clientId: string }): Promise<Result<TokenGetResult>> =>
      clientId === hostileProgram.clientId ? new Promise((resolve) => held.push(resolve)) : Promise.resolve(ok(someToken));
    const { broker, polite } = await scene({ api: { tokenGet } });
    const hostile = await hostileSession(broker);
    hostile.send(...Array.from({ length: 1_000 }, () => ({ id: 7, method: "token.get", params: wanted })));
    await expectServed(polite);
    for (let count = 0; count < 999; count += 1) expect(await hostile.next()).toMatchObject({ id: null, error: { code: -32600 } });
    expect(held).toHaveLength(1);
    held[0]?.(ok(someToken));
    expect(await hostile.next()).toMatchObject({ id: 7, result: { tokenId: "token-1" } });
  });

  it("sends batches", async () => {
    const { broker, polite } = await scene();
    const hostile = await hostileSession(broker);
    const batch = `[${Array.from({ length: 1_000 }, () => request).join(",")}]\n`;
    for (let count = 0; count < 20; count += 1) hostile.socket.write(batch);
    await expectServed(polite);
    for (let count = 0; count < 20; count += 1) expect(await hostile.next()).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it("never reads its answers, and is cut in the end", async () => {
    let nowMs = 0;
    const connections = Array.from({ length: 2_000 }, () => someConnection);
    const connectionList = ({ clientId }: { readonly clientId: string }) =>
      Promise.resolve(ok({ connections: clientId === hostileProgram.clientId ? connections : [someConnection] }));
    const { broker, polite } = await scene({ api: { connectionList }, limits: { sweepMs: 10 }, nowMs: () => nowMs });
    const hostile = await hostileSession(broker);
    hostile.socket.pause();
    hostile.send(
      ...Array.from({ length: 300 }, (_, id) => ({ id, method: id % 2 === 0 ? "connection.list" : "token.get", params: wanted })),
    );
    await expectServed(polite);
    expect(broker.registry.closedSessions).toEqual([]);
    await vi.waitFor(() => {
      nowMs += 30_000;
      expect(broker.registry.closedSessions).toHaveLength(1);
    });
    expect(await polite.ask("token.get", wanted)).toHaveProperty("result");
  });

  it("floods it with requests and reads all answers", async () => {
    const { broker, polite } = await scene();
    const hostile = await hostileSession(broker);
    hostile.send(...Array.from({ length: 5_000 }, (_, id) => ({ id, method: "token.get", params: wanted })));
    await expectServed(polite);
    for (let count = 0; count < 5_000; count += 1) expect(await hostile.next()).toHaveProperty("result");
  });

  it("connects again and again and proves nothing", async () => {
    const { broker, polite } = await scene({ limits: { maxSessions: 8 } });
    const hostiles = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(broker.pipe)));
    await expectServed(polite);
    // A new program finds room too.
    const late = await RawClient.connect(broker.pipe);
    expect(await late.authenticate()).toHaveProperty("result");
    await expectServed(late);
    await Promise.all(hostiles.slice(0, 90).map(({ closed }) => closed));
    for (const { socket } of hostiles) socket.destroy();
  });
});

describe("with all connections taken", () => {
  it("the one that has waited longest without a proof makes room, and one that waits for a person does not", async () => {
    const { broker } = await scene({ limits: { maxSessions: 4 } });
    const pairing = await RawClient.connect(broker.pipe);
    await pairing.ask("pairing.request", { name: "Dealer DMS" });
    const [first, second] = [await RawClient.connect(broker.pipe), await RawClient.connect(broker.pipe)];
    await second.hello();
    const newest = await RawClient.connect(broker.pipe);
    await first.closed;
    expect(await newest.authenticate()).toHaveProperty("result");
    broker.registry.approve();
    expect(await pairing.ask("pairing.wait", { pairingId: "pairing-1" })).toHaveProperty("result");
  });

  it("the log says so once, however many are turned away", async () => {
    let nowMs = 0;
    const { broker } = await scene({ limits: { maxSessions: 2 }, nowMs: () => nowMs });
    await hostileSession(broker);
    const turnAway = async (): Promise<void> => {
      const client = await RawClient.connect(broker.pipe);
      await client.closed;
      expect(client.bytesReceived).toBe(0);
    };
    const notes = () => broker.log.lines.filter((line) => line.startsWith("pipe.too_many_sessions")).length;
    for (let count = 0; count < 20; count += 1) await turnAway();
    expect(notes()).toBe(1);
    nowMs = 60_000;
    await turnAway();
    expect(notes()).toBe(2);
  });
});

describe("what one session can make the broker hold", () => {
  it("is one long answer, even if it asks for many at once and reads none", async () => {
    const connections = Array.from({ length: 20_000 }, () => someConnection);
    const connectionList = vi.fn<() => Promise<Result<{ connections: typeof connections }>>>(() => Promise.resolve(ok({ connections })));
    const { broker, polite } = await scene({ api: { connectionList } });
    const hostile = await hostileSession(broker);
    hostile.socket.pause();
    hostile.send(...Array.from({ length: 200 }, (_, id) => ({ id, method: "connection.list" })));
    await vi.waitFor(() => expect(connectionList).toHaveBeenCalled());
    for (let round = 0; round < 50; round += 1) await polite.ask("token.get", wanted, round);
    expect(connectionList).toHaveBeenCalledOnce();
    // Whoever reads gets them all.
    hostile.socket.resume();
    for (let id = 0; id < 5; id += 1) expect((await hostile.next()).id).toBe(id);
  });

  it("is answered in turns: a flood gets only so many messages taken before others have theirs", async () => {
    let turn = 0;
    let watching = true;
    const watch = (): void => {
      turn += 1;
      if (watching) setImmediate(watch);
    };
    const takenInTurn = new Map<number, number>();
    const tokenGet = (): Promise<Result<TokenGetResult>> => {
      takenInTurn.set(turn, (takenInTurn.get(turn) ?? 0) + 1);
      return Promise.resolve(ok(someToken));
    };
    const { broker } = await scene({ api: { tokenGet }, limits: { messagesPerTurn: 16 } });
    const hostile = await hostileSession(broker);
    watch();
    hostile.send(...Array.from({ length: 1_000 }, (_, id) => ({ id, method: "token.get", params: wanted })));
    for (let count = 0; count < 1_000; count += 1) await hostile.next();
    watching = false;
    // Our counter may miss a turn's end: a turn's messages then count for two.
    expect(Math.max(...takenInTurn.values())).toBeLessThanOrEqual(32);
    expect([...takenInTurn.values()].reduce((sum, count) => sum + count, 0)).toBe(1_000);
  });

  it("ends when no request has come for ten minutes, however many single bytes have", async () => {
    let nowMs = 0;
    const { broker } = await scene({ limits: { sweepMs: 10 }, nowMs: () => nowMs });
    const hostile = await hostileSession(broker);
    nowMs = 9 * 60_000;
    hostile.socket.write(request.slice(0, 5));
    await (await hostileSession(broker)).ask("broker.status");
    nowMs = 10 * 60_000;
    hostile.socket.write(request.slice(5, 6));
    expect(await countUntilClosed(hostile)).toBe(0);
  });
});
