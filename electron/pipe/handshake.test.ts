import { createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { programProof as clientSideProof, isBrokerProof } from "../../clients/node/session-proof.ts";
import { brokerProof, createHandshake, type ProofInput, programProof } from "./handshake.ts";

const document = readFileSync(new URL("../../docs/pipe-protocol.md", import.meta.url), "utf8");

/** A value of the table "Test vectors" in the document. */
function vector(name: string): string {
  const value = new RegExp(`^\\| ${name} \\| \`([^\`]+)\` \\|$`, "m").exec(document)?.[1];
  if (value === undefined) throw new Error(`the document has no test vector named ${name}`);
  return value;
}

const keyBytes = Buffer.from(vector("clientKey"), "base64url");
const input: ProofInput = {
  key: keyBytes,
  clientId: vector("clientId"),
  clientNonce: vector("client nonce"),
  serverNonce: vector("server nonce"),
};

describe("proofs", () => {
  it("are those of the document's test vectors", () => {
    expect(brokerProof(input)).toBe(vector("broker proof"));
    expect(programProof(input)).toBe(vector("program proof"));
    expect(Buffer.from(brokerProof(input), "base64url").toString("hex")).toBe(vector("broker proof, hex"));
    expect(Buffer.from(programProof(input), "base64url").toString("hex")).toBe(vector("program proof, hex"));
    expect(keyBytes.toString("hex")).toBe(vector("clientKey, hex"));
  });

  it("are the same in the client library", () => {
    const credentials = { clientId: input.clientId, clientKey: vector("clientKey") };
    expect(clientSideProof(credentials, input)).toBe(vector("program proof"));
    expect(isBrokerProof(vector("broker proof"), credentials, input)).toBe(true);
    expect(isBrokerProof(vector("program proof"), credentials, input)).toBe(false);
  });

  it("are the same whether the key is given as bytes or as a key object", () => {
    const withObject = { ...input, key: createSecretKey(keyBytes) };
    expect(brokerProof(withObject)).toBe(vector("broker proof"));
    expect(programProof(withObject)).toBe(vector("program proof"));
  });

  it("change with every input", () => {
    const changed = [
      { ...input, key: Buffer.alloc(32) },
      { ...input, clientId: "other" },
      { ...input, clientNonce: "other" },
      { ...input, serverNonce: "other" },
    ];
    expect(new Set([input, ...changed].flatMap((each) => [brokerProof(each), programProof(each)])).size).toBe(10);
  });
});

describe("a challenge", () => {
  const key = vector("clientKey");
  const challenge = createHandshake().challenge(input.clientId, input.clientNonce, key);
  const right = programProof({ ...input, serverNonce: challenge.serverNonce });

  it("accepts the right proof only", () => {
    expect(challenge.accepts(right)).toBe(true);
    expect(challenge.accepts(challenge.brokerProof)).toBe(false);
    expect(challenge.accepts("")).toBe(false);
    expect(challenge.accepts(`${right}AA`)).toBe(false);
    expect(challenge.accepts(`${right.startsWith("A") ? "B" : "A"}${right.slice(1)}`)).toBe(false);
  });

  it("is new each time", () => {
    expect(createHandshake().challenge(input.clientId, input.clientNonce, key).accepts(right)).toBe(false);
  });

  it("never repeats a nonce", () => {
    const handshake = createHandshake();
    const nonces = Array.from({ length: 1_000 }, () => handshake.challenge(input.clientId, input.clientNonce, key).serverNonce);
    expect(new Set(nonces).size).toBe(1_000);
    for (const nonce of nonces) expect(nonce).toMatch(/^[\w-]{43}$/);
  });

  it("looks the same for a client that does not exist, and accepts nothing", () => {
    const secret = Buffer.alloc(32, 9);
    const unknown = createHandshake(secret).challenge("nobody", input.clientNonce, undefined);
    expect(unknown.brokerProof).toHaveLength(challenge.brokerProof.length);
    expect(unknown.serverNonce).toHaveLength(challenge.serverNonce.length);
    // Whatever key a program tries: only the broker could make the decoy key.
    expect(unknown.accepts(programProof({ ...input, clientId: "nobody", serverNonce: unknown.serverNonce }))).toBe(false);
  });
});
