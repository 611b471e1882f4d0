/** What the C library tells a program when something is refused or wrong, and what it makes of texts. */
import { describe, expect, it } from "vitest";
import { knownClient, someConnection, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { failure } from "../../shared/failure.ts";
import { type FailureCode, failureCatalogue } from "../../shared/failure-catalogue.ts";
import { err, ok } from "../../shared/result.ts";
import { compiler, fakeBroker, scriptedBroker, useLibrary } from "./testing/c-library.ts";

const { clientId, clientKey } = knownClient;

describe.skipIf(compiler === undefined)("the C library", () => {
  const { driver, session } = useLibrary();

  describe("a failure", () => {
    const words: readonly (readonly [FailureCode, number])[] = [
      ["internal_error", 1],
      ["not_paired", 3],
      ["not_permitted", 4],
      ["not_connected", 5],
      ["grant_dead", 6],
      ["provider_unreachable", 7],
      ["provider_unknown", 8],
      ["rate_limited", 9],
      ["vault_locked", 10],
      ["shutting_down", 11],
    ];

    it("has a result for each word of the protocol", () => {
      const all = new Set(Object.values(failureCatalogue).map(({ pipe }) => pipe));
      expect(new Set(words.map(([code]) => failureCatalogue[code].pipe))).toEqual(all);
      expect(new Set(words.map(([, result]) => result)).size).toBe(all.size);
    });

    it.each(words)("%s is result %i, with everything the broker said", async (code, result) => {
      const refusal = failure(code, { user: "Jürgen" }, { retryAfterSeconds: 7 });
      const { pipe } = await fakeBroker({ api: { tokenGet: () => Promise.resolve(err(refusal)) } });
      const program = await session(pipe);
      const { pipe: word, retryable } = failureCatalogue[code];
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({
        result,
        code: word,
        detail: code,
        message: refusal.message,
        remedy: refusal.remedy,
        retryable: retryable ? 1 : 0,
        retryAfter: 7,
        accessToken: "",
      });
      expect(await program.ask("list")).toMatchObject({ result: 0, code: "", message: "", retryAfter: -1 });
    });

    const finer = ["program_rate_limited", "token_rejected_again", "cause_of_tomorrow"];
    it.each(finer)("of the finer cause %s goes by its word, known or not", async (detail) => {
      const refusal = { code: "rate_limited", detail, message: "Too much.", remedy: "Wait.", retryable: true, retryAfterSeconds: 2.5 };
      const { pipe } = await scriptedBroker({ onCall: (call) => call.refuse(refusal) });
      // At least so many seconds: a part of one counts.
      const expected = { result: 9, code: "rate_limited", detail, message: "Too much.", remedy: "Wait.", retryable: 1, retryAfter: 3 };
      expect(await (await session(pipe)).ask("token", "mazda", "jdoe")).toMatchObject(expected);
    });

    it.each(["pairing_blocked", "pairing_forbidden"] as const)("of pairing (%s) is not permitted, with its remedy", async (code) => {
      const { pipe, registry } = await fakeBroker();
      const refusal = failure(code);
      registry.requestPairing = () => err(refusal);
      const program = driver();
      await program.ask("open", pipe);
      expect(await program.ask("pair-start", "A program", "-", "-")).toMatchObject({
        result: 4,
        code: "not_permitted",
        detail: code,
        message: refusal.message,
        remedy: refusal.remedy,
        retryable: 0,
        pairingCode: "",
      });
    });

    it("cannot steer a terminal, a log or a reader", async () => {
      const message = "a\u001b[31mb\nc\u009bd\u202ee\u2028f\ufeffg";
      const refusal = { ...failure("not_connected"), message, remedy: "é".repeat(400) };
      const { pipe } = await fakeBroker({ api: { tokenGet: () => Promise.resolve(err(refusal)) } });
      const report = await (await session(pipe)).ask("token", "mazda", "jdoe");
      expect(report.message).toBe("a [31mb c d e f g");
      // Cut between characters.
      expect(report.remedy).toMatch(/^é{200,}$/);
    });

    it.each([
      ["no provider", ["token", "-", "jdoe"], "provider is missing"],
      ["an empty user", ["token", "mazda", ""], "user is missing"],
      ["no token id", ["rejected", "mazda", "jdoe", "-", "-", ""], "token_id is missing"],
      ["text in another encoding", ["token", "mazda", Buffer.from("J\xfcrgen", "latin1")], "user is not UTF-8"],
      ["half a surrogate pair", ["token", "mazda", Buffer.from([0xed, 0xa0, 0x80])], "user is not UTF-8"],
      ["no time", ["timeout", "0"], "more than 0"],
      ["no pairing to wait for", ["pair-wait", "1"], "No pairing"],
      ["a key that is none", ["authenticate", "client-1", "short"], "client key"],
      ["a client id that is none", ["authenticate", "client 1", clientKey], "client id"],
    ])("of the call itself is told before anything is sent: %s", async (_name, words, message) => {
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => call.result({}) });
      const program = await session(pipe);
      const before = broker.calls.length;
      const report = await program.ask(...words);
      expect(report).toMatchObject({ result: 2, code: "invalid_request", detail: "argument_invalid" });
      expect(report.message).toContain(message);
      expect(broker.calls.length).toBe(before);
    });

    it("is a request longer than 64 KiB, which is not sent; one that just fits is", async () => {
      const { broker, pipe } = await scriptedBroker({ onCall: (call) => call.result({}) });
      const program = await session(pipe);
      const bytesBesideUser = Buffer.byteLength(
        '{"jsonrpc":"2.0","id":3,"method":"connection.get","params":{"provider":"mazda","user":""}}\n',
      );
      expect(await program.ask("get", "mazda", "u".repeat(65_536 - bytesBesideUser))).toMatchObject({ result: 0 });
      expect(await program.ask("get", "mazda", "u".repeat(65_536 - bytesBesideUser + 1))).toMatchObject({
        result: 8,
        detail: "message_too_large",
      });
      expect(broker.callsOf("connection.get")).toMatchObject([{ params: { provider: "mazda" } }]);
    });

    it("is a session that was never opened, or is none", async () => {
      const program = driver();
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 3, detail: "session_not_authenticated" });
      expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({ result: 2 });
      expect(await program.ask("without-session", "mazda", "jdoe")).toMatchObject({ result: 2 });
    });
  });

  describe("texts", () => {
    it("go to the broker and come back as they are", async () => {
      const users: string[] = [];
      const accessToken = 'a"b\\c/\u0001é€😀'.repeat(3);
      const { pipe } = await fakeBroker({
        api: {
          tokenGet: (_client, params) => {
            users.push(params.user);
            return Promise.resolve(ok({ ...someToken, accessToken }));
          },
        },
      });
      const report = await (await session(pipe)).ask("token", "mazda", 'J"ür\\gen😀');
      expect(report).toMatchObject({ result: 0, accessToken });
      expect(users).toEqual(['J"ür\\gen😀']);
    });

    it("that the session gave may be given back to it", async () => {
      const { pipe } = await fakeBroker();
      const program = await session(pipe);
      expect(await program.ask("authenticate-again")).toMatchObject({ result: 0, clientId });
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0 });
      expect(await program.ask("open-again")).toMatchObject({ result: 0, pipeName: pipe, accessToken: "", clientKey: "" });
    });

    it("are not taken from headers that could add a header of their own", async () => {
      for (const headers of [{ "X-a": "b\r\nX-c: d" }, { "X-a\n": "b" }, { "": "b" }, { "X a": "b" }]) {
        const { pipe } = await fakeBroker({ api: { tokenGet: () => Promise.resolve(ok({ ...someToken, headers })) } });
        const report = await (await session(pipe)).ask("token", "mazda", "jdoe");
        expect(report).toMatchObject({ result: 1, detail: "answer_invalid", accessToken: "", headers: "" });
      }
    });

    it("are taken out of an answer one by one", async () => {
      const connections = [someConnection, { ...someConnection, user: 'J"ür\\gen😀', state: "Retrying" as const }];
      const { pipe } = await fakeBroker({ api: { connectionList: () => Promise.resolve(ok({ connections })) } });
      const program = await session(pipe);
      expect((await program.ask("value", "connections/0/user")).value).toBe("");
      await program.ask("list");
      const valueAt = async (place: string): Promise<string> => (await program.ask("value", place)).value;
      expect(await valueAt("connections/0/state")).toBe("Active");
      expect(await valueAt("connections/1/user")).toBe('J"ür\\gen😀');
      expect(await valueAt("connections/1/grantExpiresAt")).toBe("2000000000");
      expect(await valueAt("connections/1/grantExpiryIsEstimate")).toBe("true");
      expect(JSON.parse(await valueAt("connections/1"))).toEqual(connections[1]);
      const missing = ["connections/2", "connections/-1", "connections/x", "connections/0/state/x", "//", "/connections", "x".repeat(200)];
      for (const place of missing) expect(await valueAt(place)).toBe("");
    });

    it("of a long list come whole", async () => {
      const connections = Array.from({ length: 20_000 }, (_, index) => ({ ...someConnection, id: `mazda/production/${index}` }));
      const { pipe } = await fakeBroker({ api: { connectionList: () => Promise.resolve(ok({ connections })) } });
      expect(JSON.parse((await (await session(pipe)).ask("list")).answer)).toEqual({ connections });
    });
  });
});
