/**
 * The path of a program's file, made fit to be read. Whoever named its folders chose the letters: what cannot be seen, or
 * changes the order of what can, is shown as a sign, because two paths that look alike must be alike.
 */
import { plainText } from "../parts/plain-text.ts";

/** Far beyond any installed program; Linux ends at 4,096. */
const wholeLimit = 1_024;
const shortLimit = 56;
/** Of a short path: drive or home folder. The file's own name is at the other end and gets the rest. */
const shortHead = 18;

const unseen = /[\p{Cf}\p{Cc}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}]|(?! )\p{Zs}/gu;
const sign = "\uFFFD";

export interface PathText {
  /** Cut out of the middle only beyond 1,024 characters. */
  readonly whole: string;
  /** At most 56 characters, cut out of the middle: begin and file name stay. Equal to `whole` if that is short. */
  readonly short: string;
}

/** @param path as the system told it */
export function pathText(path: string): PathText {
  const characters = Array.from(plainText(path.replace(unseen, sign), Number.POSITIVE_INFINITY));
  return { whole: cutMiddle(characters, wholeLimit, wholeLimit / 2), short: cutMiddle(characters, shortLimit, shortHead) };
}

/** The parts of a path with their separators, each of which must keep its place whatever its letters' direction. */
export function pathParts(path: string): readonly string[] {
  return path.match(/[^\\/]*[\\/]?/g)?.filter((part) => part !== "") ?? [];
}

function cutMiddle(characters: readonly string[], limit: number, head: number): string {
  if (characters.length <= limit) return characters.join("");
  return `${characters.slice(0, head).join("")}…${characters.slice(head + 1 - limit).join("")}`;
}
