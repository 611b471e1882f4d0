/** Lists as people type them: one entry on each line. */

/** The entries of a text, trimmed, without empty and repeated ones. */
export function linesOf(text: string): readonly string[] {
  return [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter((line) => line !== "");
}
