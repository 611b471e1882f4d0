/**
 * The file of a program, as it may be shown to a person and compared with another.
 *
 * Invariant: what leaves this module is an absolute path on one line that shows in the order it is stored in.
 */

/** No system runs a program whose path is longer (PATH_MAX on Linux, four times as much as on macOS). */
const maxPathLength = 4_096;

/** Control characters, line and paragraph separators, and what turns the writing direction round (Unicode Bidi_Control). */
const unprintable = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** The path with a `�` for each character that could mislead a reader; undefined if it is none or too long to be one. */
export function presentableProgramPath(path: string): string | undefined {
  if (!path.startsWith("/") || path.length > maxPathLength) return undefined;
  return path.replaceAll(unprintable, "\uFFFD");
}
