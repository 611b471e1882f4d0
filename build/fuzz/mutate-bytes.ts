/** Changes bytes as accidents and attackers do. Invariant: what comes out depends on the random numbers only. */
import type { Random } from "../crash/random.ts";

/** Bytes and words at which parsers of lines, UTF-8, JSON and HTTP take turns. */
const interesting: readonly [Buffer, ...Buffer[]] = [
  Buffer.from("\n"),
  Buffer.from("\r\n"),
  Buffer.from("\r"),
  Buffer.from([0x00]),
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from("\ufeff"),
  Buffer.from("\u202e"),
  Buffer.from('"'),
  Buffer.from("\\"),
  Buffer.from("\\u0000"),
  Buffer.from("\\ud800"),
  Buffer.from("["),
  Buffer.from("]"),
  Buffer.from("{"),
  Buffer.from("}"),
  Buffer.from(","),
  Buffer.from(":"),
  Buffer.from("null"),
  Buffer.from("-0"),
  Buffer.from("1e999"),
  Buffer.from("9007199254740993"),
  Buffer.from('"__proto__":'),
  Buffer.from("%"),
  Buffer.from("%00"),
  Buffer.from("&"),
  Buffer.from("?"),
  Buffer.from("/../"),
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const mutations: readonly [Mutation, ...Mutation[]] = [
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    const at = random.between(0, bytes.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 8));
    return changed;
  },
  (bytes, random) => inserted(bytes, random.between(0, bytes.length + 1), Buffer.of(random.between(0, 256))),
  (bytes, random) => inserted(bytes, random.between(0, bytes.length + 1), random.pick(interesting)),
  (bytes, random) => inserted(bytes, random.between(0, bytes.length + 1), random.pick(interesting)),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return inserted(bytes, random.between(0, bytes.length + 1), bytes.subarray(from, to));
  },
  (bytes, random) => bytes.subarray(0, random.between(0, bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from, to).toReversed(), bytes.subarray(to)]);
  },
];

/** `bytes` with one to four changes. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  for (let left = random.between(1, 5); left > 0; left -= 1) changed = random.pick(mutations)(changed, random);
  return changed;
}

/** The same bytes in pieces of any size. */
export function cutIntoPieces(bytes: Buffer, random: Random): readonly Buffer[] {
  const pieces: Buffer[] = [];
  const longest = random.pick([1, 7, 64, 4_096, 70_000]);
  for (let start = 0; start < bytes.length; ) {
    // A long text byte by byte would only take time.
    const size = random.between(1, 1 + Math.max(longest, Math.ceil(bytes.length / 64)));
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  return pieces;
}

function inserted(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function range(bytes: Buffer, random: Random): readonly [number, number] {
  const from = random.between(0, bytes.length + 1);
  return [from, Math.min(bytes.length, from + random.between(0, 40))];
}
