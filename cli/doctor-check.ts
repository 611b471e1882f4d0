/**
 * One finding of `dms-connect doctor`. Invariants: what failed names its remedy; nothing that a server or the broker has said can
 * move the cursor, begin a line or turn the direction of text.
 */
import type { BrokerFailure } from "../clients/node/dms-connect-client.ts";

export type Check =
  | { readonly outcome: "ok"; readonly name: string; readonly found: string }
  | { readonly outcome: "fail"; readonly name: string; readonly found: string; readonly remedy: string }
  /** Could not be looked at, because an earlier check failed. */
  | { readonly outcome: "skip"; readonly name: string };

export function ok(name: string, found: string): Check {
  return { outcome: "ok", name: inOneLine(name), found: inOneLine(found) };
}

export function fail(name: string, found: string, remedy: string): Check {
  return { outcome: "fail", name: inOneLine(name), found: inOneLine(found), remedy: inOneLine(remedy) };
}

/** A failure of the broker as a finding. A stranger on the pipe may have put it there. */
export function failed(name: string, { message, remedy, code, detail }: BrokerFailure): Check {
  return fail(name, `${shortened(message, longestText)} [${shortened(code)}, ${shortened(detail)}]`, shortened(remedy, longestText));
}

const longestText = 500;
const longestPart = 100;

/** The beginning of a text from outside. */
export function shortened(text: string, length = longestPart): string {
  const characters = Array.from(inOneLine(text));
  return characters.length > length ? `${characters.slice(0, length).join("")}…` : characters.join("");
}

function inOneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
}

export function skip(name: string): Check {
  return { outcome: "skip", name: inOneLine(name) };
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
