/** The proof of docs/pipe-protocol.md, seen from the program. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What `pairing.wait` handed out. `clientKey` is a secret: 32 bytes, base64url. */
export interface Credentials {
  readonly clientId: string;
  readonly clientKey: string;
}

export interface Nonces {
  readonly clientNonce: string;
  readonly serverNonce: string;
}

/** Whether `text` encodes 32 bytes in base64url without padding. */
export function isClientKey(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** 32 random bytes, base64url. */
export function newNonce(): string {
  return randomBytes(32).toString("base64url");
}

/** The proof this program sends in `session.authenticate`, base64url. */
export function programProof(credentials: Credentials, nonces: Nonces): string {
  return proof("dms-connect/1 program", credentials, nonces).toString("base64url");
}

/** Whether `given` can only come from a broker that holds the same key. */
export function isBrokerProof(given: string, credentials: Credentials, nonces: Nonces): boolean {
  const expected = proof("dms-connect/1 broker", credentials, nonces);
  const bytes = Buffer.from(given, "base64url");
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

function proof(label: string, credentials: Credentials, nonces: Nonces): Buffer {
  const text = `${label}\n${credentials.clientId}\n${nonces.clientNonce}\n${nonces.serverNonce}`;
  return createHmac("sha256", Buffer.from(credentials.clientKey, "base64url")).update(text, "utf8").digest();
}
