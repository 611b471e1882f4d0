/**
 * Cuts a byte stream into messages: one UTF-8 line each, ended by LF or CR LF.
 *
 * Invariant: never holds more than the chunk it was given last and one unfinished message, whatever
 * arrives and however it is cut. Frames are pulled, so that whoever reads decides how fast.
 */
import { TextDecoder } from "node:util";
import { maxMessageBytes } from "../../shared/pipe-protocol.ts";

export type Frame =
  | { readonly kind: "message"; readonly text: string }
  /** The bytes of one line are not UTF-8; the next line is fine again. */
  | { readonly kind: "not-utf8" }
  /** More bytes than a message may have. Nothing comes after it: the rest of the stream cannot be trusted. */
  | { readonly kind: "too-large" };

export interface Framer {
  /** Adds received bytes. */
  readonly push: (chunk: Buffer) => void;
  /** The next frame, or undefined when more bytes are needed. */
  readonly next: () => Frame | undefined;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const empty: Buffer = Buffer.alloc(0);
/** Room for a usual request that was cut in two. */
const smallestPartial = 1024;

/** Makes a framer for one connection. `maxBytes` counts a line with its line feed. */
export function createFramer(maxBytes: number = maxMessageBytes): Framer {
  // A byte order mark is dropped: .NET writers put one before the first line.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let chunk = empty;
  let offset = 0;
  // The beginning of a line that has not ended yet. Copied, so that a byte-by-byte sender costs no memory a byte.
  let partial: Buffer | undefined;
  let partialLength = 0;
  let tooLarge = false;

  const append = (to: Buffer, end: number): void => {
    partial = withRoom(to, partialLength, partialLength + end - offset);
    partialLength += chunk.copy(partial, partialLength, offset, end);
    offset = end;
  };
  const takeLine = (end: number): Buffer => {
    if (partial === undefined) return chunk.subarray(offset, end);
    append(partial, end);
    const line = partial.subarray(0, partialLength);
    partial = undefined;
    partialLength = 0;
    return line;
  };
  const next = (): Frame | undefined => {
    if (tooLarge) return undefined;
    const end = chunk.indexOf(lineFeed, offset);
    const stop = end === -1 ? chunk.length : end + 1;
    // Unfinished, `maxBytes` bytes are already one too many: the line feed is still to come.
    if (partialLength + (stop - offset) > maxBytes - (end === -1 ? 1 : 0)) {
      tooLarge = true;
      chunk = empty;
      partial = undefined;
      return { kind: "too-large" };
    }
    if (end === -1) {
      if (offset < chunk.length) append(partial ?? empty, chunk.length);
      return undefined;
    }
    const line = takeLine(end);
    offset = stop;
    return decodeLine(decoder, line);
  };

  return {
    push: (received) => {
      if (tooLarge) return;
      chunk = offset < chunk.length ? Buffer.concat([chunk.subarray(offset), received]) : received;
      offset = 0;
    },
    next,
  };
}

/** `buffer` with room for `needed` bytes; grown by doubling, so that a line that comes byte by byte is copied a few times only. */
function withRoom(buffer: Buffer, used: number, needed: number): Buffer {
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2, smallestPartial));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function decodeLine(decoder: TextDecoder, line: Buffer): Frame {
  const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length;
  try {
    return { kind: "message", text: decoder.decode(end === line.length ? line : line.subarray(0, end)) };
  } catch {
    return { kind: "not-utf8" };
  }
}
