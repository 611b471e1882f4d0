/** What the pipe fuzzer finds in answers, each shown with an answer that has it. */
import { describe, expect, it } from "vitest";
import { programProof } from "../../electron/pipe/handshake.ts";
import type { FuzzedPrograms } from "./child-contract.ts";
import { judgeAnswers } from "./judge-answers.ts";
import { approvedNames, keyOf, programOf, secretMarks, tokenOf } from "./marked-secrets.ts";
import type { Greeting } from "./pipe-client.ts";

const own = programOf("a", "program-a", keyOf("a"));
const other = { ...programOf("b", "program-b", keyOf("b")), pairedAs: approvedNames[0] };
const programs: FuzzedPrograms = [own, other];

const nonces = { clientNonce: "c", serverNonce: "s" };
const proof = { key: Buffer.from(own.clientKey, "base64url"), clientId: own.clientId, ...nonces };
const greeting: Greeting = { program: own, ...nonces, brokerProof: "b", rightProof: programProof(proof) };
/** The program has proved its key. */
const proved = { sent: greeting.rightProof, greetings: [greeting] };
const unproved = { sent: "something", greetings: [greeting] };

function answer(result: object, id: unknown = 1): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`;
}

function event(sequence: number): string {
  return `${JSON.stringify({ jsonrpc: "2.0", method: "event", params: { sequence } })}\n`;
}

function refusal(data: object): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: 1, message: "", data } })}\n`;
}

function judged(conversation: Omit<Parameters<typeof judgeAnswers>[0], "received">, received: string) {
  return judgeAnswers({ ...conversation, received }, programs, new Map()).map(({ kind, text }) => `${kind}: ${text}`);
}

describe("nothing is found", () => {
  it.each([
    ["in a token of the program's own", proved, answer({ accessToken: tokenOf("a") })],
    ["in a key that was asked for", { sent: `{"name":"${other.pairedAs}"}`, greetings: [] }, answer({ clientKey: other.clientKey })],
    ["in a user that was named in the request", { sent: other.users[0], greetings: [] }, answer({ user: other.users[0] })],
    ["in events in turn", proved, answer({ sequence: 4, connections: [] }) + event(5) + event(6)],
    ["in an answer that was cut off", proved, answer({}).slice(0, -5)],
    ["in a refusal", proved, refusal({ code: "not_connected", detail: "not_connected" })],
  ])("%s", (_what, conversation, received) => {
    expect(judged(conversation, received)).toEqual([]);
  });
});

describe("a leak is found", () => {
  it.each([
    ["in a token without a proof", unproved, answer({ accessToken: tokenOf("a") }), "TOKEN-OF-a- came without a proof"],
    ["in another program's token", proved, answer({ accessToken: tokenOf("b") }), "TOKEN-OF-b- came without a proof"],
    ["in another program's user", proved, answer({ connections: other.users }), "USER-OF-b came without a proof"],
    ["in a refresh token", proved, answer({ token: `${secretMarks.refreshToken}1` }), `${secretMarks.refreshToken} came`],
    ["in a client secret", proved, answer({ secret: secretMarks.clientSecret }), `${secretMarks.clientSecret} came`],
    ["in a program's key", proved, answer({ value: own.clientKey }), "the key of program-a came"],
    ["in a key as hex", proved, answer({ value: Buffer.from(own.clientKey, "base64url").toString("hex") }), "the key of program-a came"],
    ["in a key for nobody", proved, answer({ clientKey: "k" }), "a key came though nobody was approved"],
    ["in the program's proof", unproved, answer({ proof: greeting.rightProof }), "the program's proof came"],
    ["in a server that speaks first", { sent: "", greetings: [] }, answer({}), "the server spoke first"],
  ])("%s", (_what, conversation, received, text) => {
    expect(judged(conversation, received)).toEqual([`leak: ${text}`]);
  });
});

describe("a bug is found", () => {
  it.each([
    ["in what is not JSON", "{\n", "an answer is not JSON"],
    ["in what is not JSON-RPC", `{"id":1,"result":{}}\n`, "an answer is not JSON-RPC 2.0"],
    ["in an answer with result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{}}\n`, "an answer has no sound envelope"],
    ["in an error without a word", refusal({}), "an error has no word"],
    ["in an internal error", refusal({ code: "internal_error", detail: "internal_error" }), "a bug was answered"],
    ["in an event before the snapshot", event(1), "an event came before the snapshot"],
    ["in an event that was skipped", answer({ sequence: 0 }) + event(2), "an event is out of turn"],
    ["in a second answer", answer({}, "sentinel-1") + answer({}, "sentinel-1"), "a request was answered twice"],
  ])("%s", (_what, received, text) => {
    const found = judged(proved, received);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`crash: ${text}: `);
  });
});
