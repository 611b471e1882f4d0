/** Names for files that are set aside: dated, and never the name of a file that is there already. */
import { existsSync } from "node:fs";

/** `YYYYMMDD-HHMMSS` in UTC, from Unix milliseconds. */
export function dateStamp(nowMs: number): string {
  const [day, time] = new Date(nowMs).toISOString().slice(0, 19).split("T");
  return `${day?.replaceAll("-", "")}-${time?.replaceAll(":", "")}`;
}

/** `stem` + `ending`, or with `-2`, `-3`, … in between while that name is taken. */
export function unusedPath(stem: string, ending: string): string {
  let path = stem + ending;
  for (let number = 2; existsSync(path); number += 1) path = `${stem}-${number}${ending}`;
  return path;
}
