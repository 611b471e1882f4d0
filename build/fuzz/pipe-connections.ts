/** The kinds of connections the pipe fuzzer makes. Each depends on its random numbers only, and on how it is answered. */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Random } from "../crash/random.ts";
import type { FuzzedProgram, FuzzedPrograms } from "./child-contract.ts";
import { cutIntoPieces, mutateBytes } from "./mutate-bytes.ts";
import type { NotGreeted, PipeClient, Waited } from "./pipe-client.ts";
import { entryMessage, flood, line, mutatedLines, sentinel, sessionMessage, someNonce, strangersTranscript } from "./pipe-transcripts.ts";

/** How a connection went. */
export interface Course {
  /** Mutated inputs that were sent. */
  readonly used: number;
  /** It was neither answered nor ended. */
  readonly hung: boolean;
}

export type PipeConnectionKind = (client: PipeClient, random: Random, programs: FuzzedPrograms) => Promise<Course>;

const linesAWrite = 16;
const mostWrites = 4;
/** More than the 256 that may be under way. */
const floodSizes = [300, 600] as const;
const longAnswers = 2;
/** Longer than the fuzzed server waits for a client that does not read, or says nothing. */
const stalledMs = 700;

type Share = readonly [share: number, kind: PipeConnectionKind];
/** By how often each is made; the rare ones take long. */
const kinds: readonly [Share, ...Share[]] = [
  [0.55, stream],
  [0.18, stranger],
  [0.2, member],
  [0.055, pairing],
  [0.012, flooder],
  [0.0005, longReader],
  [0.0005, stalled],
  [0.002, silent],
];

/** One of the kinds, as often as its share, and one of the ways to leave. */
export const anyConnection: PipeConnectionKind = async (client, random, programs) => {
  let left = random.fraction();
  const [, make] = kinds.find(([share]) => (left -= share) < 0) ?? kinds[0];
  const made = await make(client, random, programs);
  if (made.hung || random.chance(0.7)) return made;
  // The other side has to notice, whatever is still under way.
  client.socket.end();
  await nextTurn();
  client.socket.resume();
  return course(made.used, await client.untilClosed());
};

/** One mutated stream, cut anywhere, and ended in one of the ways in which programs end. */
async function stream(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const transcript = strangersTranscript(random, programs);
  await sendInPieces(client, random.chance(0.9) ? mutateBytes(transcript, random) : transcript, random);
  if (random.chance(0.5)) return { used: 1, hung: false };
  return course(1, await askSentinel(client, 0));
}

/** Messages of somebody who has proved nothing, perhaps after a greeting. */
async function stranger(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const greeting = random.chance(0.5) ? await client.greet(random.pick(programs), someNonce) : undefined;
  const known = typeof greeting === "object" ? greeting : undefined;
  const count = random.between(1, 9);
  client.send(mutatedLines(count, random, () => entryMessage(random, programs, known)));
  return course(count, await askSentinel(client, 0));
}

/** A program that proves its key and then sends what it should not. */
async function member(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = usualProgram(random, programs);
  const entered = await client.enter(program, someNonce);
  if (entered !== "sent") return course(1, entered);
  return session(client, random, program, programs);
}

/** A program that is paired, perhaps among mutated messages, and goes on with what it was given. */
async function pairing(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = programs.find(({ pairedAs }) => pairedAs !== undefined && random.chance(0.5)) ?? usualProgram(random, programs);
  const name = program.pairedAs ?? "Approved DMS 1";
  const before = random.between(0, 3);
  const entry = () => entryMessage(random, programs, undefined);
  client.send(mutatedLines(before, random, entry));
  const asked = await client.ask(line("pair", "pairing.request", { name, publisher: "Vendor" }), '"id":"pair"');
  const pairingId = /"id":"pair","result":\{"pairingId":"([^"]+)"/.exec(client.received)?.[1];
  if (pairingId === undefined) return course(before + 1, asked);
  client.send(mutatedLines(before, random, entry));
  const decided = await client.ask(line("paired", "pairing.wait", { pairingId }), '"id":"paired"');
  if (decided !== "came") return course(1 + 2 * before, decided);
  if (program.pairedAs === undefined || !client.received.includes(program.clientKey))
    return course(1 + 2 * before, await askSentinel(client, 0));
  const entered = await client.enter(program, someNonce);
  if (entered !== "sent") return course(1 + 2 * before, entered);
  return session(client, random, program, programs);
}

