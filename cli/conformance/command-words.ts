/**
 * Turns `--exec CMD` into the words of one run of the client program.
 *
 * Invariant: no shell takes part, so that a backslash in a Windows path is a backslash and nothing is expanded.
 */

/** What the program shall do, as words: `["token", "mazda", "joe"]`. */
export type Order = readonly [command: "token" | "rejected" | "session" | "pair", ...words: string[]];

export interface ProgramCommand {
  /** The words of a run; undefined where this command line cannot express the order. */
  readonly wordsFor: (order: Order, credentialsFile: string) => readonly [file: string, ...args: string[]] | undefined;
}

/** Splits at blanks; quotes, single or double, keep blanks. Undefined if a quote is not closed or there is no word. */
export function splitWords(text: string): readonly [string, ...string[]] | undefined {
  const pattern = /\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)/gy;
  const words: string[] = [];
  let end = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    words.push((match[1] ?? "").replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
    end = pattern.lastIndex;
  }
  const [first, ...rest] = words;
  return first === undefined || text.slice(end).trim() !== "" ? undefined : [first, ...rest];
}

/**
 * The program behind `--exec`.
 *
 * `{words}` stands for all words of the order, `{provider}` and `{user}` for the two of `token` (such a command line can
 * do nothing else), `{credentials}` for the credentials file. Without any of the first three, the order is put at the end.
 */
export function programCommand(exec: string): ProgramCommand | undefined {
  const words = splitWords(exec);
  if (words === undefined) return undefined;
  const onlyToken = words.some((word) => word.includes("{provider}") || word.includes("{user}"));
  const template = onlyToken || words.includes("{words}") ? words : [...words, "{words}"];
  return {
    wordsFor: (order, credentialsFile) => {
      if (onlyToken && order[0] !== "token") return undefined;
      const [file, ...args] = template.flatMap((word) => (word === "{words}" ? order : fill(word, order, credentialsFile)));
      return file === undefined ? undefined : [file, ...args];
    },
  };
}

function fill(word: string, [, provider = "", user = ""]: Order, credentialsFile: string): string {
  const values: Readonly<Record<string, string>> = { provider, user, credentials: credentialsFile };
  return word.replaceAll(/\{(provider|user|credentials)\}/g, (_match, name: string) => values[name] ?? "");
}
