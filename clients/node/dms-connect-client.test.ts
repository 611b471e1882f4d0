import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { publishBrokerFile } from "../../electron/pipe/broker-file.ts";
import { pipeName } from "../../electron/pipe/pipe-name.ts";
import {
  type FakeBroker,
  type FakeBrokerOptions,
  knownClient,
  pipeIn,
  someConnection,
  someProvider,
  someToken,
  startFakeBroker,
  temporaryFolder,
} from "../../electron/pipe/testing/fake-broker.ts";
import { failure, pipeErrorCode } from "../../shared/failure.ts";
import type { PipeConnection } from "../../shared/pipe-protocol.ts";
import { err } from "../../shared/result.ts";
import { parseFailure } from "./broker-failure.ts";
import { type PipeNameSources, systemPipeNameSources } from "./default-pipe-name.ts";
import { type BrokerClient, type BrokerConnectionEvent, type Credentials, connectToBroker, pairWithBroker } from "./dms-connect-client.ts";
import { findPipe } from "./find-pipe.ts";
import { parseStatus } from "./parse-answers.ts";

const credentials: Credentials = { clientId: knownClient.clientId, clientKey: knownClient.clientKey };
const selector = { provider: "mazda", user: "jdoe" };

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
async function session(pipe: string): Promise<BrokerClient> {
  return opened(await connectToBroker({ pipe, credentials }));
}
/** A connection that has not paired yet. */
async function visit(pipe: string): Promise<BrokerClient> {
  return opened(await connectToBroker({ pipe }));
}
function opened(connected: Awaited<ReturnType<typeof connectToBroker>>): BrokerClient {
  if (!connected.ok) throw new Error(connected.error.detail);
  cleanups.push(() => connected.value.close());
  return connected.value;
}

describe("a session", () => {
  it("calls every method", async () => {
    const client = await session((await broker()).pipe);
    expect(await client.tokenGet(selector)).toEqual({ ok: true, value: someToken });
    expect(await client.tokenRejected({ ...selector, tokenId: "token-1" })).toMatchObject({ ok: true, value: { tokenId: "token-2" } });
    expect(await client.connectionList()).toEqual({ ok: true, value: [someConnection] });
    expect(await client.connectionGet(selector)).toEqual({ ok: true, value: someConnection });
    expect(await client.connectStart(selector)).toMatchObject({ ok: true, value: { state: "Connecting" } });
    expect(await client.connectCancel(selector)).toEqual({ ok: true, value: undefined });
    expect(await client.revoke(selector)).toEqual({ ok: true, value: undefined });
    expect(await client.forget(selector)).toEqual({ ok: true, value: undefined });
    expect(await client.brokerStatus()).toEqual({
      ok: true,
      value: { version: "1.2.3", protocol: 1, vault: "open", providers: [someProvider] },
    });
  });

  it("reads the status of a broker that tells less of its providers, or more", () => {
    const { provider, environment } = someProvider;
    const status = { version: "0.0.1", protocol: 1, vault: "open" };
    expect(parseStatus({ ...status, providers: [{ provider, environment }] }).providers).toEqual([
      { provider, environment, state: "available", authorizationEndpoint: "", tokenEndpoint: "" },
    ]);
    const paused = { ...someProvider, state: "paused", nextTryAt: 5, revocationEndpoint: "https://mazda.example/revoke" } as const;
    expect(parseStatus({ ...status, providers: [{ ...paused, news: 1 }] }).providers).toEqual([paused]);
  });

  it("hands on what the broker refuses with", async () => {
    const dead = failure("grant_dead", { provider: "Mazda" });
    const connectionId = "mazda/production/jdoe";
    const client = await session((await broker({ api: { tokenGet: () => Promise.resolve(err({ ...dead, connectionId })) } })).pipe);
    expect(await client.tokenGet(selector)).toEqual({
      ok: false,
      error: {
        code: "reconnect_required",
        detail: "grant_dead",
        message: dead.message,
        remedy: dead.remedy,
        retryable: false,
        connectionId,
      },
    });
  });

  it("gives the snapshot first and then each change", async () => {
    const listeners = new Set<(connection: PipeConnection) => void>();
    const { pipe } = await broker({
      api: { onConnectionChanged: (_client, listener) => listeners.add(listener) && ((): void => undefined) },
    });
    const client = await session(pipe);
    const events: BrokerConnectionEvent[] = [];
    expect(await client.subscribe((event) => events.push(event))).toMatchObject({
      ok: true,
      value: { sequence: 0, connections: [someConnection] },
    });
    for (const listener of listeners) listener({ ...someConnection, state: "Refreshing" });
    await vi.waitFor(() => expect(events).toMatchObject([{ sequence: 1, connection: { state: "Refreshing" } }]));
  });

  it("ends calls under way when the broker goes away, and refuses later ones", async () => {
    const asked = Promise.withResolvers<void>();
    const { pipe, server } = await broker({
      api: {
        tokenGet: () => {
          asked.resolve();
          return new Promise(() => undefined);
        },
      },
    });
    const client = await session(pipe);
    const call = client.tokenGet(selector);
    await asked.promise;
    await server.close();
    expect(await call).toMatchObject({ ok: false, error: { code: "shutting_down" } });
    await client.closed;
    expect(await client.tokenGet(selector)).toMatchObject({ ok: false, error: { detail: "broker_unreachable" } });
  });
});

