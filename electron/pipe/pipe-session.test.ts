import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type FakeBroker, type FakeBrokerOptions, knownClient, someConnection, someToken, startFakeBroker } from "./testing/fake-broker.ts";
import { RawClient } from "./testing/raw-client.ts";

const brokers: FakeBroker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.dispose()));
});

interface Session {
  readonly broker: FakeBroker;
  readonly program: RawClient;
}
async function session(options: FakeBrokerOptions = {}): Promise<Session> {
  const broker = await startFakeBroker(options);
  brokers.push(broker);
  const program = await RawClient.connect(broker.pipe);
  await program.authenticate();
  return { broker, program };
}

/** Token requests that the test answers one by one. */
function heldTokens(): {
  readonly tokenGet: () => Promise<Result<TokenGetResult>>;
  readonly taken: (() => void)[];
  readonly takenAtLeast: (count: number) => Promise<void>;
} {
  const taken: (() => void)[] = [];
  return {
    taken,
    tokenGet: () => new Promise((resolve) => taken.push(() => resolve(ok(someToken)))),
    takenAtLeast: (count) => vi.waitFor(() => expect(taken.length).toBeGreaterThanOrEqual(count)),
  };
}

const wanted = { provider: "mazda", user: "jdoe" };
const tokenRequest = (id: number): object => ({ id, method: "token.get", params: wanted });

