/** Reads what a verifier made by Spin prints. Invariant: a search that was cut short never looks like one that found nothing. */

export interface SearchReport {
  /** `holds` only after a complete search without an error. */
  readonly verdict: "holds" | "violated" | "not completed";
  /** The verifier's own words for what it found, or why it stopped. */
  readonly why: string | undefined;
  /** Distinct states that were stored. */
  readonly states: number;
  /** Statements of the model (not of its properties) that no run reaches, as `process: statement`. */
  readonly unreached: readonly string[];
}

/** What pan says when it has not seen everything. */
const cutShort = /max search depth too small|out of memory|MEMLIM|Bitstate|Hash-Compact|time limit|too many|VECTORSZ|Search not completed/;
const violation = /^pan:\d+: .+$/m;

/**
 * @param output everything the verifier printed
 * @param exitCode its exit status; `null` if it was killed
 */
export function readSearchReport(output: string, exitCode: number | null): SearchReport {
  const errors = /errors: (\d+)$/m.exec(output)?.[1];
  const states = Number(/^\s*(\d+) states, stored/m.exec(output)?.[1] ?? 0);
  const found = violation.exec(output)?.[0];
  const unreached = unreachedStatements(output);
  if (errors !== undefined && errors !== "0" && found !== undefined) return { verdict: "violated", why: found, states, unreached };
  const stopped = cutShort.exec(output)?.[0];
  const complete = errors === "0" && exitCode === 0 && states > 0 && stopped === undefined && output.includes("Full statespace search");
  if (complete) return { verdict: "holds", why: undefined, states, unreached };
  return { verdict: "not completed", why: stopped ?? found ?? `the verifier ended with status ${exitCode ?? "none"}`, states, unreached };
}

/** A process that goes round for ever never reaches its `-end-`; that is no gap. */
function unreachedStatements(output: string): readonly string[] {
  const statements: string[] = [];
  let process: string | undefined;
  for (const line of output.split("\n")) {
    const heading = /^unreached in (\w+) (\w+)/.exec(line);
    if (heading !== null) process = heading[1] === "claim" ? undefined : heading[2];
    const statement = /^\t\S+:\d+, state \d+, "(.*)"$/.exec(line)?.[1];
    if (process !== undefined && statement !== undefined && statement !== "-end-") statements.push(`${process}: ${statement}`);
  }
  return statements;
}
