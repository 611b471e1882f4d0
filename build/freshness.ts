/** Whether `dist/` still is what the sources say. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders and files (relative to the repository) that go into a bundle. */
const sources = ["electron", "shared", "renderer", "cli", "clients", "build/bundles.ts", "package.json", "package-lock.json"];

/**
 * True if every one of `outputs` exists and is newer than every source.
 *
 * @param root absolute path of the repository
 * @param outputs the first file of each bundle, relative to `root`
 */
export function isDistFresh(root: string, outputs: readonly string[]): boolean {
  const newestSourceMs = Math.max(...sources.map((source) => newestChangeMs(join(root, source))));
  return outputs.every((output) => {
    const stats = statSync(join(root, output), { throwIfNoEntry: false });
    return stats !== undefined && stats.mtimeMs >= newestSourceMs;
  });
}

/** Latest change of a file, or of any file below a folder, in Unix milliseconds; 0 if there is nothing. */
function newestChangeMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return isTest(path) ? 0 : stats.mtimeMs;
  // The folder's own time counts too: it changes when a file is removed.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestChangeMs(join(path, name))));
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}
