/**
 * Answers as text.
 *
 * Invariant: a result is turned into text once, however often it is sent: core gives the same token answer to everyone who
 * asks within a second, and results are never changed. The text lives no longer than the result.
 */
import type { RequestId } from "./messages.ts";

const texts = new WeakMap<object, string>();
/** A token answer has about 3 kB. Lists are long and never sent twice. */
const longestKept = 16 * 1024;

/** One line with its line feed. A method that has nothing to say is answered with `{}`. */
export function answerLine(id: RequestId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultText(result ?? {})}}\n`;
}

function resultText(result: unknown): string {
  if (typeof result !== "object" || result === null) return JSON.stringify(result);
  const known = texts.get(result);
  if (known !== undefined) return known;
  const text = JSON.stringify(result);
  if (text.length <= longestKept) texts.set(result, text);
  return text;
}