/** Messages in a session, right behind the proof or later, whole or in pieces. */
async function session(client: PipeClient, random: Random, program: FuzzedProgram, programs: FuzzedPrograms): Promise<Course> {
  const message = () =>
    random.chance(0.02) ? entryMessage(random, programs, undefined) : sessionMessage(random, program, programs, tokenIdIn(client.received));
  const writes = random.between(1, mostWrites + 1);
  let used = 0;
  for (let write = 0; write < writes; write += 1) {
    const lines = mutatedLines(linesAWrite, random, message);
    if (random.chance(0.2)) await sendInPieces(client, lines, random);
    else client.send(lines);
    used += linesAWrite;
    const waited = await askSentinel(client, write);
    if (waited !== "came") return course(used, waited);
  }
  if (random.chance(0.8)) return { used, hung: false };
  // The last answers are not waited for, and perhaps not read.
  if (random.chance(0.5)) client.socket.pause();
  const last = mutatedLines(linesAWrite, random, message);
  client.send(random.chance(0.5) ? last : last.subarray(0, random.between(0, last.length)));
  return { used: used + linesAWrite, hung: false };
}

/** More requests than may be under way, and no answer read before all are sent. Each is answered all the same. */
async function flooder(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = usualProgram(random, programs);
  const entered = await client.enter(program, someNonce);
  if (entered !== "sent") return course(1, entered);
  client.socket.pause();
  const count = random.pick(floodSizes);
  client.send(flood(count, program));
  client.send(mutatedLines(linesAWrite, random, () => sessionMessage(random, program, programs)));
  for (let turns = random.between(0, 50); turns > 0; turns -= 1) await nextTurn();
  client.socket.resume();
  const waited = await askSentinel(client, 0);
  if (waited !== "came") return course(linesAWrite, waited);
  const isAnswered = () => occurrences(client.received, '"id":"flood-') >= count;
  return course(linesAWrite, await client.until(isAnswered));
}

/** Asks for the longest answers there are, several at once, and reads them late. */
async function longReader(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = programs.find(({ hasLongAnswers }) => hasLongAnswers === true) ?? random.pick(programs);
  const entered = await client.enter(program, someNonce);
  if (entered !== "sent") return course(1, entered);
  client.socket.pause();
  for (let count = 0; count < longAnswers; count += 1) {
    client.send(line(`long-${count}`, random.pick(["connection.list", "events.subscribe"]), {}));
    client.send(mutatedLines(2, random, () => sessionMessage(random, program, programs)));
  }
  await delay(random.between(0, 50));
  client.socket.resume();
  const waited = await askSentinel(client, 0);
  if (waited !== "came") return course(2 * longAnswers, waited);
  return course(2 * longAnswers, await client.until(() => occurrences(client.received, '"id":"long-') >= longAnswers));
}

/** Asks for much, and reads nothing for longer than a client may. */
async function stalled(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = programs.find(({ hasLongAnswers }) => hasLongAnswers === true) ?? random.pick(programs);
  const entered = await client.enter(program, someNonce);
  if (entered !== "sent") return course(1, entered);
  client.socket.pause();
  client.send(line("long-0", "connection.list", {}));
  client.send(mutatedLines(linesAWrite, random, () => sessionMessage(random, program, programs)));
  await delay(stalledMs);
  client.socket.resume();
  return course(linesAWrite, await askSentinel(client, 0));
}

/** Sends a part of a message, and then nothing: as a stranger, or in its session. */
async function silent(client: PipeClient, random: Random, programs: FuzzedPrograms): Promise<Course> {
  const program = usualProgram(random, programs);
  const entered = random.chance(0.5) ? await client.enter(program, someNonce) : "sent";
  if (entered !== "sent") return course(1, entered);
  const whole = line(1, "token.get", { provider: program.provider, user: program.users[0] });
  client.send(whole.slice(0, random.between(0, whole.length)));
  await delay(stalledMs);
  return course(1, await askSentinel(client, 0));
}

/** The id of a token that the program has been given. */
function tokenIdIn(received: string): string | undefined {
  return /"tokenId":"([^"]+)"/.exec(received)?.[1];
}

/** Most programs have short answers; long ones take time. */
function usualProgram(random: Random, programs: FuzzedPrograms): FuzzedProgram {
  const [first, ...others] = programs.filter(({ hasLongAnswers }) => hasLongAnswers !== true);
  return first === undefined ? programs[0] : random.pick([first, ...others]);
}

async function sendInPieces(client: PipeClient, bytes: Buffer, random: Random): Promise<void> {
  for (const piece of cutIntoPieces(bytes, random)) {
    client.send(piece);
    if (random.chance(0.2)) await nextTurn();
  }
}

function askSentinel(client: PipeClient, number: number): Promise<Waited> {
  const { bytes, mark } = sentinel(number);
  return client.ask(bytes, mark);
}

function course(used: number, waited: Waited | NotGreeted): Course {
  return { used, hung: waited === "too long" };
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
