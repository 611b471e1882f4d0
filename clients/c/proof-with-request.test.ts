/** The C library's shortest way to a token: its request goes right behind its proof. */
import type { Socket } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { knownClient, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { writeCredentials } from "../node/credentials-file.ts";
import { compiler, temporaryFolder, useLibrary } from "./testing/c-library.ts";
import type { Driver } from "./testing/driver.ts";
import { rightAnswer, startRawBroker } from "./testing/raw-broker.ts";

describe.skipIf(compiler === undefined)("the C library that asks together with its proof", () => {
  const { driver } = useLibrary();

  /** A program that has loaded its key, and nothing else. */
  async function loaded(pipe: string): Promise<Driver> {
    const file = path.join(temporaryFolder(), "credentials.json");
    await writeCredentials(file, knownClient);
    const program = driver();
    await program.ask("open", pipe);
    expect(await program.ask("load", file)).toMatchObject({ result: 0 });
    return program;
  }
  const refusal = (id: number, word: string): string =>
    `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "No.", data: { code: word, detail: word, message: "No." } } })}\n`;

  it("waits for neither answer before it has sent both", async () => {
    let connections = 0;
    let proofAnswer: Buffer = Buffer.alloc(0);
    const pipe = await startRawBroker((request) => {
      const right = rightAnswer(request);
      if (request.method === "session.hello") connections += 1;
      if (request.method !== "session.authenticate") return { bytes: Buffer.concat([proofAnswer, right]) };
      proofAnswer = right;
      return { bytes: "" };
    });
    const program = await loaded(pipe);
    expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: someToken.accessToken });
    expect(await program.ask("list")).toMatchObject({ result: 0 });
    expect(connections).toBe(1);
  });

  it("takes the answers in any order", async () => {
    let connections = 0;
    let proofAnswer: Buffer = Buffer.alloc(0);
    const pipe = await startRawBroker((request) => {
      const right = rightAnswer(request);
      if (request.method === "session.hello") connections += 1;
      if (request.method !== "session.authenticate") return { bytes: Buffer.concat([right, proofAnswer]) };
      proofAnswer = right;
      return { bytes: "" };
    });
    const program = await loaded(pipe);
    for (let count = 0; count < 3; count += 1) expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0 });
    expect(connections).toBe(1);
  });

  it.each([
    ["not_paired", 3],
    ["rate_limited", 9],
  ])("is told %s of its proof, and connects anew for the next request", async (word, result) => {
    const sockets = new Set<Socket>();
    const pipe = await startRawBroker((request, socket) => {
      sockets.add(socket);
      const isRefused = request.method === "session.authenticate" && sockets.size === 1;
      return { bytes: isRefused ? refusal(request.id, word) : rightAnswer(request) };
    });
    const program = await loaded(pipe);
    expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result, code: word, accessToken: "" });
    expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: someToken.accessToken });
    expect(sockets.size).toBe(2);
  });

  it("keeps its session when the request is refused", async () => {
    let connections = 0;
    const pipe = await startRawBroker((request) => {
      if (request.method === "session.hello") connections += 1;
      return { bytes: request.method === "token.get" ? refusal(request.id, "not_connected") : rightAnswer(request) };
    });
    const program = await loaded(pipe);
    for (let count = 0; count < 2; count += 1) expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 5 });
    expect(connections).toBe(1);
  });
});
