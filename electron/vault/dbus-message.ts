/**
 * The two things of the D-Bus wire format that a ping needs: a method call without arguments, and which call a message
 * answers (D-Bus specification, "Message Protocol").
 *
 * Invariant: bytes from the bus are only compared and skipped; a message over the limit is not waited for.
 */

/** Far above any answer to a ping. */
const mostBytes = 64 * 1024;
const headerBytes = 16;
const replySerialField = Buffer.of(5, 1, "u".charCodeAt(0), 0);

export interface DbusCall {
  readonly serial: number;
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

/** A METHOD_CALL without a body, little-endian. */
export function encodeCall(call: DbusCall): Buffer {
  const fields = Buffer.concat([
    field(1, "o", call.path),
    field(2, "s", call.interface),
    field(3, "s", call.member),
    field(6, "s", call.destination),
  ]);
  const textBytes = call.destination.length + 1;
  // The padding after the last field is the header's and not part of the array.
  const arrayBytes = fields.length - (aligned(textBytes) - textBytes);
  const header = Buffer.alloc(headerBytes);
  header.write("l", 0, "latin1");
  header.set([1, 0, 1], 1);
  header.writeUInt32LE(call.serial, 8);
  header.writeUInt32LE(arrayBytes, 12);
  return Buffer.concat([header, fields]);
}

export interface DbusMessage {
  /** Serial of the call that this message answers. */
  readonly repliesTo: number | undefined;
  readonly rest: Buffer;
}

/** The first message in `bytes`; `undefined` while it is not complete; "unknown" when this is no message that can be waited for. */
export function takeMessage(bytes: Buffer): DbusMessage | "unknown" | undefined {
  if (bytes.length < headerBytes) return undefined;
  const order = String.fromCharCode(bytes[0] ?? 0);
  if (order !== "l" && order !== "B") return "unknown";
  const read = (at: number) => (order === "l" ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const fieldsEnd = headerBytes + aligned(read(12));
  const end = fieldsEnd + read(4);
  if (end > mostBytes) return "unknown";
  if (bytes.length < end) return undefined;
  return { repliesTo: replySerial(bytes, fieldsEnd, read), rest: bytes.subarray(end) };
}

/** Header fields start at multiples of eight. */
function replySerial(bytes: Buffer, fieldsEnd: number, read: (at: number) => number): number | undefined {
  for (let at = headerBytes; at + 8 <= fieldsEnd; at += 8) {
    if (bytes.subarray(at, at + 4).equals(replySerialField)) return read(at + 4);
  }
  return undefined;
}

function field(code: number, type: "o" | "s", value: string): Buffer {
  const text = Buffer.from(value, "latin1");
  const bytes = Buffer.alloc(8 + aligned(text.length + 1));
  bytes.set([code, 1, type.charCodeAt(0), 0]);
  bytes.writeUInt32LE(text.length, 4);
  text.copy(bytes, 8);
  return bytes;
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
