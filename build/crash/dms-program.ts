/**
 * The DMS program of one run: pairs if it has to, opens a session and drives all users at once. Invariant: it ends by
 * itself when the broker does; what it was promised is in the profile before it goes on.
 */
import { type BrokerClient, type BrokerFailure, type Credentials, connectToBroker } from "../../clients/node/dms-connect-client.ts";
import type { BrokerProcess } from "./child-process.ts";
import { ConnectionEvents } from "./connection-events.ts";
import { type Profile, users } from "./profile.ts";
import type { Random } from "./random.ts";
import type { Errand } from "./steps.ts";
import type { Seen } from "./totals.ts";
import { UserTraffic } from "./user-traffic.ts";

export interface DmsProgramParts {
  readonly profile: Profile;
  readonly broker: BrokerProcess;
  readonly random: Random;
  readonly seen: Seen;
  readonly errand: Errand;
}

const answerLimitMs = 5_000;
/** In each run, besides its errand. */
const registerShare = 0.1;
const pairShare = 0.05;
const backUpShare = 0.25;
const rekeyShare = 0.1;

/** Asks, signs in and revokes until the run is over. */
export async function runProgram(parts: DmsProgramParts): Promise<void> {
  const opened = await openSession(parts);
  if (opened === undefined) return;
  const { broker, errand, random } = parts;
  const pairing = errand === "pair" || random.chance(pairShare) ? pair(parts) : undefined;
  if (errand === "back-up" || random.chance(backUpShare)) broker.send({ kind: "back-up" });
  if (errand === "rekey" || random.chance(rekeyShare)) broker.send({ kind: "rekey" });
  await Promise.all([pairing, ...opened.traffic.map((user) => user.drive())]);
  opened.session.close();
}

/** Looks at every user once. */
export async function lookAround(parts: DmsProgramParts): Promise<void> {
  const opened = await openSession(parts);
  if (opened === undefined) return;
  for (const user of opened.traffic) await user.lookOnce();
  opened.session.close();
}

async function openSession(parts: DmsProgramParts) {
  const { profile, broker, random, errand } = parts;
  if (errand === "register" || profile.savedRevision === 0 || random.chance(registerShare)) {
    profile.askedRevision += 1;
    broker.send({ kind: "register", revision: profile.askedRevision });
  }
  const [first, ...others] = profile.credentials;
  const credentials = first === undefined ? await pair(parts) : random.pick([first, ...others]);
  const session = credentials === undefined ? undefined : await admitted(parts, credentials);
  if (session === undefined) return undefined;
  const events = new ConnectionEvents();
  await session.subscribe(({ connection }) => events.heard(connection));
  let isOver = false;
  void session.closed.then(() => {
    isOver = true;
  });
  const chosen = random.between(0, users.length);
  const traffic = users.map(({ name }, index) => {
    const own = index === chosen && (errand === "sign-in" || errand === "revoke") ? errand : undefined;
    return new UserTraffic({ user: name, session, events, ledger: profile.ledger, random, errand: own, isOver: () => isOver });
  });
  return { session, traffic };
}

async function admitted({ profile }: DmsProgramParts, credentials: Credentials): Promise<BrokerClient | undefined> {
  const connected = await connectToBroker({ pipe: profile.pipe, credentials, timeoutMs: answerLimitMs });
  if (connected.ok) return connected.value;
  if (isUnknown(connected.error)) profile.ledger.find("acknowledgedLost", `a paired program is answered ${connected.error.detail}`);
  return undefined;
}

/** A broker that lost a program's key cannot prove that it has it. */
function isUnknown({ detail }: BrokerFailure): boolean {
  return detail === "not_paired" || detail === "broker_not_genuine";
}

async function pair({ profile, seen }: DmsProgramParts): Promise<Credentials | undefined> {
  const connected = await connectToBroker({ pipe: profile.pipe, timeoutMs: answerLimitMs });
  if (!connected.ok) return undefined;
  const paired = await connected.value.pair({ name: "Crash DMS", onCode: () => undefined });
  connected.value.close();
  if (!paired.ok) return undefined;
  profile.credentials.push(paired.value);
  seen.pairings += 1;
  return paired.value;
}
