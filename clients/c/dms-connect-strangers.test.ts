/** The C library with brokers that go away, and with strangers on the broker's pipe. */
import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BrokerScript, makeProof } from "../../cli/conformance/scripted-broker.ts";
import { knownClient, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { failure } from "../../shared/failure.ts";
import { writeCredentials } from "../node/credentials-file.ts";
import { compiler, scriptedBroker, temporaryFolder, useLibrary } from "./testing/c-library.ts";
import { Driver } from "./testing/driver.ts";

const { clientId, clientKey } = knownClient;

describe.skipIf(compiler === undefined)("the C library", () => {
  const { driver, session } = useLibrary();

  describe("a connection that breaks", () => {
    const token = { ...someToken };
    it("is made anew once, and the request repeated, where that does no harm", async () => {
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => (call.connection === 1 ? call.hangUp() : call.result(token)) });
      const program = await session(pipe);
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: token.accessToken });
      expect(broker.connections).toBe(2);
      expect(broker.callsOf("token.get").length).toBe(2);
    });

    it("is made anew no second time", async () => {
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => call.hangUp() });
      const program = await session(pipe);
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 12, detail: "broker_unreachable", retryable: 1 });
      expect(broker.connections).toBe(2);
    });

    it.each(["rejected", "start", "cancel", "revoke", "forget"])("does not repeat %s, which may have been done", async (command) => {
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => (call.connection === 1 ? call.hangUp() : call.result(token)) });
      const program = await session(pipe);
      const words = [command, "mazda", "jdoe", ...(command === "rejected" ? ["-", "-", "token-1"] : [])];
      expect(await program.ask(...words)).toMatchObject({ result: 12, code: "broker_unreachable" });
      expect(broker.connections).toBe(1);
      // The next call finds the broker again.
      expect(await program.ask(...words)).toMatchObject({ result: 0 });
      expect(broker.connections).toBe(2);
    });

    it("repeats any request that the broker refused because the session had ended", async () => {
      const ended = { ...failure("session_not_authenticated"), code: "not_paired", detail: "session_not_authenticated" };
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => (call.connection === 1 ? call.refuse(ended) : call.result({})) });
      const program = await session(pipe);
      expect(await program.ask("revoke", "mazda", "jdoe")).toMatchObject({ result: 0 });
      expect(broker.callsOf("connection.revoke").length).toBe(2);
    });

    it("is not waited for longer than was set, and no late answer is taken for another one's", async () => {
      const { broker, pipe } = await scriptedBroker({
        onCall: (call) => (call.params["user"] === "slow" ? call.raw('{"jsonrpc":"2.0","id":') : call.result(token)),
      });
      const program = await session(pipe);
      await program.ask("timeout", "300");
      expect(await program.ask("token", "mazda", "slow")).toMatchObject({ result: 12, detail: "timed_out", retryable: 1 });
      await program.ask("timeout", "60000");
      expect(await program.ask("token", "mazda", "quick")).toMatchObject({ result: 0, accessToken: token.accessToken });
      expect(broker.connections).toBe(2);
    });
  });

  describe("a stranger on the pipe", () => {
    const greetings: readonly (readonly [string, NonNullable<BrokerScript["greeting"]>])[] = [
      ["a proof of its own invention", ({ nonce }) => ({ nonce, proof: "A".repeat(43) })],
      ["the program's label", ({ nonce }, nonces) => ({ nonce, proof: makeProof("program", knownClient, nonces) })],
      ["another nonce", ({ proof }) => ({ nonce: "B".repeat(43), proof })],
      ["a proof whose first byte is wrong", ({ nonce, proof }) => ({ nonce, proof: withBitFlipped(proof, 0) })],
      ["a proof whose last byte is wrong", ({ nonce, proof }) => ({ nonce, proof: withBitFlipped(proof, 31) })],
      ["half a proof", ({ nonce, proof }) => ({ nonce, proof: proof.slice(0, 21) })],
      ["a proof with something after it", ({ nonce, proof }) => ({ nonce, proof: `${proof}=` })],
      ["a proof of another type", ({ nonce }) => ({ nonce, proof: 7 })],
      ["no nonce", ({ proof }) => ({ proof })],
    ];
    it.each(greetings)("is noticed by %s, and gets nothing", async (_name, greeting) => {
      const { broker, pipe } = await scriptedBroker({ greeting, onCall: (call) => call.result({}) });
      const program = driver();
      await program.ask("open", pipe);
      expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({
        result: 13,
        code: "broker_not_genuine",
        clientKey: "",
      });
      const file = path.join(temporaryFolder(), "credentials.json");
      await writeCredentials(file, knownClient);
      expect(await program.ask("load", file)).toMatchObject({ result: 0 });
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 13, code: "broker_not_genuine", accessToken: "" });
      await broker.settled();
      expect(broker.calls.map(({ method }) => method)).toEqual(["session.hello", "session.hello"]);
    });

    it("that only listens is left after a while", async () => {
      const { broker, pipe } = await scriptedBroker({ greeting: () => undefined, onCall: () => undefined });
      const program = driver();
      await program.ask("open", pipe);
      await program.ask("timeout", "300");
      expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({ result: 12, detail: "timed_out" });
      expect(broker.calls.length).toBe(1);
    });

    // Only root can play other users.
    it.skipIf(process.getuid?.() !== 0)("of another user is noticed before anything is said", async () => {
      const pipe = path.join(temporaryFolder(), "broker.sock");
      await chmod(path.dirname(pipe), 0o777);
      const visitor = driver({ userId: 65_534 });
      const stranger = new Driver({ command: [process.execPath, "-e", listenerScript, pipe], userId: 65_533 });
      onTestFinished(() => stranger.kill());
      await stranger.ask("listen");
      expect(await visitor.ask("open", pipe)).toMatchObject({ result: 13, detail: "broker_of_another_user" });
      // What root listens on is as good: root may do anything anyway.
      await rm(pipe);
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(pipe, resolve));
      onTestFinished(() => void server.close());
      await chmod(pipe, 0o777);
      expect(await visitor.ask("open", pipe)).toMatchObject({ result: 0 });
    });
  });
});

function withBitFlipped(proof: string, index: number): string {
  const bytes = Buffer.from(proof, "base64url");
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString("base64url");
}

/** Listens on the path it is given once a line comes in, and says so. */
const listenerScript = `
  const [, path] = process.argv;
  const server = require("node:net").createServer();
  server.on("listening", () => require("node:fs").chmodSync(path, 0o777));
  server.on("listening", () => console.log("{}"));
  process.stdin.once("data", () => server.listen(path));`;
