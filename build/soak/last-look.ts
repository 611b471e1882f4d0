/**
 * Finds connections that are stuck. Nothing disturbs the app any more: each of them has to be served with tokens that were
 * issued since, or has to ask for a person. An old token that still lasts would prove nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { DmsProgram } from "./dms-program.ts";
import type { Ledger, Who } from "./ledger.ts";
import type { SoakConnection } from "./soak-connection.ts";

export interface LastLookParts {
  readonly program: Pick<DmsProgram, "ask">;
  readonly connections: readonly SoakConnection[];
  readonly ledger: Pick<Ledger, "isIssuedAfter">;
  readonly limitMs: number;
  /** Between two looks. */
  readonly everyMs?: number;
}

export interface StuckConnection {
  readonly who: Who;
  /** What it was answered last. */
  readonly last: string;
}

const usualEveryMs = 1_000;
const atOnce = 10;
/** As much as a program may ask for: the sooner a new token comes, the sooner this is over. */
const minValiditySeconds = 3_600;

export async function findStuck({
  program,
  connections,
  ledger,
  limitMs,
  everyMs = usualEveryMs,
}: LastLookParts): Promise<readonly StuckConnection[]> {
  const beganAtMs = Date.now();
  const endMs = performance.now() + limitMs;
  const open = new Map<SoakConnection, string>(connections.map((connection) => [connection, "nothing"]));
  while (open.size > 0 && performance.now() < endMs) {
    const asked = [...open.keys()];
    // A few at a time: programs have their limits.
    for (let index = 0; index < asked.length; index += atOnce) {
      await Promise.all(asked.slice(index, index + atOnce).map((connection) => look(connection)));
    }
    if (open.size > 0) await delay(everyMs);
  }
  return [...open].map(([{ who }, last]) => ({ who, last }));

  async function look(connection: SoakConnection): Promise<void> {
    const answer = await program.ask(connection, minValiditySeconds);
    const isServed = answer.ok && ledger.isIssuedAfter(answer.value.accessToken, beganAtMs);
    const isForPerson = !answer.ok && (answer.error.code === "reconnect_required" || answer.error.code === "not_connected");
    if (isServed || isForPerson) open.delete(connection);
    else open.set(connection, answer.ok ? "a token of before" : answer.error.detail);
  }
}
