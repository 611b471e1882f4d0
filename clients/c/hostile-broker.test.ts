/** The C library with a broker that says anything at all, with sanitizers where the compiler has them. */
import { describe, expect, it } from "vitest";
import { knownClient, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { compiler, useLibrary } from "./testing/c-library.ts";
import type { Driver, Report } from "./testing/driver.ts";
import { mutate, randomNumbers } from "./testing/mutations.ts";
import { rightAnswer, startRawBroker } from "./testing/raw-broker.ts";

const { clientId, clientKey } = knownClient;
const maxAnswer = 65_536;
const maxList = 8 * 1024 * 1024;
const spoiltTranscripts = 1_500;
const fuzzMs = 120_000;

describe.skipIf(compiler === undefined)("the C library", () => {
  const { driver, session } = useLibrary();

  /** Asks for a token of a broker that answers `token.get` with these bytes, then of one that answers well. */
  async function tokenFrom(bytes: (id: number) => Buffer | string): Promise<Report> {
    const pipe = await startRawBroker((request) => {
      const isSpoilt = request.method === "token.get" && request.params["user"] === "spoilt";
      return { bytes: isSpoilt ? bytes(request.id) : rightAnswer(request) };
    });
    const program = await session(pipe);
    await program.ask("timeout", "2000");
    const report = await program.ask("token", "mazda", "spoilt");
    expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: someToken.accessToken });
    return report;
  }
  const answer = (id: number, result: unknown): string => `${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`;
  const without = (name: string) => (id: number) =>
    answer(id, Object.fromEntries(Object.entries(someToken).filter(([field]) => field !== name)));
  const having = (fields: object) => (id: number) => answer(id, { ...someToken, ...fields });

  const invalid: readonly (readonly [string, (id: number) => Buffer | string])[] = [
    ["no JSON", () => "HTTP/1.1 400 Bad Request\r\n"],
    ["half of it, as if it were whole", (id) => `${answer(id, someToken).slice(0, 80)}\n`],
    ["an array", (id) => `[${answer(id, someToken).trim()}]\n`],
    ["a result that is no object", (id) => answer(id, "token")],
    ["neither result nor error", (id) => `${JSON.stringify({ jsonrpc: "2.0", id })}\n`],
    ["a million brackets", () => `${"[".repeat(60_000)}\n`],
    ["brackets within the result", (id) => `{"id":${id},"result":${"[".repeat(40)}${"]".repeat(40)}}\n`],
    ["text that is not UTF-8", (id) => Buffer.from(answer(id, someToken).replace("secret", "secret\xff"), "latin1")],
    ["a zero byte", (id) => answer(id, someToken).replace("secret", "secret\u0000")],
    ["an escaped zero byte", having({ accessToken: "secret\u0000" })],
    ["half a surrogate pair", having({ accessToken: "secret\ud800" })],
    ["an empty token", having({ accessToken: "" })],
    ["a token that is a number", having({ accessToken: 7 })],
    ["another type of token", having({ tokenType: "mac" })],
    ["an expiry that is text", having({ expiresAt: "soon" })],
    ["an expiry beyond all numbers", (id) => answer(id, someToken).replace("2000000000", "1e999")],
    ["headers that are an array", having({ headers: ["Authorization: Bearer x"] })],
    ["a header that is a number", having({ headers: { Authorization: 7 } })],
    ...["accessToken", "tokenType", "tokenId", "expiresAt", "expiresInSeconds", "headers"].map(
      (name) => [`no ${name}`, without(name)] as const,
    ),
    ["a line longer than 64 KiB", having({ later: "x".repeat(maxAnswer) })],
    ["a line without end", () => "x".repeat(maxAnswer * 20)],
    ["endless empty lines", () => "\n".repeat(100_000)],
    ["endless notifications", () => '{"jsonrpc":"2.0","method":"event"}\n'.repeat(2_000)],
  ];
  it.each(invalid)("makes no token of %s, and goes on afterwards", async (_name, bytes) => {
    expect(await tokenFrom(bytes)).toMatchObject({
      result: 1,
      code: "internal_error",
      detail: "answer_invalid",
      accessToken: "",
      headers: "",
    });
  });

  const strange: readonly (readonly [string, (id: number) => Buffer | string])[] = [
    ["CR LF and empty lines", (id) => `\r\n\n${answer(id, someToken).trim()}\r\n`],
    [
      "spaces everywhere",
      (id) => `  ${JSON.stringify({ jsonrpc: "2.0", id, result: someToken }, undefined, " ").replaceAll("\n", " ")} \n`,
    ],
    ["answers to others before it", (id) => answer(id + 1, { ...someToken, accessToken: "wrong" }) + answer(id, someToken)],
    ["fields nobody knows", having({ later: { deep: [null, 1e5, { a: "b" }] } })],
    ["escaped names", (id) => answer(id, someToken).replace("accessToken", "\\u0061ccessToken")],
    ["exactly 64 KiB", (id) => answer(id, { ...someToken, later: "x".repeat(maxAnswer - answer(id, { ...someToken, later: "" }).length) })],
  ];
  it.each(strange)("takes the token out of %s", async (_name, bytes) => {
    expect(await tokenFrom(bytes)).toMatchObject({ result: 0, accessToken: someToken.accessToken, expiresAt: someToken.expiresAt });
  });

  const errors: readonly (readonly [string, unknown, Partial<Report>])[] = [
    ["that is null", null, { result: 1, detail: "internal_error" }],
    ["that is text", "no", { result: 1, detail: "internal_error" }],
    ["without data", { code: -32_000, message: "no", later: { code: "not_paired" } }, { result: 1, detail: "internal_error" }],
    ["with a word nobody knows", { data: { code: "new_word" } }, { result: 1, code: "internal_error", detail: "new_word" }],
    [
      "with fields of other types",
      { data: { code: "not_paired", detail: 1, message: [], retryable: "yes", retryAfterSeconds: "7" } },
      { result: 3 },
    ],
    ["to be repeated in negative time", { data: { code: "rate_limited", retryAfterSeconds: -5 } }, { result: 9, retryAfter: -1 }],
    ["to be repeated after all time", { data: { code: "rate_limited", retryAfterSeconds: 1e15 } }, { result: 9, retryAfter: -1 }],
  ];
  it.each(errors)("understands an error %s as far as it goes", async (_name, error, expected) => {
    const report = await tokenFrom((id) => `${JSON.stringify({ jsonrpc: "2.0", id, error })}\n`);
    expect(report).toMatchObject({ ...expected, accessToken: "" });
    expect(report.message).not.toBe("");
    expect(report.remedy).not.toBe("");
  });

  it("takes a list of exactly 8 MiB, and none that is longer", async () => {
    let extra = 0;
    const pipe = await startRawBroker((request) => {
      if (request.method !== "connection.list") return { bytes: rightAnswer(request) };
      const empty = answer(request.id, { later: "" }).length;
      return { bytes: answer(request.id, { later: "x".repeat(maxList - empty + extra) }) };
    });
    const program = await session(pipe);
    expect((await program.ask("list")).answer.length).toBeGreaterThan(maxList - 100);
    extra = 1;
    expect(await program.ask("list")).toMatchObject({ result: 1, detail: "answer_invalid", answer: "" });
  });

  it.each([
    ["pairing.request", { pairingId: "p-1", code: "12345", expiresInSeconds: 120 }],
    ["pairing.request", { pairingId: "p-1", code: "12345a", expiresInSeconds: 120 }],
    ["pairing.request", { code: "123456", expiresInSeconds: 120 }],
    ["pairing.request", { pairingId: "p-1", code: "123456", expiresInSeconds: -1 }],
    ["pairing.request", { pairingId: "p-1", code: "\u001b[2J12", expiresInSeconds: 120 }],
    ["pairing.wait", { clientId, clientKey: "short" }],
    ["pairing.wait", { clientId, clientKey: "!".repeat(43) }],
    ["pairing.wait", { clientId: "", clientKey }],
    ["pairing.wait", { clientId: "client\n1", clientKey }],
    ["pairing.wait", { clientId: "c".repeat(129), clientKey }],
    ["pairing.wait", { clientId, clientKey: `${"A".repeat(42)}B` }],
  ])("does not pair by an answer to %s that holds %j", async (method, result) => {
    const pipe = await startRawBroker((request) => ({
      bytes: request.method === method ? answer(request.id, result) : rightAnswer(request),
    }));
    const program = driver();
    await program.ask("open", pipe);
    const started = await program.ask("pair-start", "A program", "-", "-");
    const report = method === "pairing.wait" ? await program.ask("pair-wait", "30000") : started;
    expect(report).toMatchObject({ result: 1, detail: "answer_invalid", clientKey: "" });
  });

  it("takes no list behind more than 8 MiB that nobody asked for", async () => {
    const event = `${JSON.stringify({ jsonrpc: "2.0", method: "event", params: "x".repeat(maxList / 4) })}\n`;
    const pipe = await startRawBroker((request) =>
      request.method === "connection.list"
        ? { bytes: Buffer.concat([...Array.from({ length: 5 }, () => Buffer.from(event)), rightAnswer(request)]) }
        : { bytes: rightAnswer(request) },
    );
    expect(await (await session(pipe)).ask("list")).toMatchObject({ result: 1, detail: "answer_invalid", answer: "" });
  });

  it("goes on waiting for a pairing whatever else comes, but not for longer than an hour", async () => {
    const other = '\n{"jsonrpc":"2.0","method":"event","params":{}}\n\r\n{"jsonrpc":"2.0","id":99,"result":{}}\n';
    const decided: { finish?: () => void } = {};
    const pipe = await startRawBroker((request, socket) => {
      const right = rightAnswer(request);
      if (request.method === "pairing.request") {
        return { bytes: other + answer(request.id, { pairingId: "p-1", code: "123456", expiresInSeconds: 1e15 }) + other };
      }
      decided.finish = () => void socket.write(right.subarray(10));
      return { bytes: Buffer.concat([Buffer.from(other), right.subarray(0, 10)]) };
    });
    const program = driver();
    await program.ask("open", pipe);
    expect(await program.ask("pair-start", "A program", "-", "-")).toMatchObject({ result: 0, pairingSeconds: 3_600 });
    await expect.poll(() => decided.finish).toBeDefined();
    for (const milliseconds of ["0", "20", "0", "20"]) expect(await program.ask("pair-wait", milliseconds)).toMatchObject({ result: 100 });
    decided.finish?.();
    expect(await program.ask("pair-wait", "30000")).toMatchObject({ result: 0, clientId, clientKey });
  });

  it("does not show a person the words of somebody who has proved nothing", async () => {
    const data = { code: "rate_limited", detail: "odd", message: "Call 555-1234.", remedy: "Send money.", retryAfterSeconds: 5 };
    const pipe = await startRawBroker(({ id }) => ({
      bytes: `${JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "Call 555-1234.", data } })}\n`,
    }));
    const program = driver();
    await program.ask("open", pipe);
    const report = await program.ask("authenticate", clientId, clientKey);
    expect(report).toMatchObject({ result: 9, code: "rate_limited", retryAfter: 5 });
    expect(`${report.message} ${report.remedy}`).not.toMatch(/555|money/);
  });

  it(`stands ${spoiltTranscripts} spoilt transcripts`, { timeout: fuzzMs }, async () => {
    const seed = Date.now() % 1_000_000_000;
    const random = randomNumbers(seed);
    const spoilt = { method: "" };
    const pipe = await startRawBroker((request) =>
      request.method === spoilt.method ? { bytes: mutate(rightAnswer(request), random), end: true } : { bytes: rightAnswer(request) },
    );
    const program = driver();
    const results = new Set<number>();
    try {
      for (let run = 0; run < spoiltTranscripts; run += 1) {
        spoilt.method = spoiltMethods[run % spoiltMethods.length] ?? "";
        results.add(await goThrough(program, pipe, spoilt.method));
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
    // Some faults change nothing that matters; most end the connection or cannot be understood.
    expect(results).toContain(0);
    expect(results).toContain(1);
    expect(results).toContain(12);
  });
});

const spoiltMethods = ["session.hello", "session.authenticate", "token.get", "connection.list", "pairing.request", "pairing.wait"];

/** Does what sends the method. Returns the last result. */
async function goThrough(program: Driver, pipe: string, method: string): Promise<number> {
  await program.ask("open", pipe);
  if (method.startsWith("pairing.")) {
    const { result } = await program.ask("pair-start", "A program", "-", "-");
    return result === 0 ? (await program.ask("pair-wait", "20000")).result : result;
  }
  const { result } = await program.ask("authenticate", clientId, clientKey);
  if (result !== 0) return result;
  return (await program.ask(...(method === "connection.list" ? ["list"] : ["token", "mazda", "jdoe"]))).result;
}
