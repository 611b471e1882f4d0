/** What a fuzz run found, where it is written, and the line the run ends with. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type FindingKind = "crash" | "hang" | "leak";

/** What was sent over one connection. */
export interface SentInput {
  /** The seed of the connection: it sends the same again. */
  readonly connection: number;
  /** latin1. */
  readonly bytes: string;
}

export interface Finding {
  readonly kind: FindingKind;
  /** Enough to understand it. */
  readonly text: string;
  /** What brought it about; of several connections where it cannot be told which. */
  readonly inputs: readonly SentInput[];
}

/** What shows that a run reached anything: how often each thing was seen. */
export type Seen = Map<string, number>;

export function noteSeen(seen: Seen, what: string, times = 1): void {
  seen.set(what, (seen.get(what) ?? 0) + times);
}

export function seenLine(seen: Seen): string {
  const parts = [...seen].toSorted(([a], [b]) => a.localeCompare(b)).map(([what, times]) => `${what}=${times}`);
  return `seen: ${parts.join(" ")}`;
}

/** The inputs that were sent last, oldest first. Invariant: holds no more than the connections of a moment. */
export class RecentInputs {
  readonly #most: number;
  readonly #inputs: SentInput[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  note(input: SentInput): void {
    this.#inputs.push(input);
    if (this.#inputs.length > this.#most) this.#inputs.shift();
  }

  list(): readonly SentInput[] {
    return [...this.#inputs];
  }
}

/**
 * Writes the inputs of a finding to a file of its own in `folder`.
 *
 * @param replay what repeats the whole batch
 * @returns the file
 */
export function writeFinding(folder: string, name: string, { kind, text, inputs }: Finding, replay: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}.txt`);
  const parts = inputs.map(
    ({ connection, bytes }) => `\n# one connection again: ${replay} --connection ${connection}\n${visible(bytes)}\n`,
  );
  writeFileSync(file, `${kind}: ${text}\n# all of it again: ${replay}\n${parts.join("")}`, { mode: 0o600 });
  return file;
}

/** Bytes as JavaScript writes them, a line for each line. */
function visible(bytes: string): string {
  return bytes
    .split("\n")
    .map((line) => JSON.stringify(line).replaceAll(/[\u0080-\u00ff]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`))
    .join("\n");
}

export interface FuzzTotals {
  readonly runs: number;
  readonly findings: readonly Finding[];
  readonly maxRssMb: number;
}

export function summaryLine({ runs, findings, maxRssMb }: FuzzTotals): string {
  const count = (kind: FindingKind) => findings.filter((finding) => finding.kind === kind).length;
  return `runs=${runs} crashes=${count("crash")} hangs=${count("hang")} leaks=${count("leak")} maxRssMb=${maxRssMb}`;
}
