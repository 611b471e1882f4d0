/** Changes JSON-RPC messages where they hurt: in the envelope, in the parameters, in the way they are written. */
import type { Random } from "../crash/random.ts";
import { mutateBytes } from "./mutate-bytes.ts";

export type Message = Readonly<Record<string, unknown>>;

/** Longer than any name of a user may be, and one that just fits. */
const longText = "x".repeat(300);
const longestName = "y".repeat(256);

/** Texts of JSON values. */
const values: readonly [string, ...string[]] = [
  "null",
  "true",
  "0",
  "-0",
  "-1",
  "1.5",
  "1e308",
  "9007199254740991",
  "9007199254740993",
  '""',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\u202e"',
  '"constructor"',
  '"__proto__"',
  '"../../etc"',
  "[]",
  "{}",
  '{"toString":1}',
  '{"__proto__":{"protocol":1}}',
  '{"constructor":{"prototype":{"access":"all"}}}',
  "[[[[[[[[]]]]]]]]",
  JSON.stringify(longText),
  JSON.stringify(longestName),
  JSON.stringify([longText, longText]),
];
const methods: readonly [string, ...string[]] = [
  "pairing.request",
  "pairing.wait",
  "session.hello",
  "session.authenticate",
  "token.get",
  "events.subscribe",
  "connection.list",
  "constructor",
  "toString",
  "event",
  "rpc.discover",
];
/** Rare, since each takes time: 1 in so many messages. */
const oneInHuge = 400;

/** One line, without its line feed, made of `message`. */
export function mutatedLine(message: Message, random: Random): Buffer {
  if (random.between(0, oneInHuge) === 0) return hugeLine(message, random);
  const text = random.pick(writings)(message, random);
  return random.chance(0.35) ? mutateBytes(Buffer.from(text), random) : Buffer.from(text);
}

type Writing = (message: Message, random: Random) => string;

const writings: readonly [Writing, ...Writing[]] = [
  (message) => JSON.stringify(message),
  (message, random) => replaced(message, random),
  (message, random) => replaced(message, random),
  (message, random) => withParams(message, (params) => replaced(params, random)),
  (message, random) => withParams(message, (params) => replaced(params, random)),
  (message, random) => withParams(message, (params) => without(params, random)),
  (message, random) => without(message, random),
  (message, random) => JSON.stringify({ ...message, method: random.pick(methods) }),
  // The same name twice: the last counts.
  (message, random) => `${JSON.stringify(message).slice(0, -1)},"${nameIn(message, random)}":${random.pick(values)}}`,
  (message, random) => `[${Array.from({ length: random.between(1, 5) }, () => JSON.stringify(message)).join(",")}]`,
  (message, random) => JSON.stringify({ ...message, id: random.pick(["same", 1, "x".repeat(128), "x".repeat(129), -1]) }),
  (message) => ` \t${JSON.stringify(message, undefined, 1).replaceAll("\n", " ")}\r`,
  (message) => `\ufeff${JSON.stringify(message)}`,
];

function hugeLine(message: Message, random: Random): Buffer {
  const size = random.pick([20_000, 65_000, 65_535, 65_536, 66_000, 140_000]);
  const filler = random.pick(['"', "[", '{"a":', "é", "x", "0,", "\\"]);
  const filled = filler.repeat(Math.ceil(size / filler.length)).slice(0, size);
  const text = JSON.stringify(message);
  return Buffer.from(random.pick([filled, `${text.slice(0, -1)},"more":"${filled}"}`, `${text.slice(0, -1)},"more":[${filled}]}`]));
}

/** `message` with the value of one field replaced. */
function replaced(message: Message, random: Random): string {
  const changed = nameIn(message, random);
  const value = random.pick(values);
  const entries = Object.entries(message).map(([name, old]) => `${JSON.stringify(name)}:${name === changed ? value : JSON.stringify(old)}`);
  return `{${entries.join(",")}}`;
}

function without(message: Message, random: Random): string {
  const left = nameIn(message, random);
  return JSON.stringify(Object.fromEntries(Object.entries(message).filter(([name]) => name !== left)));
}

function withParams(message: Message, write: (params: Message) => string): string {
  const { params, ...envelope } = message;
  const text = write(typeof params === "object" && params !== null ? { ...params } : {});
  return `${JSON.stringify(envelope).slice(0, -1)},"params":${text}}`;
}

function nameIn(message: Message, random: Random): string {
  const [first = "id", ...others] = Object.keys(message);
  return random.pick([first, ...others]);
}