describe("pairing", () => {
  it("shows the code, returns the credentials and opens the session", async () => {
    const { pipe, registry } = await broker();
    const client = await visit(pipe);
    const codes: string[] = [];
    registry.approve();
    const paired = await client.pair({ name: "Dealer DMS", publisher: "Vendor", onCode: (code) => codes.push(code) });
    expect(paired).toEqual({ ok: true, value: credentials });
    expect(codes).toEqual(["123456"]);
    expect(registry.requests).toEqual([{ name: "Dealer DMS", publisher: "Vendor" }]);
    expect(await client.tokenGet(selector)).toHaveProperty("ok", true);
  });

  it("hands out the credentials even if the broker goes away before the session", async () => {
    const { pipe, registry, server } = await broker();
    const client = await visit(pipe);
    registry.approve();
    const { findClient } = registry;
    registry.findClient = async (clientId) => {
      await server.close();
      return findClient(clientId);
    };
    expect(await client.pair({ name: "Dealer DMS", onCode: () => undefined })).toEqual({ ok: true, value: credentials });
    await client.closed;
  });

  it("without a session asks nothing more", async () => {
    const { pipe, registry } = await broker();
    registry.approve();
    expect(await pairWithBroker({ pipe, name: "Dealer DMS", onCode: () => undefined })).toEqual({ ok: true, value: credentials });
    await expect.poll(() => registry.closedSessions.length).toBe(1);
  });

  it.each(["pairing_denied", "pairing_expired"] as const)("reports %s", async (code) => {
    const { pipe, registry } = await broker();
    registry.decision = Promise.resolve(err(failure(code)));
    const client = await visit(pipe);
    expect(await client.pair({ name: "Dealer DMS", onCode: () => undefined })).toMatchObject({
      ok: false,
      error: { code: "not_paired", detail: code },
    });
  });
});

