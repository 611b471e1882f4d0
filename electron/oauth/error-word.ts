/** Invariant: an error word from outside is harmless to show and to log. */

/** @returns `error` as at most 60 characters of `a-z 0-9 _ . -`, or `unknown` when none of it is left */
export function errorWord(error: string): string {
  const word = error
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, "")
    .slice(0, 60);
  return word === "" ? "unknown" : word;
}
