import { afterEach, describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import { brokerProof, programProof } from "./handshake.ts";
import { type FakeBroker, type FakeBrokerOptions, knownClient, startFakeBroker } from "./testing/fake-broker.ts";
import { clientNonce, proofFor, RawClient } from "./testing/raw-client.ts";

const brokers: FakeBroker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.dispose()));
});
async function broker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const started = await startFakeBroker(options);
  brokers.push(started);
  return started;
}

/** The same 32 bytes: 43 characters carry two bits more than they need. */
function withOtherUnusedBits(proof: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(proof.slice(-1));
  return `${proof.slice(0, -1)}${alphabet[last + 1]}`;
}

describe("entering a session", () => {
  it("admits a program that proves its key", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    expect(await program.authenticate()).toMatchObject({ id: "ask", result: { name: "DMS Connect", version: "1.2.3" } });
    expect(await program.ask("token.get", { provider: "mazda", user: "jdoe" })).toMatchObject({ result: { tokenId: "token-1" } });
  });

  it("gives each of several programs its own name and rights, and none another's", async () => {
    const seen: string[] = [];
    const { pipe, registry } = await broker({
      api: {
        connectionList: ({ clientId }) => {
          seen.push(clientId);
          return Promise.resolve(ok({ connections: [] }));
        },
      },
    });
    const other = { ...knownClient, clientId: "client-2", clientKey: Buffer.alloc(32, 8).toString("base64url") };
    registry.clients.set(other.clientId, other);
    const [first, second, impostor] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe), RawClient.connect(pipe)]);
    await first.authenticate();
    const { nonce } = await second.hello(other.clientId);
    await second.ask("session.authenticate", { proof: proofFor(nonce, other) });
    await second.ask("connection.list");
    await first.ask("connection.list");
    expect(seen).toEqual(["client-2", "client-1"]);
    const challenge = await impostor.hello(other.clientId);
    const proof = proofFor(challenge.nonce, { ...knownClient, clientId: other.clientId });
    expect(await impostor.ask("session.authenticate", { proof })).toMatchObject({ error: { data: { code: "not_paired" } } });
  });

  it("refuses every other method before that", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    for (const method of ["token.get", "events.subscribe", "broker.status"]) {
      expect(await program.ask(method, {})).toMatchObject({
        error: { code: -32000, data: { code: "not_paired", detail: "session_not_authenticated" } },
      });
    }
    await program.hello();
    expect(await program.ask("token.get", {})).toMatchObject({ error: { data: { code: "not_paired" } } });
  });

  it("answers a request that was sent right behind the proof", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    const { nonce } = await program.hello();
    const wanted = { provider: "mazda", user: "jdoe" };
    program.send(
      { id: 1, method: "session.authenticate", params: { proof: proofFor(nonce) } },
      { id: 2, method: "token.get", params: wanted },
      { id: 3, method: "events.subscribe" },
    );
    const answers = [await program.next(), await program.next(), await program.next()];
    expect(answers.toSorted((a, b) => Number(a.id) - Number(b.id))).toMatchObject([
      { id: 1, result: { name: "DMS Connect" } },
      { id: 2, result: { tokenId: "token-1" } },
      { id: 3, result: { sequence: 0 } },
    ]);
  });

  it("refuses a request that was sent right behind a wrong proof", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    await program.hello();
    program.send(
      { id: 1, method: "session.authenticate", params: { proof: clientNonce } },
      { id: 2, method: "token.get", params: { provider: "mazda", user: "jdoe" } },
    );
    const answers = [await program.next(), await program.next()];
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2]));
    for (const answer of answers) expect(answer).toMatchObject({ error: { data: { code: "not_paired" } } });
    await program.closed;
  });

  it("refuses a wrong proof and ends the connection", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    await program.hello();
    const wrong = Buffer.alloc(32, 3).toString("base64url");
    expect(await program.ask("session.authenticate", { proof: wrong })).toMatchObject({
      error: { data: { code: "not_paired", detail: "not_paired" } },
    });
    await program.closed;
  });

  it("refuses a proof that was right in another session", async () => {
    const { pipe } = await broker();
    const first = await RawClient.connect(pipe);
    const { nonce } = await first.hello();
    const proof = proofFor(nonce);
    expect(await first.ask("session.authenticate", { proof })).toHaveProperty("result");

    const second = await RawClient.connect(pipe);
    await second.hello();
    expect(await second.ask("session.authenticate", { proof })).toMatchObject({ error: { data: { code: "not_paired" } } });
  });

  it("refuses its own proof sent back", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    const { proof } = await program.hello();
    expect(await program.ask("session.authenticate", { proof })).toMatchObject({ error: { data: { code: "not_paired" } } });
  });

  it("answers an unknown program exactly like one with a wrong key", async () => {
    const { pipe } = await broker();
    const answers = await Promise.all(
      [knownClient.clientId, "nobody"].map(async (clientId) => {
        const program = await RawClient.connect(pipe);
        const hello = await program.hello(clientId);
        const refused = await program.ask("session.authenticate", { proof: Buffer.alloc(32).toString("base64url") });
        await program.closed;
        return { nonceLength: hello.nonce.length, proofLength: hello.proof.length, refused };
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
  });

  it("refuses every wrong proof alike: same answer, same end, whatever is wrong with it", async () => {
    const { pipe, registry, log } = await broker();
    const earlier = await RawClient.connect(pipe);
    const replayed = proofFor((await earlier.hello()).nonce);
    const key = Buffer.from(knownClient.clientKey, "base64url");
    const right = (serverNonce: string) => proofFor(serverNonce);
    const wrong: Record<string, (greeting: { readonly nonce: string; readonly proof: string }) => unknown> = {
      "of another session": () => replayed,
      "the broker's own": ({ proof }) => proof,
      "with the broker's label": ({ nonce }) => brokerProof({ key, clientId: knownClient.clientId, clientNonce, serverNonce: nonce }),
      "with the nonces exchanged": ({ nonce }) =>
        programProof({ key, clientId: knownClient.clientId, clientNonce: nonce, serverNonce: clientNonce }),
      truncated: ({ nonce }) => right(nonce).slice(0, -1),
      empty: () => "",
      padded: ({ nonce }) => `${right(nonce)}=`,
      "in hexadecimal": ({ nonce }) => Buffer.from(right(nonce), "base64url").toString("hex"),
      "with other unused bits": ({ nonce }) => withOtherUnusedBits(right(nonce)),
      "of a client that was removed meanwhile": ({ nonce }) => {
        registry.clients.delete(knownClient.clientId);
        return right(nonce);
      },
    };
    const answers = new Set<string>();
    for (const [what, proofOf] of Object.entries(wrong)) {
      const program = await RawClient.connect(pipe);
      const proof = proofOf(await program.hello());
      answers.add(JSON.stringify({ ...(await program.ask("session.authenticate", { proof })), id: 0 }));
      await program.closed;
      expect([what, answers.size]).toEqual([what, 1]);
    }
    expect([...answers][0]).toContain('"code":"not_paired"');
    expect(registry.decidedSessions).toEqual(Object.keys(wrong).map(() => `${knownClient.clientId} not_paired`));
    expect(log.lines.join("\n")).not.toContain(replayed);
  });

  it.each([0, 4_102_444_800_000, -1])("does not depend on the clock: at %d ms all is as ever", async (atMs) => {
    const program = await RawClient.connect((await broker({ nowMs: () => atMs })).pipe);
    expect(await program.authenticate()).toHaveProperty("result");
  });

  it("refuses a program that was removed between hello and proof", async () => {
    const { pipe, registry } = await broker();
    const program = await RawClient.connect(pipe);
    const { nonce } = await program.hello();
    registry.clients.delete(knownClient.clientId);
    expect(await program.ask("session.authenticate", { proof: proofFor(nonce) })).toMatchObject({
      error: { data: { code: "not_paired" } },
    });
  });

  it("refuses another protocol version and names its own", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    const refused = await program.ask("session.hello", { protocol: 2, clientId: "client-1", nonce: clientNonce });
    expect(refused).toMatchObject({ error: { code: -32005, data: { code: "invalid_request", detail: "protocol_unsupported" } } });
    // The program may fall back to version 1 on the same connection.
    expect(await program.authenticate()).toHaveProperty("result");
  });

  it("refuses another protocol version whatever its other fields are", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    for (const others of [{}, { clientId: 7 }, { clientId: "a b", nonce: "short" }, { nonce: null, key: "of the future" }]) {
      expect(await program.ask("session.hello", { protocol: 2, ...others })).toMatchObject({
        error: { code: -32005, data: { code: "invalid_request", detail: "protocol_unsupported" } },
      });
    }
    expect(await program.ask("session.hello", { clientId: 7 })).toMatchObject({ error: { code: -32602 } });
    expect(await program.authenticate()).toHaveProperty("result");
  });

  it("refuses a nonce or client id of the wrong form", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    const right = { protocol: 1, clientId: "client-1", nonce: clientNonce };
    for (const wrong of [{ nonce: "short" }, { nonce: `${clientNonce}=` }, { clientId: "a\nb" }, { protocol: "1" }]) {
      expect(await program.ask("session.hello", { ...right, ...wrong })).toMatchObject({ error: { code: -32602 } });
    }
  });

  it("refuses a second hello, and a proof without hello", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    expect(await program.ask("session.authenticate", { proof: clientNonce })).toMatchObject({ error: { code: -32600 } });
    await program.hello();
    expect(await program.ask("session.hello", {})).toMatchObject({ error: { code: -32600 } });
  });

  it("ends a connection that proves nothing in time, even one that sends half a message", async () => {
    const { pipe } = await broker({ limits: { authenticationMs: 50 } });
    const [silent, half] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe)]);
    half.socket.write('{"jsonrpc":"2.0","id":1,');
    await Promise.all([silent.closed, half.closed]);
    expect(silent.bytesReceived + half.bytesReceived).toBe(0);
  });
});

