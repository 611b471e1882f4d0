/** Fuzzes the callback endpoint: mutated requests around the one request that would end a sign-in. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { createRandom, type Random } from "../crash/random.ts";
import { type Awaited, mutatedRequest, soundRequest, soundTarget } from "./callback-requests.ts";
import { type Finding, type FindingKind, noteSeen, RecentInputs, type Seen, type SentInput } from "./findings.ts";
import type { FuzzTarget, TargetOptions } from "./fuzz-run.ts";
import { secretMarks } from "./marked-secrets.ts";
import { cutIntoPieces, mutateBytes } from "./mutate-bytes.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** Fewer than the endpoint takes at once on each port, which is 64. */
const workers = 12;
/** All ports of the computer are in use for a moment: each is kept for a while after its connection. */
const noPortMs = 200;
const probeAgainMs = 20;

/** How bytes get there: as they are, behind TLS, or as they are to where TLS is expected. */
type Way = "plain" | "tls" | "no tls";

export async function startCallbackTarget({ boundMs, sabotage, seen, connection }: TargetOptions): Promise<FuzzTarget> {
  const file = join(import.meta.dirname, "callback-server-process.ts");
  const server = await startServerProcess(file, { folder: "", ...(sabotage && { sabotage }) }, boundMs);
  const recent = new RecentInputs(2 * workers);
  const wire: Wire = { server, boundMs, seen, recent };
  return {
    server,
    batch: (random, runs) => runBatch(wire, connection, random, runs),
    recentInputs: () => recent.list(),
    probe: () => isServed(wire),
    close: server.kill,
  };
}

interface Wire {
  readonly server: ServerProcess;
  readonly boundMs: number;
  readonly seen: Seen;
  readonly recent: RecentInputs;
}

async function runBatch(wire: Wire, connection: number | undefined, random: Random, runs: number): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const isOver = () => wire.server.hasEnded() || found.some(({ kind }) => kind === "hang");
  const work = async (own: Random, share: number): Promise<void> => {
    for (let left = share; left > 0 && !isOver(); left -= 1) {
      const faults = await visit(wire, connection ?? own.between(0, 2 ** 31));
      // All of them wait when the server does: that is one hang.
      found.push(...faults.filter(({ kind }) => kind !== "hang" || !isOver()));
    }
  };
  const shares = Array.from({ length: workers }, (_, index) => Math.floor((runs + index) / workers));
  await Promise.all(shares.map((share) => work(createRandom(random.between(0, 2 ** 31)), share)));
  return found;
}

/** One mutated request, and then what a browser does next, more or less. */
async function visit(wire: Wire, seed: number): Promise<readonly Finding[]> {
  const random = createRandom(seed);
  const way = random.chance(0.85) ? "plain" : random.pick<Way>(["tls", "no tls"]);
  const sent = mutatedRequest(awaited(wire, way), random);
  const input: SentInput = { connection: seed, bytes: sent.toString("latin1") };
  wire.recent.note(input);
  const answer = await exchange(wire, way, sent, random);
  if (answer === undefined) return [{ kind: "hang", text: "a connection did not end", inputs: [input] }];
  const found = [...judge(answer, way, wire.seen, input)];
  const location = locationIn(answer);
  if (location === undefined || random.chance(0.3)) return found;
  const request = soundRequest(awaited(wire, way), location);
  const page = random.chance(0.5) ? await politely(wire, way, request) : await exchange(wire, way, mutateBytes(request, random), random);
  return page === undefined ? found : [...found, ...judge(page, way, wire.seen, input)];
}

function awaited({ server }: Wire, way: Way): Awaited {
  return way === "plain" ? { port: server.address, state: server.state(false) } : { port: server.secureAddress, state: server.state(true) };
}

/**
 * Sends `bytes` on a connection of their own and closes this side, in a browser's way or a rude one.
 *
 * @returns all that came back, as latin1; undefined when the connection does not end
 */
function exchange(wire: Wire, way: Way, bytes: Buffer, random: Random): Promise<string | undefined> {
  return conversation(wire, way, (socket) => {
    for (const piece of cutIntoPieces(bytes, random)) socket.write(piece);
    if (random.chance(0.05)) setImmediate(() => socket.destroy());
    // Otherwise the server has to see by itself that no more is coming.
    else if (random.chance(0.995)) socket.end();
  });
}

/** The same as a browser does it, which waits for its page however long that takes. */
function politely(wire: Wire, way: Way, bytes: Buffer): Promise<string | undefined> {
  return conversation(wire, way, (socket) => void socket.write(bytes));
}

async function conversation(wire: Wire, way: Way, send: (socket: Socket) => void): Promise<string | undefined> {
  for (;;) {
    const socket = open(wire, way);
    const ended = readAll(socket, wire.boundMs);
    send(socket);
    const answer = await ended;
    if (answer !== "no port") return answer;
    await delay(noPortMs);
  }
}

function open({ server }: Wire, way: Way): Socket {
  const address = { port: Number(way === "plain" ? server.address : server.secureAddress), host: "127.0.0.1" };
  // Made by the server itself, for this run.
  return way === "tls" ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
}

function readAll(socket: Socket, boundMs: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let received = "";
  const timer = setTimeout(() => {
    resolve(undefined);
    socket.destroy();
  }, boundMs);
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRNOTAVAIL") resolve("no port");
  });
  socket.on("close", () => {
    clearTimeout(timer);
    resolve(received);
  });
  return promise;
}

/** Codes and states never come back, and no request is answered as a fault of the server's. */
function judge(answer: string, way: Way, seen: Seen, input: SentInput): readonly Finding[] {
  const of = (kind: FindingKind, text: string): Finding => ({ kind, text, inputs: [input] });
  // Alerts are not HTTP.
  if (way === "no tls") {
    noteSeen(seen, "no-tls");
    return [];
  }
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? "");
  for (const status of statuses.length === 0 ? ["none"] : statuses) noteSeen(seen, way === "tls" ? `tls-${status}` : status);
  const found: Finding[] = [];
  for (const secret of [secretMarks.state, secretMarks.code]) {
    if (answer.includes(secret)) found.push(of("leak", `an answer holds ${secret}`));
  }
  if (answer !== "" && statuses.length === 0) found.push(of("crash", `an answer is not HTTP: ${answer.slice(0, 100)}`));
  // 503 is what a prefetch gets.
  const fault = statuses.find((status) => status.startsWith("5") && status !== "503");
  if (fault !== undefined) found.push(of("crash", `a request was answered with ${fault}`));
  return found;
}

/** A browser that comes back from a sign-in sees the page that says so, on both ports. */
async function isServed(wire: Wire): Promise<boolean> {
  return (await seesItsPage(wire, "plain")) && (await seesItsPage(wire, "tls"));
}

async function seesItsPage(wire: Wire, way: Way): Promise<boolean> {
  const endMs = performance.now() + wire.boundMs;
  while (performance.now() < endMs && !wire.server.hasEnded()) {
    const now = awaited(wire, way);
    const answer = (await politely(wire, way, soundRequest(now, soundTarget(now)))) ?? "";
    const location = answer.startsWith("HTTP/1.1 303 ") ? locationIn(answer) : undefined;
    const page = location === undefined ? undefined : await politely(wire, way, soundRequest(now, location));
    if (page?.includes("is now connected to") === true) return true;
    // The state has just been used by what was sent before: the next one is on its way.
    await delay(probeAgainMs);
  }
  return false;
}

function locationIn(answer: string): string | undefined {
  return /\r\nLocation: https?:\/\/[^/]+(\S+)/i.exec(answer)?.[1];
}