describe("messages of a session", () => {
  it("reach the broker parsed, with the program that sent them", async () => {
    const tokenGet = vi.fn<FakeTokenGet>(() => Promise.resolve(ok(someToken)));
    const { program } = await session({ api: { tokenGet } });
    const params = { ...wanted, environment: "acceptance", organisation: "10030/MMD", minValiditySeconds: 300 };
    await program.ask("token.get", { ...params, fieldOfTheFuture: true });
    expect(tokenGet).toHaveBeenCalledExactlyOnceWith(knownClient, params);
  });

  it.each([
    ["connection.list", undefined, { connections: [someConnection] }],
    ["connection.get", wanted, someConnection],
    ["connect.start", { ...wanted, organisation: "10030/MMD" }, { connection: { state: "Connecting" } }],
    ["connect.cancel", wanted, {}],
    ["connection.revoke", wanted, {}],
    ["connection.forget", wanted, {}],
    ["token.rejected", { ...wanted, tokenId: "token-1" }, { tokenId: "token-2" }],
    ["broker.status", {}, { version: "1.2.3", protocol: 1, vault: "open" }],
  ])("%s is answered", async (method, params, result) => {
    const { program } = await session();
    expect(await program.ask(method, params)).toMatchObject({ jsonrpc: "2.0", id: "ask", result });
  });

  it("are refused with the field's name and never its value when a parameter is wrong", async () => {
    const { program } = await session();
    for (const [wrong, field] of [
      [{ environment: "secret-value" }, "params.environment"],
      [{ user: ["secret-value"] }, "params.user"],
      [{ user: "secret-value\ud800" }, "params.user"],
      [{ minValiditySeconds: 1.5 }, "params.minValiditySeconds"],
      [{ organisation: null }, "params.organisation"],
    ] as const) {
      const { error } = await program.ask("token.get", { ...wanted, ...wrong });
      expect(error).toMatchObject({ code: -32602, data: { code: "invalid_request", detail: "message_invalid" } });
      expect(error?.message).toContain(field);
      expect(error?.message).not.toContain("secret-value");
    }
    expect(await program.ask("token.get", ["mazda", "jdoe"])).toMatchObject({ error: { code: -32602 } });
  });

  it("are refused for methods nobody knows, the names of built-in properties included", async () => {
    const { program } = await session();
    for (const method of ["token.steal", "constructor", "__proto__"]) {
      expect(await program.ask(method, {})).toMatchObject({
        error: { code: -32601, data: { code: "invalid_request", detail: "method_unknown" } },
      });
    }
  });

  it.each([
    ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"broker.status"}]', -32600, null],
    ["a notification", '{"jsonrpc":"2.0","method":"broker.status"}', -32600, null],
    ["an id of the wrong type", '{"jsonrpc":"2.0","id":1.5,"method":"broker.status"}', -32600, null],
    ["an id that is too long", `{"jsonrpc":"2.0","id":"${"x".repeat(129)}","method":"broker.status"}`, -32600, null],
    ["another version of JSON-RPC", '{"id":1,"method":"broker.status"}', -32600, 1],
    ["no method", '{"jsonrpc":"2.0","id":1}', -32600, 1],
    ["a bare value", "null", -32600, null],
    ["no JSON", "{", -32700, null],
    ["very deep nesting", "[".repeat(65_000), -32700, null],
    ["very deep nesting that ends well", `${"[".repeat(32_000)}${"]".repeat(32_000)}`, -32600, null],
  ])("are refused and the session goes on: %s", async (_what, line, code, id) => {
    const { program } = await session();
    program.socket.write(`${line}\n`);
    expect(await program.next()).toMatchObject({ id, error: { code, data: { code: "invalid_request" } } });
    expect(await program.ask("broker.status")).toHaveProperty("result");
  });

  it("are refused when not UTF-8, and the session goes on", async () => {
    const { program } = await session();
    program.socket.write(Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]));
    expect(await program.next()).toMatchObject({ id: null, error: { code: -32700 } });
    expect(await program.ask("broker.status")).toHaveProperty("result");
  });

  it("may have 64 KiB and not one byte more", async () => {
    const { program } = await session();
    const frame = (bytes: number): string => {
      const start = '{"jsonrpc":"2.0","id":1,"method":"broker.status","padding":"';
      return `${start}${"x".repeat(bytes - start.length - 3)}"}\n`;
    };
    program.socket.write(frame(65_536));
    expect(await program.next()).toMatchObject({ id: 1, result: {} });
    program.socket.write(frame(65_537));
    expect(await program.next()).toMatchObject({ id: null, error: { code: -32600, data: { detail: "message_too_large" } } });
    await program.closed;
  });

  it("may come in halves, without holding up another program", async () => {
    const { broker, program } = await session();
    program.socket.write('{"jsonrpc":"2.0","id":1,"method":"bro');
    const other = await RawClient.connect(broker.pipe);
    expect(await other.authenticate()).toHaveProperty("result");
    program.socket.write('ker.status"}\r\n\n\r\n');
    expect(await program.next()).toMatchObject({ id: 1, result: {} });
  });

  it("are answered out of order when a later one is done first", async () => {
    const held = heldTokens();
    const { program } = await session({ api: { tokenGet: held.tokenGet } });
    program.send(tokenRequest(1), { id: "two", method: "broker.status" });
    expect(await program.next()).toMatchObject({ id: "two" });
    await held.takenAtLeast(1);
    held.taken[0]?.();
    expect(await program.next()).toMatchObject({ id: 1, result: { tokenId: "token-1" } });
  });

  it("with an id that still waits are refused under no id, and the first is answered", async () => {
    const held = heldTokens();
    const { program } = await session({ api: { tokenGet: held.tokenGet } });
    program.send(tokenRequest(1), { id: 1, method: "broker.status" }, { id: "1", method: "broker.status" });
    expect(await program.next()).toMatchObject({ id: null, error: { code: -32600 } });
    expect(await program.next()).toMatchObject({ id: "1" });
    held.taken[0]?.();
    expect(await program.next()).toMatchObject({ id: 1, result: { tokenId: "token-1" } });
    expect(await program.ask("broker.status", {}, 1)).toMatchObject({ id: 1, result: { version: "1.2.3" } });
  });

  it("answer a bug behind the pipe with internal_error and log it", async () => {
    const { program, broker } = await session({ api: { tokenGet: () => Promise.reject(new Error("a bug")) } });
    expect(await program.ask("token.get", wanted)).toMatchObject({
      error: { code: -32603, data: { code: "internal_error", retryable: true } },
    });
    expect(broker.log.lines.at(-1)).toContain("pipe.method_failed");
  });

  it("carry every field of a failure", async () => {
    const busy = failure("provider_busy", { provider: "Mazda", status: 503 }, { retryAfterSeconds: 30 });
    const { program } = await session({ api: { tokenGet: () => Promise.resolve(err(busy)) } });
    expect(await program.ask("token.get", wanted)).toEqual({
      jsonrpc: "2.0",
      id: "ask",
      error: {
        code: -32004,
        message: busy.message,
        data: {
          code: "provider_unavailable",
          detail: "provider_busy",
          message: busy.message,
          remedy: busy.remedy,
          retryable: true,
          retryAfterSeconds: 30,
        },
      },
    });
  });

  it("leave no token in the log", async () => {
    const { program, broker } = await session();
    await program.ask("token.get", wanted);
    expect(broker.log.lines.join("\n")).not.toContain(someToken.accessToken);
  });
});