describe("pairing", () => {
  const request = { name: "Dealer DMS", publisher: "Vendor", reason: "To read orders" };

  it("answers with a code at once and with the key after approval; then the session can begin", async () => {
    const { pipe, registry } = await broker();
    const program = await RawClient.connect(pipe);
    expect(await program.ask("pairing.request", request)).toMatchObject({
      result: { pairingId: "pairing-1", code: "123456", expiresInSeconds: 120 },
    });
    expect(registry.requests).toEqual([request]);
    registry.approve();
    expect(await program.ask("pairing.wait", { pairingId: "pairing-1" })).toMatchObject({
      result: { clientId: knownClient.clientId, clientKey: knownClient.clientKey },
    });
    expect(await program.authenticate()).toHaveProperty("result");
  });

  it.each(["pairing_denied", "pairing_expired"] as const)("tells the program of %s", async (code) => {
    const { pipe, registry } = await broker();
    const program = await RawClient.connect(pipe);
    await program.ask("pairing.request", request);
    registry.decision = Promise.resolve(err(failure(code)));
    expect(await program.ask("pairing.wait", { pairingId: "pairing-1" })).toMatchObject({
      error: { data: { code: "not_paired", detail: code } },
    });
    // The program may ask again on the same connection.
    expect(await program.ask("pairing.request", request)).toHaveProperty("result");
  });

  it("refuses to wait for a pairing that is not this connection's", async () => {
    const { pipe, registry } = await broker();
    const [program, other] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe)]);
    await program.ask("pairing.request", request);
    registry.approve();
    expect(await other.ask("pairing.wait", { pairingId: "pairing-1" })).toMatchObject({ error: { data: { detail: "pairing_unknown" } } });
    expect(await program.ask("pairing.wait", { pairingId: "wrong" })).toMatchObject({ error: { data: { detail: "pairing_unknown" } } });
  });

  it("stops the clock of the connection while the person decides", async () => {
    const { pipe, registry } = await broker({ limits: { authenticationMs: 50 } });
    const [waiting, idle] = await Promise.all([RawClient.connect(pipe), RawClient.connect(pipe)]);
    await waiting.ask("pairing.request", request);
    await idle.closed;
    registry.approve();
    expect(await waiting.ask("pairing.wait", { pairingId: "pairing-1" })).toHaveProperty("result");
  });

  it("refuses names that could mislead the person at the prompt", async () => {
    const program = await RawClient.connect((await broker()).pipe);
    for (const name of ["", "a".repeat(65), "Dealer\u202eSMD", "a\nb", "\ud800"]) {
      expect(await program.ask("pairing.request", { name })).toMatchObject({
        error: { code: -32602, data: { detail: "message_invalid" } },
      });
    }
  });

  it("tells the registry when the connection is gone, so that the prompt goes away", async () => {
    const { pipe, registry, server } = await broker();
    const program = await RawClient.connect(pipe);
    await program.ask("pairing.request", request);
    program.socket.destroy();
    await program.closed;
    await server.close();
    expect(registry.closedSessions).toHaveLength(1);
  });
});