/** A program that sits on the pipe's name. Keeps what it was told. */
async function squatter(answer: (message: { id: number; method: string }) => string): Promise<{ pipe: string; heard: string[] }> {
  const pipe = pipeIn(await folder());
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      heard.push(data.toString());
      socket.write(answer(JSON.parse(data.toString()) as { id: number; method: string })); // one short message a write
    });
  });
  await new Promise<void>((resolve) => server.listen(pipe, resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { pipe, heard };
}

describe("a stranger on the pipe's name", () => {
  const someNonce = Buffer.alloc(32, 5).toString("base64url");

  it("is noticed before the program's own proof or any request is sent", async () => {
    const { pipe, heard } = await squatter(
      ({ id }) => `${JSON.stringify({ jsonrpc: "2.0", id, result: { nonce: someNonce, proof: someNonce } })}\n`,
    );
    expect(await connectToBroker({ pipe, credentials })).toMatchObject({
      ok: false,
      error: { code: "not_paired", detail: "broker_not_genuine" },
    });
    expect(heard).toHaveLength(1);
    expect(heard[0]).not.toContain(knownClient.clientKey);
  });

  it.each([
    ["something that is not JSON", () => "hello\n", "broker_unreachable"],
    ["an answer without a proof", ({ id }: { id: number }) => `{"jsonrpc":"2.0","id":${id},"result":{}}\n`, "broker_not_genuine"],
    [
      "an error without data",
      ({ id }: { id: number }) => `{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":"x"}}\n`,
      "internal_error",
    ],
    ["nothing at all", () => "", "timed_out"],
  ])("does not harm the program with %s", async (_what, answer, detail) => {
    const { pipe } = await squatter(answer);
    expect(await connectToBroker({ pipe, credentials, timeoutMs: 100 })).toMatchObject({ ok: false, error: { detail } });
  });

  it("cannot put his own words before the person", async () => {
    const data = { code: "rate_limited", detail: "timed_out", message: "Call 555-1234.", remedy: "Send money.", retryAfterSeconds: 5 };
    const { pipe } = await squatter(({ id }) => `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: 1, message: "x", data } })}\n`);
    const refused = await connectToBroker({ pipe, credentials });
    expect(refused).toMatchObject({ ok: false, error: { code: "rate_limited", retryAfterSeconds: 5 } });
    expect(JSON.stringify(refused)).not.toMatch(/555|money/);
  });

  it("cannot write to the terminal through the code of a pairing", async () => {
    const result = { pairingId: "p", code: "\u001b[2J12345", expiresInSeconds: 60 };
    const { pipe } = await squatter(({ id }) => `${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
    const onCode = vi.fn<(code: string) => void>();
    expect(await pairWithBroker({ pipe, name: "Dealer DMS", onCode })).toMatchObject({ ok: false, error: { detail: "internal_error" } });
    expect(onCode).not.toHaveBeenCalled();
  });
});

describe("a refusal", () => {
  it.each(["pairing_blocked", "pairing_forbidden", "pairing_paused"] as const)("of pairing (%s) comes with its remedy", async (code) => {
    const { pipe, registry } = await broker();
    const refusal = failure(code, {}, code === "pairing_paused" ? { retryAfterSeconds: 7 } : {});
    registry.requestPairing = () => err(refusal);
    const { message, remedy, retryable, retryAfterSeconds } = refusal;
    const error = { code: pipeErrorCode(code), detail: code, message, remedy, retryable, ...(retryAfterSeconds && { retryAfterSeconds }) };
    expect(await pairWithBroker({ pipe, name: "Dealer DMS", onCode: () => undefined })).toEqual({ ok: false, error });
  });

  it("because of too many requests says how many are allowed and when to come again", async () => {
    const refusal = failure("program_rate_limited", { limit: 60 }, { retryAfterSeconds: 3 });
    const client = await session((await broker({ api: { admit: () => err(refusal) } })).pipe);
    expect(await client.tokenGet(selector)).toMatchObject({
      ok: false,
      error: {
        code: "rate_limited",
        detail: "program_rate_limited",
        message: refusal.message,
        remedy: refusal.remedy,
        retryAfterSeconds: 3,
      },
    });
  });

  it("of tomorrow is shown as it is, without what a terminal would obey", async () => {
    const remedy = "Ask J\u00fcrgen.\u001b[31m\u202eNow\n";
    const data = { code: "not_permitted", detail: "cause_of_tomorrow", message: "No.", remedy, retryable: false };
    expect(parseFailure({ code: -1, message: "x", data })).toEqual({ ...data, remedy: "Ask Jürgen. [31m Now " });
  });
});

describe("a call", () => {
  it("on a session that has ended says that nothing was sent", async () => {
    const { pipe, server } = await broker();
    const client = await session(pipe);
    await server.close();
    await client.closed;
    expect(await client.forget(selector)).toMatchObject({ ok: false, error: { detail: "broker_unreachable", noAnswer: "not-sent" } });
  });

  it("that is not answered in time ends, and a silent connection with it", async () => {
    const { pipe } = await broker({ api: { tokenGet: () => new Promise(() => undefined) } });
    const client = opened(await connectToBroker({ pipe, credentials, timeoutMs: 200 }));
    expect(await client.tokenGet(selector)).toMatchObject({ ok: false, error: { detail: "timed_out", noAnswer: "timed-out" } });
    await client.closed;
  });

  it("with a key that is damaged asks to pair again, and does not connect", async () => {
    const { pipe, heard } = await squatter(() => "");
    const damaged = { clientId: "client-1", clientKey: "AAAA" };
    expect(await connectToBroker({ pipe, credentials: damaged })).toMatchObject({ ok: false, error: { code: "not_paired" } });
    expect(heard).toEqual([]);
  });
});

describe("a removed program", () => {
  it("loses its session at once and cannot open another", async () => {
    const { pipe, registry } = await broker();
    const client = await session(pipe);
    registry.remove(knownClient.clientId);
    await client.closed;
    const refused = await connectToBroker({ pipe, credentials });
    expect(refused).toMatchObject({ ok: false, error: { code: "not_paired", detail: "broker_not_genuine" } });
    expect(refused.ok ? "" : refused.error.remedy).toContain("pair it again");
  });
});

describe("a connection", () => {
  it("keeps the marks that it has, and gets none", async () => {
    const marked = { ...someConnection, accessTokenExpiryIsEstimate: true, isNotRenewable: true } as const;
    const { pipe } = await broker({
      api: {
        connectionGet: () => Promise.resolve({ ok: true, value: marked }),
        connectionList: () => Promise.resolve({ ok: true, value: { connections: [someConnection] } }),
      },
    });
    const client = await session(pipe);
    expect(await client.connectionGet(selector)).toEqual({ ok: true, value: marked });
    expect(await client.connectionList()).toEqual({ ok: true, value: [someConnection] });
  });
});

describe("a newer broker", () => {
  it("is understood as far as possible", async () => {
    const newer = {
      ...someConnection,
      state: "Hibernating",
      colour: "blue",
      problem: { code: "new_word", detail: "new_detail", retryable: true },
    };
    // What a version of the future might send; today's types cannot say it.
    const { pipe } = await broker({
      api: { connectionGet: () => Promise.resolve({ ok: true, value: newer as unknown as PipeConnection }) },
    });
    const client = await session(pipe);
    expect(await client.connectionGet(selector)).toMatchObject({
      ok: true,
      value: { state: "Retrying", problem: { code: "internal_error", detail: "new_detail", retryable: true } },
    });
  });
});

describe("the pipe", () => {
  const sources = (env: PipeNameSources["env"], changes: Partial<PipeNameSources> = {}): PipeNameSources => ({
    ...systemPipeNameSources(),
    env,
    ...changes,
  });

  it("is found as told, then by DMS_CONNECT_PIPE, then in broker.json, then by its default name", async () => {
    const profile = await folder();
    await publishBrokerFile(profile, "published");
    const all = { DMS_CONNECT_PIPE: "from-variable", DMS_CONNECT_PROFILE: profile };
    expect(await findPipe("explicit", sources(all))).toEqual({ name: "explicit", source: "option" });
    expect(await findPipe(undefined, sources(all))).toEqual({ name: "from-variable", source: "DMS_CONNECT_PIPE" });
    expect(await findPipe(undefined, sources({ DMS_CONNECT_PROFILE: profile }))).toEqual({ name: "published", source: "broker.json" });
    expect(await findPipe(undefined, sources({ DMS_CONNECT_PROFILE: path.join(profile, "none") }))).toMatchObject({
      source: "default name",
    });
  });

  it.skipIf(process.platform === "win32")("has the default name on which the broker listens", async () => {
    const runtime = await folder();
    const env = { XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: runtime };
    await mkdir(path.join(runtime, "dms-connect"));
    expect(await pipeName(sources(env))).toEqual({ ok: true, value: (await findPipe(undefined, sources(env))).name });
  });

  it("on which nobody listens is reported as such", async () => {
    expect(await connectToBroker({ pipe: pipeIn(await folder()), credentials })).toMatchObject({
      ok: false,
      error: { code: "internal_error", detail: "broker_unreachable", retryable: true },
    });
  });
});
