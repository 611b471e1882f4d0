/**
 * The proof by which broker and program show each other that they hold the client key, without
 * sending it. The formula is part of the protocol: docs/pipe-protocol.md, "Proof".
 *
 * Invariant: whether the client id is known can be read neither from an answer nor from the work done.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";

/** Distinct labels, so that a proof sent back to its maker proves nothing. */
const labels = { broker: "dms-connect/1 broker", program: "dms-connect/1 program" } as const;

const nonceBytes = 32;
const noncesAtOnce = 128;

export interface ProofInput {
  /** 32 bytes. Node makes a key object of a `Buffer` anew for each HMAC, which takes longer than the HMAC itself. */
  readonly key: KeyObject | Buffer;
  readonly clientId: string;
  /** base64url, as sent. */
  readonly clientNonce: string;
  /** base64url, as sent. */
  readonly serverNonce: string;
}

/** What a session must remember between `session.hello` and `session.authenticate`. */
export interface Challenge {
  readonly serverNonce: string;
  /** The broker's own proof, base64url. */
  readonly brokerProof: string;
  /** Whether `proof` is the program's. Never true for an unknown client. */
  readonly accepts: (proof: string) => boolean;
}

/** Makes challenges; `decoySecret` stands in for the keys of clients that do not exist. */
export interface Handshake {
  readonly challenge: (clientId: string, clientNonce: string, clientKey: string | undefined) => Challenge;
}

/** The broker's proof, base64url. */
export function brokerProof(input: ProofInput): string {
  return proof(labels.broker, input).toString("base64url");
}

/** The program's proof, base64url. */
export function programProof(input: ProofInput): string {
  return proof(labels.program, input).toString("base64url");
}

/** A handshake for one broker run. */
export function createHandshake(decoySecret: Buffer = randomBytes(32)): Handshake {
  const decoyKey = createSecretKey(decoySecret);
  const newNonce = nonceSource();
  return {
    challenge: (clientId, clientNonce, clientKey) => {
      // Made for known clients too, so that both take the same time. The same id gets the same decoy each time.
      const decoy = createHmac("sha256", decoyKey).update(clientId, "utf8").digest();
      const key = createSecretKey(clientKey === undefined ? decoy : Buffer.from(clientKey, "base64url"));
      const input: ProofInput = { key, clientId, clientNonce, serverNonce: newNonce() };
      const expected = programProof(input);
      return {
        serverNonce: input.serverNonce,
        brokerProof: brokerProof(input),
        accepts: (given) => equalTexts(given, expected) && clientKey !== undefined,
      };
    },
  };
}

/** Nonces of 32 bytes, base64url. Many are fetched at once: asking the system for 4 kB takes as long as asking for 32 bytes. */
function nonceSource(): () => string {
  let pool = Buffer.alloc(0);
  let offset = 0;
  return () => {
    if (offset === pool.length) {
      pool = randomBytes(noncesAtOnce * nonceBytes);
      offset = 0;
    }
    offset += nonceBytes;
    return pool.toString("base64url", offset - nonceBytes, offset);
  };
}

function proof(label: string, input: ProofInput): Buffer {
  // No part can hold a line feed (messages.ts), so the joined text has one reading only.
  const text = [label, input.clientId, input.clientNonce, input.serverNonce].join("\n");
  return createHmac("sha256", input.key).update(text, "utf8").digest();
}

/** In constant time, whatever was given: its length is no secret, but no other work is done for a wrong one either. */
function equalTexts(given: string, expected: string): boolean {
  const right = Buffer.from(expected, "utf8");
  const bytes = Buffer.from(given, "utf8");
  const sameLength = bytes.length === right.length;
  return timingSafeEqual(sameLength ? bytes : right, right) && sameLength;
}
