/**
 * Seals one record under the vault key: AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce, under a subkey of its
 * own (HKDF-SHA256, RFC 5869).
 *
 * Invariant: what was sealed for one context opens for that context only. Kind, names, record version, generation and
 * bound text are additional data, each with its length in front, so no two contexts give the same bytes. Whatever does
 * not fit gives `undefined`, never other bytes.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";

export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** First byte of every sealed record; another layout gets another number. */
const layout = 1;
const headerBytes = 1 + nonceBytes;

/** What a sealed record belongs to. */
export interface RecordContext {
  readonly kind:
    | "connection"
    | "registration"
    | "client"
    | "secret"
    | "audit-head"
    | "canary"
    | "envelope"
    | "integrity"
    | "epoch"
    | "transfer";
  /** Who the record belongs to, e.g. provider, environment and user. They pick the subkey, too. */
  readonly names: readonly string[];
  /** Version of the sealed text's form. */
  readonly recordVersion: number;
  readonly generation: number;
  /** Plain text stored beside the record that must not be exchanged, e.g. the endpoints its secret is sent to. */
  readonly boundText?: string;
}

/** Seals and opens texts under one vault key. */
export interface Sealer {
  readonly seal: (context: RecordContext, text: string) => Buffer;
  /** The text, or `undefined` when the bytes were not sealed for this context with this key. */
  readonly open: (context: RecordContext, sealed: Uint8Array) => string | undefined;
  /** A function that gives texts a mark only this key can make: 32 pseudorandom bytes. */
  readonly marker: () => Marker;
}

export type Marker = (text: string) => Uint8Array;

/** A sealer that reads `vaultKey` (32 bytes) at each use; it stops working once the owner wipes that key. */
export function createSealer(vaultKey: Uint8Array): Sealer {
  return {
    seal: (context, text) => sealBytes(vaultKey, context, Buffer.from(text, "utf8")),
    open: (context, sealed) => openBytes(vaultKey, context, sealed)?.toString("utf8"),
    marker: () => createMarker(vaultKey),
  };
}

/** SHA-512/256 of key and text: cutting the inner state rules out extending a text (FIPS 180-4), and marks never leave the seal. */
function createMarker(vaultKey: Uint8Array): Marker {
  const subkey = Buffer.from(hkdfSync("sha256", vaultKey, "dms-connect vault v1", "marks", keyBytes));
  const prefix = subkey.toString("hex");
  subkey.fill(0);
  return (text) => hash("sha512-256", prefix + text, "buffer");
}

/** Layout byte, nonce, ciphertext, tag. Throws if `key` is not 32 bytes long. */
export function sealBytes(key: Uint8Array, context: RecordContext, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const subkey = deriveSubkey(key, context);
  try {
    const cipher = createCipheriv("aes-256-gcm", subkey, nonce, { authTagLength: tagBytes });
    cipher.setAAD(additionalData(context));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(layout), nonce, body, cipher.getAuthTag()]);
  } finally {
    subkey.fill(0);
  }
}

/** The plain bytes, or `undefined` when key, context or a single bit of `sealed` is not the one it was sealed with. */
export function openBytes(key: Uint8Array, context: RecordContext, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < headerBytes + tagBytes || sealed[0] !== layout) return undefined;
  const tagAt = sealed.length - tagBytes;
  const subkey = deriveSubkey(key, context);
  try {
    const decipher = createDecipheriv("aes-256-gcm", subkey, sealed.subarray(1, headerBytes), { authTagLength: tagBytes });
    decipher.setAAD(additionalData(context));
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plain = decipher.update(sealed.subarray(headerBytes, tagAt));
    return finishes(decipher) ? plain : undefined;
  } finally {
    subkey.fill(0);
  }
}

/** `final` throws when the tag does not match: the one error that is an answer here. */
function finishes(decipher: { final(): Buffer }): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

function deriveSubkey(key: Uint8Array, context: RecordContext): Buffer {
  if (key.length !== keyBytes) throw new Error("a vault key is 32 bytes long");
  const info = lengthPrefixed([context.kind, ...context.names]);
  return Buffer.from(hkdfSync("sha256", key, "dms-connect vault v1", info, keyBytes));
}

function additionalData(context: RecordContext): Buffer {
  return lengthPrefixed([
    context.kind,
    String(context.recordVersion),
    String(context.generation),
    context.boundText ?? "",
    ...context.names,
  ]);
}

/** UTF-16, because UTF-8 writes every lone surrogate as the same replacement character and two names would meet. */
function lengthPrefixed(parts: readonly string[]): Buffer {
  const chunks = [uint32(parts.length)];
  for (const part of parts) {
    const bytes = Buffer.from(part, "utf16le");
    chunks.push(uint32(bytes.length), bytes);
  }
  return Buffer.concat(chunks);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
