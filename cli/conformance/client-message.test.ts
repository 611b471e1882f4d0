import { describe, expect, it } from "vitest";
import { readClientMessage } from "./client-message.ts";

const read = (text: string) => readClientMessage(Buffer.from(text));

function problemOf(line: Buffer): string {
  const message = readClientMessage(line);
  return "problem" in message ? message.problem : "none";
}

describe("a client's message", () => {
  it("is read when it follows the document", () => {
    const request = { id: 1, method: "token.get", params: { provider: "mazda" } };
    expect(read(JSON.stringify({ jsonrpc: "2.0", ...request }))).toEqual({ request });
    expect(read('\u{FEFF}{"jsonrpc":"2.0","id":"a","method":"broker.status"}')).toEqual({
      request: { id: "a", method: "broker.status", params: {} },
    });
  });

  it.each([
    ["{", "not JSON in UTF-8"],
    ["[]", "a batch"],
    ["1", "not a JSON object"],
    ['{"id":1,"method":"m"}', 'lacks "jsonrpc"'],
    ['{"jsonrpc":"2.0","id":1}', "has no method"],
    ['{"jsonrpc":"2.0","method":"m"}', "no id that the protocol allows"],
    ['{"jsonrpc":"2.0","id":1.5,"method":"m"}', "no id that the protocol allows"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', "the params of m are not an object"],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":null}}', "m sends null as a"],
    [`{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"${"x".repeat(65_536)}"}}`, "more than 65536 bytes"],
  ])("is remarked upon when it is %s", (text, problem) => {
    expect(problemOf(Buffer.from(text))).toContain(problem);
  });

  it("is remarked upon when it is not UTF-8", () => {
    expect(problemOf(Buffer.from([0x22, 0xff, 0x22]))).toContain("UTF-8");
  });

  it("keeps its id where it has one, so that it can be refused", () => {
    expect(read('{"jsonrpc":"2.0","id":7,"method":"m","params":[]}')).toMatchObject({ id: 7 });
    expect(read("[]")).toMatchObject({ id: null });
  });
});
