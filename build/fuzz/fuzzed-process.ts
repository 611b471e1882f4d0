/** What the process of every fuzzed server does besides serving: it ends with its parent and says what it holds. */
import type { Log } from "../../electron/core/ports.ts";
import { type ChildMessage, parentMessage, type Sabotage } from "./child-contract.ts";
import { logMarks } from "./marked-secrets.ts";

/** What the fuzzer is told about when it looks. */
export interface Notes {
  readonly bugs: string[];
  readonly logLeaks: string[];
}

/** A log that looks for secrets in all it is told, and keeps what only a bug writes. */
export function watchedLog({ bugs, logLeaks }: Notes): Log {
  const look = (text: string): void => {
    if (logMarks.some((mark) => text.includes(mark))) logLeaks.push(text);
  };
  const told: Log["info"] = (event, fields) => look(`${event} ${JSON.stringify(fields ?? {})}`);
  return {
    info: told,
    warn: told,
    error: (event, error) => {
      const text = `${event}: ${textOf(error)}`;
      look(text);
      bugs.push(text);
    },
  };
}

/** Answers each look with what Node and the server hold; the notes are emptied when garbage is collected. */
export function answerLooks({ bugs, logLeaks }: Notes, held: () => Readonly<Record<string, number>>): void {
  // Without a parent nobody would ever end this process.
  process.once("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    const wanted = parentMessage.parse(message);
    if (wanted.kind === "end") process.exit(0);
    const { collect } = wanted;
    if (collect) globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    const notes = collect ? { bugs: bugs.splice(0), logLeaks: logLeaks.splice(0) } : { bugs: [], logLeaks: [] };
    tell({ kind: "condition", held: { ...held(), ...nodeHolds() }, ...notes, memoryInUse: heapUsed + external, rss });
  });
}

/** Does what the fuzzer has to notice, unless the fault is one of what is answered. */
export function misbehave(sabotage: Sabotage | undefined, log: Log): void {
  if (sabotage === "crash") setImmediate(() => process.exit(3));
  if (sabotage === "leak-handle") setInterval(() => undefined, 1_000);
  if (sabotage === "leak-log") log.info("fuzz.sabotaged", { token: logMarks.join(" ") });
  // Keeps the event loop from ever going on.
  if (sabotage === "hang") for (;;);
}

export function tell(message: ChildMessage): void {
  process.send?.(message);
}

function nodeHolds(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
