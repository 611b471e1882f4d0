/** One finding of `dms-connect doctor`. Invariant: what failed names its remedy. */
import type { BrokerFailure } from "../clients/node/dms-connect-client.ts";

export type Check =
  | { readonly outcome: "ok"; readonly name: string; readonly found: string }
  | { readonly outcome: "fail"; readonly name: string; readonly found: string; readonly remedy: string }
  /** Could not be looked at, because an earlier check failed. */
  | { readonly outcome: "skip"; readonly name: string };

export function ok(name: string, found: string): Check {
  return { outcome: "ok", name, found };
}

export function fail(name: string, found: string, remedy: string): Check {
  return { outcome: "fail", name, found, remedy };
}

/** A failure of the broker as a finding. */
export function failed(name: string, { message, remedy, code, detail }: BrokerFailure): Check {
  return fail(name, `${message} [${code}, ${detail}]`, remedy);
}

export function skip(name: string): Check {
  return { outcome: "skip", name };
}

export function skipped(names: readonly string[]): readonly Check[] {
  return names.map(skip);
}

/** Writes it for a person. */
export function printCheck(check: Check): void {
  if (check.outcome === "skip") return console.log(`skip  ${check.name}`);
  console.log(`${check.outcome.padEnd(4)}  ${check.name}: ${check.found}`);
  if (check.outcome === "fail") console.log(`      What to do: ${check.remedy}`);
}
