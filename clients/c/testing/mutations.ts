/** Spoils bytes in the ways that find faults in parsers. Invariant: the same seed gives the same bytes. */

/** Numbers from 0 to below 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What parsers stumble over, besides single bytes. */
const morsels: readonly Buffer[] = [
  ...[
    '"',
    "\\",
    "\\u",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    "-0",
    "0.",
  ].map((text) => Buffer.from(text)),
  ...["1e999", "-1e-999", "9007199254740993", "1e", "00", " ", "\t", "\r", "\n", "\n\n", "\u0000", "\uFEFF", "é", "€", "😀"].map((text) =>
    Buffer.from(text),
  ),
  // Not UTF-8: alone, cut off, too long, a surrogate, beyond U+10FFFF.
  ...[[0x80], [0xc3], [0xe2, 0x82], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff]].map((bytes) =>
    Buffer.from(bytes),
  ),
  Buffer.from("[".repeat(40)),
  Buffer.from('{"a":'.repeat(40)),
];

/** `bytes` with one to four faults. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  let result = bytes;
  for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) result = spoil(result, random);
  return result;
}

function spoil(bytes: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const start = below(bytes.length + 1);
  const end = Math.min(bytes.length, start + below(20));
  const [before, after] = [bytes.subarray(0, start), bytes.subarray(end)];
  switch (below(5)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
    case 2:
      return Buffer.concat([before, morsels[below(morsels.length)] ?? Buffer.alloc(0), bytes.subarray(start)]);
    case 3:
      return Buffer.concat([before, Buffer.of(below(256)), bytes.subarray(Math.min(bytes.length, start + 1))]);
    default:
      return before;
  }
}