describe("back-pressure", () => {
  it("takes as many requests as may be pending, leaves the rest in the pipe and drops none", async () => {
    const held = heldTokens();
    const { program } = await session({ api: { tokenGet: held.tokenGet }, limits: { maxPendingRequests: 4 } });
    const ids = Array.from({ length: 50 }, (_, index) => index);
    program.send(...ids.map(tokenRequest));
    await held.takenAtLeast(4);
    const answered: unknown[] = [];
    for (const id of ids) {
      await held.takenAtLeast(id + 1);
      // All earlier ones are answered, so this one and three more are all the broker may have taken.
      expect(held.taken.length).toBeLessThanOrEqual(id + 4);
      held.taken[id]?.();
      answered.push((await program.next()).id);
    }
    expect(answered).toEqual(ids);
  });

  it("answers a flood of senseless lines without dropping the request behind it", async () => {
    const { program } = await session();
    program.socket.write("x\n".repeat(30_000));
    program.send({ id: "last", method: "broker.status" });
    let count = 0;
    while ((await program.next()).id !== "last") count += 1;
    expect(count).toBe(30_000);
  });

  it("cuts a program that never reads its answers", async () => {
    let nowMs = 0;
    const connections = Array.from({ length: 2_000 }, () => someConnection);
    const { program, broker } = await session({
      api: { connectionList: () => Promise.resolve(ok({ connections })) },
      limits: { sweepMs: 10, stalledWriteMs: 30_000 },
      nowMs: () => nowMs,
    });
    program.socket.pause();
    program.send(...Array.from({ length: 100 }, (_, id) => ({ id, method: "connection.list" })));
    await vi.waitFor(() => {
      nowMs += 30_000;
      expect(broker.registry.closedSessions).toHaveLength(1);
    });
  });

  it("cuts a program that lets more answers pile up than the bound", async () => {
    const longToken = { ...someToken, accessToken: "t".repeat(30_000) };
    const held: (() => void)[] = [];
    const tokenGet = () => new Promise<Result<TokenGetResult>>((resolve) => held.push(() => resolve(ok({ ...longToken }))));
    const { program, broker } = await session({ api: { tokenGet }, limits: { maxUnsentBytes: 256 * 1024 } });
    program.send(...Array.from({ length: 200 }, (_, id) => tokenRequest(id)));
    await vi.waitFor(() => expect(held).toHaveLength(200));
    program.socket.pause();
    await vi.waitFor(() => {
      // A few at a time: the bound is looked at with each write.
      for (const answer of held.splice(0, 5)) answer();
      expect(broker.registry.closedSessions).toHaveLength(1);
    }, 10_000);
  });

  it("ends an idle session, but neither one that waits for events nor one with a request under way", async () => {
    let nowMs = 0;
    const held = heldTokens();
    const { program: idle, broker } = await session({ api: { tokenGet: held.tokenGet }, limits: { sweepMs: 10 }, nowMs: () => nowMs });
    const [subscriber, asker] = await Promise.all([RawClient.connect(broker.pipe), RawClient.connect(broker.pipe)]);
    await Promise.all([subscriber.authenticate(), asker.authenticate()]);
    await subscriber.ask("events.subscribe");
    asker.send(tokenRequest(1));
    await held.takenAtLeast(1);
    nowMs = 10 * 60_000;
    await idle.closed;
    held.taken[0]?.();
    expect(await asker.next()).toHaveProperty("result");
    expect(await subscriber.ask("broker.status")).toHaveProperty("result");
  });
});

type FakeTokenGet = () => Promise<Result<TokenGetResult>>;
