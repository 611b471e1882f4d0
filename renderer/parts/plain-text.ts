/**
 * Text that somebody else wrote (a program, a provider, a file), made fit to stand in this window:
 * one line, limited, and unable to reorder, hide or paint over the words around it.
 */

// Unicode category Cf: bidi embeddings, overrides and isolates, zero-width characters, soft hyphen, tags.
const formatCharacters = /\p{Cf}+/gu;
const controlsAndSpaces = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;
// No language stacks more than two marks on most letters; dozens of them cover the lines above.
const stackedMarks = /(\p{M}{2})\p{M}+/gu;

/**
 * @param text as received
 * @param limit longest result in characters (code points); a longer text ends in `…`
 */
export function plainText(text: string, limit: number): string {
  const line = text.replace(formatCharacters, "").replace(controlsAndSpaces, " ").replace(stackedMarks, "$1").trim();
  const characters = Array.from(line);
  return characters.length <= limit ? line : `${characters.slice(0, limit - 1).join("")}…`;
}
