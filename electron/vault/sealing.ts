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
const layoutByte = Buffer.of(layout);
const headerBytes = 1 + nonceBytes;
const lengthBytes = 4;

/** What a sealed record belongs to. */
export interface RecordContext {
  readonly kind: "connection" | "registration" | "client" | "secret" | "audit-head" | "canary" | "envelope" | "epoch" | "transfer";
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
  /** A function that gives texts a mark only this key can make: 32 pseudorandom bytes. Ask for it anew for each use. */
  readonly marker: () => Marker;
  /** Wipes what was derived from the key: the key has changed, or is about to be wiped itself. */
  readonly forgetSubkeys: () => void;
}

export type Marker = (text: string) => Uint8Array;

/**
 * A sealer that reads `vaultKey` (32 bytes) when it needs another subkey than the last one: a refresh seals the same
 * connection twice. It stops working once the owner wipes that key and has the subkeys forgotten.
 */
export function createSealer(vaultKey: Uint8Array): Sealer {
  let marker: Marker | undefined;
  let last: { readonly info: Buffer; readonly subkey: Buffer } | undefined;
  const forgetSubkeys = () => {
    marker = undefined;
    last?.subkey.fill(0);
    last = undefined;
  };
  const subkeyOf = (context: RecordContext): Buffer => {
    const info = subkeyInfo(context);
    if (last?.info.equals(info)) return last.subkey;
    last?.subkey.fill(0);
    last = { info, subkey: deriveSubkey(vaultKey, info) };
    return last.subkey;
  };
  return {
    seal: (context, text) => sealWith(subkeyOf(context), context, Buffer.from(text, "utf8")),
    open: (context, sealed) => openWith(subkeyOf(context), context, sealed)?.toString("utf8"),
    marker: () => (marker ??= createMarker(vaultKey)),
    forgetSubkeys,
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
  const subkey = deriveSubkey(key, subkeyInfo(context));
  try {
    return sealWith(subkey, context, plain);
  } finally {
    subkey.fill(0);
  }
}

/** The plain bytes, or `undefined` when key, context or a single bit of `sealed` is not the one it was sealed with. */
export function openBytes(key: Uint8Array, context: RecordContext, sealed: Uint8Array): Buffer | undefined {
  const subkey = deriveSubkey(key, subkeyInfo(context));
  try {
    return openWith(subkey, context, sealed);
  } finally {
    subkey.fill(0);
  }
}

function sealWith(subkey: Uint8Array, context: RecordContext, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", subkey, nonce, { authTagLength: tagBytes });
  cipher.setAAD(additionalData(context));
  return Buffer.concat([layoutByte, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function openWith(subkey: Uint8Array, context: RecordContext, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < headerBytes + tagBytes || sealed[0] !== layout) return undefined;
  const tagAt = sealed.length - tagBytes;
  const decipher = createDecipheriv("aes-256-gcm", subkey, sealed.subarray(1, headerBytes), { authTagLength: tagBytes });
  decipher.setAAD(additionalData(context));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(headerBytes, tagAt));
  return finishes(decipher) ? plain : undefined;
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

function deriveSubkey(key: Uint8Array, info: Uint8Array): Buffer {
  if (key.length !== keyBytes) throw new Error("a vault key is 32 bytes long");
  return Buffer.from(hkdfSync("sha256", key, "dms-connect vault v1", info, keyBytes));
}

function subkeyInfo(context: RecordContext): Buffer {
  return lengthPrefixed([context.kind, ...context.names]);
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

/**
 * UTF-16, because UTF-8 writes every lone surrogate as the same replacement character and two names would meet. Written into
 * one buffer: this runs twice for each record that is sealed or opened.
 */
function lengthPrefixed(parts: readonly string[]): Buffer {
  let length = lengthBytes;
  for (const part of parts) length += lengthBytes + part.length * 2;
  const bytes = Buffer.allocUnsafe(length);
  let at = bytes.writeUInt32BE(parts.length, 0);
  for (const part of parts) {
    at = bytes.writeUInt32BE(part.length * 2, at);
    at += bytes.write(part, at, "utf16le");
  }
  return bytes;
}
