/** Checks what a client program sends against docs/pipe-protocol.md, as strictly as the broker does and a little more. */
import { isRecord, type UnknownRecord } from "../../clients/node/parse-fields.ts";
import { maxMessageBytes } from "../../shared/pipe-protocol.ts";

export interface ClientMessage {
  readonly id: string | number;
  readonly method: string;
  readonly params: UnknownRecord;
}

/** A request, or a sentence that says what is wrong with it. */
export type ReadMessage = { readonly request: ClientMessage } | { readonly problem: string; readonly id: string | number | null };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one line, without its line feed. A refusal goes to `id`: null where the message has none. */
export function readClientMessage(line: Buffer): ReadMessage {
  const value = line.length < maxMessageBytes ? parseJson(line) : undefined;
  const id = isRecord(value) && isId(value["id"]) ? value["id"] : null;
  const wrong = (problem: string): ReadMessage => ({ problem, id });
  if (line.length >= maxMessageBytes) return wrong(`a message has more than ${maxMessageBytes} bytes`);
  if (value === undefined) return wrong("a message is not JSON in UTF-8");
  if (Array.isArray(value)) return wrong("a message is a batch");
  if (!isRecord(value)) return wrong("a message is not a JSON object");
  const { jsonrpc, method, params = {} } = value;
  if (jsonrpc !== "2.0") return wrong('a message lacks "jsonrpc": "2.0"');
  if (typeof method !== "string") return wrong("a message has no method");
  if (id === null) return wrong(`${method} has no id that the protocol allows`);
  if (!isRecord(params)) return wrong(`the params of ${method} are not an object`);
  const empty = Object.keys(params).find((name) => params[name] === null);
  if (empty !== undefined) return wrong(`${method} sends null as ${empty}; leave the field out`);
  return { request: { id, method, params } };
}

function isId(id: unknown): id is string | number {
  return typeof id === "string" ? id.length <= 128 : Number.isSafeInteger(id);
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(line).replace(/^\u{FEFF}/u, ""));
  } catch {
    return undefined;
  }
}
