import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { onTokenGet, refusal, tokenResult } from "../../cli/conformance/answers.ts";
import { type BrokerScript, type Call, ScriptedBroker } from "../../cli/conformance/scripted-broker.ts";
import { pipeIn, someConnection, temporaryFolder } from "../../electron/pipe/testing/fake-broker.ts";
import type { BrokerFailure } from "./broker-failure.ts";
import { type BrokerSession, createBrokerSession } from "./broker-session.ts";
import type { BrokerConnectionEvent, BrokerSnapshot, Credentials } from "./dms-connect-client.ts";

const credentials: Credentials = { clientId: "client-1", clientKey: randomBytes(32).toString("base64url") };
const selector = { provider: "mazda", user: "jdoe" };

async function start(script: BrokerScript): Promise<{ broker: ScriptedBroker; session: BrokerSession }> {
  const folder = await temporaryFolder();
  const pipe = pipeIn(folder);
  const broker = new ScriptedBroker({ pipe, credentials, usedNonces: new Set() }, script);
  await broker.start();
  const session = createBrokerSession({ pipe, credentials });
  onTestFinished(async () => {
    session.close();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
    expect(broker.problems).toEqual([]);
  });
  return { broker, session };
}

/** Answers the first request of a method as told, and later ones well. */
function firstTime(method: string, first: (call: Call) => void, later: (call: Call) => void): BrokerScript {
  let isFirst = true;
  return {
    onCall: (call) => {
      if (call.method !== method) return onTokenGet((other) => other.result(tokenResult("t")))(call);
      if (!isFirst) return later(call);
      isFirst = false;
      first(call);
    },
  };
}
/** On a computer that may be busy. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, 10_000);
const tokenTold = (call: Call): void => call.result(tokenResult("second"));

describe("the broker for a whole program", () => {
  it("has one session for all requests, and none before the first", async () => {
    const { broker, session } = await start({ onCall: onTokenGet((call) => call.result(tokenResult("t"))) });
    expect(broker.connections).toBe(0);
    await Promise.all(Array.from({ length: 50 }, () => session.tokenGet(selector)));
    expect(await session.connectionList()).toEqual({ ok: true, value: [] });
    expect(broker.connections).toBe(1);
    expect(broker.callsOf("token.get")).toHaveLength(50);
  });

  it("connects again by itself when the app was restarted between two requests", async () => {
    const { broker, session } = await start({ onCall: onTokenGet((call) => call.result(tokenResult("t"))) });
    await session.tokenGet(selector);
    await broker.stop();
    const asked = session.tokenGet(selector);
    await broker.start();
    expect(await asked).toMatchObject({ ok: true, value: { accessToken: "t" } });
    expect(broker.connections).toBe(2);
  });

  it.each<[what: string, end: (call: Call) => void]>([
    ["the connection ends", (call) => call.hangUp()],
    ["the app says that it is closing", (call) => call.refuse(refusal("shutting_down"))],
    [
      "the program's access was changed",
      (call) => {
        call.refuse(refusal("not_paired", { detail: "session_not_authenticated" }));
        call.hangUp();
      },
    ],
  ])("asks for a token once more when %s", async (_what, end) => {
    const { broker, session } = await start(firstTime("token.get", end, tokenTold));
    expect(await session.tokenGet(selector)).toMatchObject({ ok: true, value: { accessToken: "second" } });
    expect(broker.callsOf("token.get")).toHaveLength(2);
    expect(broker.connections).toBe(2);
  });

  it.each<[method: string, call: (session: BrokerSession) => Promise<unknown>]>([
    ["connect.start", (session) => session.connectStart(selector)],
    ["connect.cancel", (session) => session.connectCancel(selector)],
    ["connection.revoke", (session) => session.revoke(selector)],
    ["connection.forget", (session) => session.forget(selector)],
    ["token.rejected", (session) => session.tokenRejected({ ...selector, tokenId: "t-1" })],
  ])("never sends %s a second time: it may have been done", async (method, call) => {
    for (const word of ["shutting_down", "rate_limited", undefined]) {
      const end = (request: Call): void => {
        if (word === undefined) request.hangUp();
        else request.refuse(refusal(word, { retryAfterSeconds: 0 }));
      };
      const { broker, session } = await start(firstTime(method, end, tokenTold));
      expect(await call(session)).toMatchObject({ ok: false });
      await session.tokenGet(selector);
      expect(broker.callsOf(method)).toHaveLength(1);
    }
  });

  it.skipIf(process.platform === "win32")("does send it again when it cannot have arrived", async () => {
    const { broker, session } = await start({
      onCall: (call) => call.result({ connection: { ...someConnection, state: "Connecting" }, connections: [] }),
    });
    await session.connectionList();
    // In one turn: the program cannot know yet that the app has gone.
    const stopped = broker.stop();
    const asked = session.connectStart(selector);
    await stopped;
    await broker.start();
    expect(await asked).toMatchObject({ ok: true, value: { state: "Connecting" } });
    expect(broker.callsOf("connect.start")).toHaveLength(1);
  });

  it("repeats once what the broker refuses for a moment, and then leaves the waiting to its caller", async () => {
    const { broker, session } = await start({
      onCall: onTokenGet((call) => call.refuse(refusal("rate_limited", { detail: "program_rate_limited", retryAfterSeconds: 0 }))),
    });
    expect(await session.tokenGet(selector)).toMatchObject({
      ok: false,
      error: { code: "rate_limited", detail: "program_rate_limited", remedy: "Wait and try again.", retryAfterSeconds: 0 },
    });
    expect(broker.callsOf("token.get")).toHaveLength(2);
  });

  it("does not try a stranger twice", async () => {
    const { broker, session } = await start({ greeting: ({ nonce }) => ({ nonce, proof: nonce }), onCall: () => undefined });
    for (let round = 0; round < 20; round += 1) {
      expect(await session.tokenGet(selector)).toMatchObject({ ok: false, error: { detail: "broker_not_genuine" } });
    }
    expect(broker.connections).toBe(1);
  });

  it("ends what waits when the program closes it", async () => {
    const asked = Promise.withResolvers<void>();
    const { broker, session } = await start({ onCall: () => asked.resolve() });
    const call = session.tokenGet(selector);
    await asked.promise;
    session.close();
    expect(await call).toMatchObject({ ok: false, error: { detail: "session_closed" } });
    expect(broker.connections).toBe(1);
  });
});

describe("a subscription", () => {
  interface Told {
    readonly snapshots: BrokerSnapshot[];
    readonly changes: BrokerConnectionEvent[];
    readonly interrupted: BrokerFailure[];
    readonly ended: BrokerFailure[];
  }
  function subscribe(session: BrokerSession): Told & { readonly stop: () => void } {
    const told: Told = { snapshots: [], changes: [], interrupted: [], ended: [] };
    const stop = session.subscribe({
      onSnapshot: (snapshot) => told.snapshots.push(snapshot),
      onChange: (event) => told.changes.push(event),
      onInterrupted: (why) => told.interrupted.push(why),
      onEnded: (why) => told.ended.push(why),
    });
    return { ...told, stop };
  }
  /** A snapshot with a state of its own for each connection to the broker, and one change right behind it. */
  const script: BrokerScript = {
    onCall: (call) => {
      const connection = { ...someConnection, user: `user-${call.connection}` };
      const params = { sequence: 1, type: "connection.changed", connection: { ...connection, state: "Refreshing" } };
      call.result({ sequence: 0, connections: [connection] });
      call.raw(`${JSON.stringify({ jsonrpc: "2.0", method: "event", params })}\n`);
    },
  };

  it("begins with a snapshot, and again after the app was restarted", async () => {
    const { broker, session } = await start(script);
    const told = subscribe(session);
    await soon(() => expect(told.changes).toHaveLength(1));
    await broker.stop();
    await soon(() => expect(told.interrupted).toMatchObject([{ detail: "broker_unreachable" }]));
    await broker.start();
    await soon(() => expect(told.changes).toHaveLength(2));
    expect(told.snapshots.map(({ connections }) => connections[0]?.user)).toEqual(["user-1", "user-2"]);
    expect(told.changes.map(({ connection }) => connection.user)).toEqual(["user-1", "user-2"]);
    expect(told.interrupted).toHaveLength(1);
    expect(told.ended).toEqual([]);
  });

  it("finds an app that is started later", async () => {
    const { broker, session } = await start(script);
    await broker.stop();
    const told = subscribe(session);
    await soon(() => expect(told.interrupted).toHaveLength(1));
    await broker.start();
    await soon(() => expect(told.snapshots).toHaveLength(1));
  });

  it("tells each change once to each listener, although one of them was refused at first", async () => {
    const once = firstTime("events.subscribe", (call) => call.refuse(refusal("rate_limited", { retryAfterSeconds: 0 })), script.onCall);
    const { broker, session } = await start(once);
    const told = subscribe(session);
    await soon(() => expect(told.changes).toHaveLength(1));
    expect(broker.callsOf("events.subscribe")).toHaveLength(2);
    await session.tokenGet(selector);
    expect(told.changes).toHaveLength(1);
  });

  it("ends with the program's pairing", async () => {
    const { broker, session } = await start({ greeting: ({ nonce }) => ({ nonce, proof: nonce }), onCall: () => undefined });
    const told = subscribe(session);
    await soon(() => expect(told.ended).toMatchObject([{ detail: "broker_not_genuine" }]));
    expect(told.interrupted).toEqual([]);
    expect(broker.connections).toBe(1);
  });

  it("tells nothing after it was ended, or the session closed", async () => {
    const { broker, session } = await start(script);
    const [stopped, closed] = [subscribe(session), subscribe(session)];
    await soon(() => expect(closed.snapshots).toHaveLength(1));
    stopped.stop();
    session.close();
    const before = [stopped.changes.length, closed.changes.length];
    await broker.stop();
    expect([stopped.changes.length, closed.changes.length]).toEqual(before);
    expect([stopped, closed].flatMap(({ interrupted, ended }) => [...interrupted, ...ended])).toEqual([]);
  });

  it("gets a new snapshot where a change was missed, and nothing twice", async () => {
    let asked = 0;
    const event = (sequence: number, state: string) =>
      `${JSON.stringify({ jsonrpc: "2.0", method: "event", params: { sequence, type: "connection.changed", connection: { ...someConnection, state } } })}\n`;
    const { session } = await start({
      onCall: (call) => {
        asked += 1;
        if (asked === 1) {
          call.result({ sequence: 0, connections: [] });
          // The third of four is missing.
          call.raw(event(1, "Refreshing") + event(2, "Retrying") + event(4, "Active"));
        } else {
          call.result({ sequence: 4, connections: [someConnection] });
          call.raw(event(4, "Active") + event(5, "ReconnectRequired"));
        }
      },
    });
    const told = subscribe(session);
    await soon(() => expect(told.changes.at(-1)?.connection.state).toBe("ReconnectRequired"));
    expect(told.changes.map(({ sequence }) => sequence)).toEqual([1, 2, 5]);
    expect(told.snapshots.map(({ sequence }) => sequence)).toEqual([0, 4]);
    expect([told.interrupted, asked]).toEqual([[], 2]);
  });

  it("is told that the app restarts and when it will be back, and goes on then", async () => {
    const connections: Call[] = [];
    const { broker, session } = await start({
      onCall: (call) => {
        connections.push(call);
        script.onCall(call);
      },
    });
    const told = subscribe(session);
    await soon(() => expect(told.changes).toHaveLength(1));
    const params = { sequence: 2, type: "shutting_down", retryAfterSeconds: 1 };
    connections[0]?.raw(`${JSON.stringify({ jsonrpc: "2.0", method: "event", params })}\n`);
    await soon(() => expect(told.interrupted).toMatchObject([{ code: "shutting_down", retryable: true, retryAfterSeconds: 1 }]));
    // Though the old connection is still open: no request goes there any more.
    expect(await session.connectionList()).toMatchObject({ ok: true });
    await soon(() => expect(told.snapshots).toHaveLength(2));
    expect(connections.map(({ connection }) => connection)).toEqual([1, 2, 2]);
    expect(broker.connections).toBe(2);
  });
});
