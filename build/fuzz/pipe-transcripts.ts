/** Valid messages of docs/pipe-protocol.md, from which the fuzzer starts. */
import type { Random } from "../crash/random.ts";
import type { FuzzedProgram, FuzzedPrograms } from "./child-contract.ts";
import { approvedNames, expiredName, undecidedName } from "./marked-secrets.ts";
import { type Message, mutatedLine } from "./mutate-message.ts";
import type { Greeting } from "./pipe-client.ts";

export const someNonce = Buffer.alloc(32, 5).toString("base64url");

const names: readonly [string, ...string[]] = [...approvedNames, undecidedName, expiredName, "Other DMS"];

/** The beginning of a connection, before anything is proved. */
export function entryMessage(random: Random, programs: FuzzedPrograms, greeting: Greeting | undefined): Message {
  const name = random.pick(names);
  const { clientId } = random.pick(programs);
  const proof = random.pick([someNonce, greeting?.brokerProof ?? someNonce, greeting?.clientNonce ?? someNonce, almost(greeting, random)]);
  return random.pick<Message>([
    request(1, "pairing.request", { name, publisher: "Vendor" }),
    request(2, "pairing.request", { name, reason: "To read vehicle orders" }),
    request(3, "pairing.wait", { pairingId: "pairing" }),
    request(4, "session.hello", { protocol: 1, clientId, nonce: someNonce }),
    request(5, "session.hello", { protocol: 2, clientId: "nobody", nonce: someNonce }),
    request(6, "session.authenticate", { proof }),
    request(7, "token.get", selector(random, random.pick(programs))),
    request(8, "events.subscribe", {}),
    request(9, "connection.list", {}),
  ]);
}

/** What a program asks in its session; now and then for what is another's. */
export function sessionMessage(random: Random, program: FuzzedProgram, programs: FuzzedPrograms, tokenId = "token"): Message {
  const id = random.between(1, 1_000_000);
  const asked = random.chance(0.1) ? random.pick(programs) : program;
  const wanted = selector(random, asked);
  // The first user keeps his token, whatever happens to others.
  const going = { ...wanted, user: asked.users[random.between(1, 4)] };
  return random.pick<Message>([
    request(id, "token.get", wanted),
    request(id, "token.get", { ...wanted, minValiditySeconds: 300 }),
    request(id, "token.get", { ...wanted, organisation: "10030/MMD" }),
    request(id, "token.rejected", { ...wanted, tokenId }),
    request(id, "connection.list", {}),
    request(id, "connection.get", wanted),
    request(id, "connect.start", { ...going, organisation: "10030/MMD" }),
    request(id, "connect.cancel", going),
    request(id, "connection.revoke", going),
    request(id, "connection.forget", { ...going, environment: "production" }),
    request(id, "events.subscribe", {}),
    request(id, "broker.status", {}),
    request(id, "session.hello", { protocol: 1, clientId: program.clientId, nonce: someNonce }),
    request(id, "session.authenticate", { proof: someNonce }),
    request(id, "pairing.request", { name: "Other DMS" }),
  ]);
}

/** A whole connection of a program that was never paired, as bytes. */
export function strangersTranscript(random: Random, programs: FuzzedPrograms): Buffer {
  const messages = Array.from({ length: random.between(1, 8) }, () => entryMessage(random, programs, undefined));
  return Buffer.from(messages.map((message) => `${JSON.stringify(message)}${random.chance(0.1) ? "\r\n" : "\n"}`).join(""));
}

/** `count` mutated lines of either kind. */
export function mutatedLines(count: number, random: Random, message: () => Message): Buffer {
  const lineFeed = Buffer.from("\n");
  return Buffer.concat(Array.from({ length: count }, () => [mutatedLine(message(), random), lineFeed]).flat());
}

/** A request that nothing may change, to see that all before it was dealt with. */
export function sentinel(number: number): { readonly bytes: Buffer; readonly mark: string } {
  const id = `sentinel-${number}`;
  return { bytes: Buffer.from(`\n${line(id, "broker.status", {})}`), mark: `"id":"${id}"` };
}

/** More requests at once than a session may have under way, for tokens that take a moment; the id of each begins with `flood-`. */
export function flood(count: number, { provider, users }: FuzzedProgram): string {
  return Array.from({ length: count }, (_, index) => line(`flood-${index}`, "token.get", { provider, user: users[index % 2] })).join("");
}

/** One request as it goes over the wire. */
export function line(id: number | string, method: string, params: object): string {
  return `${JSON.stringify(request(id, method, params))}\n`;
}

function request(id: number | string, method: string, params: object): Message {
  return { jsonrpc: "2.0", id, method, params };
}

function selector(random: Random, { provider, users }: FuzzedProgram): Message {
  return { provider, user: random.pick(users) };
}

/** The right proof but for one character. */
function almost(greeting: Greeting | undefined, random: Random): string {
  if (greeting === undefined) return someNonce;
  const at = random.between(0, greeting.rightProof.length - 1);
  const other = greeting.rightProof[at] === "A" ? "B" : "A";
  return greeting.rightProof.slice(0, at) + other + greeting.rightProof.slice(at + 1);
}
