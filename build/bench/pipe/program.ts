/** A DMS program as the bench needs it: the proofs of docs/pipe-protocol.md on a bare connection. */
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { Credentials } from "../../../clients/node/session-proof.ts";
import { brokerProof, programProof } from "../../../electron/pipe/handshake.ts";
import { LineClient } from "./line-client.ts";

/** A program that has read its key once, as one that runs for longer does. */
export interface PairedProgram {
  readonly clientId: string;
  readonly key: KeyObject;
}

export function pairedProgram({ clientId, clientKey }: Credentials): PairedProgram {
  return { clientId, key: createSecretKey(Buffer.from(clientKey, "base64url")) };
}

/** One request as it goes over the wire. */
function requestLine(id: number, method: string, params: object): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
}

/** Asks for the token of a user of the bench's provider. */
export function tokenLine(id: number, user: string): string {
  return requestLine(id, "token.get", { provider: "bench", user, organisation: "10030/MMD" });
}

/** Connects, checks the broker's proof and proves the program's own. Throws if the broker refuses. */
export async function openSession(pipe: string, program: PairedProgram): Promise<LineClient> {
  const client = LineClient.open(pipe);
  const proof = await proofFor(client, program);
  expectResult(await client.ask(proof));
  return client;
}

/** Opens a session, gets a token and closes; every answer is waited for. */
export async function fetchToken(pipe: string, program: PairedProgram, user: string): Promise<void> {
  const client = await openSession(pipe, program);
  expectToken(await client.ask(tokenLine(3, user)));
  client.close();
}

/** The same with the request right behind the proof. */
export async function fetchTokenAtOnce(pipe: string, program: PairedProgram, user: string): Promise<void> {
  const client = LineClient.open(pipe);
  const [, answer] = await client.askFor(2, (await proofFor(client, program)) + tokenLine(3, user));
  expectToken(answer);
  client.close();
}

async function proofFor(client: LineClient, { clientId, key }: PairedProgram): Promise<string> {
  const clientNonce = randomBytes(32).toString("base64url");
  const answer = await client.ask(requestLine(1, "session.hello", { protocol: 1, clientId, nonce: clientNonce }));
  // Checked by the proof: anything else is no broker's.
  const { result } = JSON.parse(String(answer)) as { readonly result: { readonly nonce: string; readonly proof: string } };
  const input = { key, clientId, clientNonce, serverNonce: result.nonce };
  if (result.proof !== brokerProof(input)) throw new Error("the broker did not prove its key");
  return requestLine(2, "session.authenticate", { proof: programProof(input) });
}

/** Throws unless a token was answered. */
export function expectToken(answer: Buffer | undefined): void {
  if (answer?.includes('"accessToken"') !== true) throw new Error(`no token was answered: ${String(answer)}`);
}

function expectResult(answer: Buffer): void {
  if (!answer.includes('"result"')) throw new Error(`refused: ${String(answer)}`);
}
