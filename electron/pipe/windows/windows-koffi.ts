/**
 * koffi's binary for Windows, for runs under Wine: npm installs only the one for the system it runs on. For tests only.
 *
 * Invariant: nothing is fetched twice, and an unfinished fetch is never used.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

const nodeModules = path.resolve(import.meta.dirname, "../../../node_modules");
const cache = path.join(nodeModules, ".cache/windows-koffi");
const fetchMs = 60_000;

/** As npm names the packages, and the folders in them. */
const architectures = { x64: "x64", x86: "ia32" } as const;
export type WindowsArchitecture = keyof typeof architectures;

/**
 * Makes sure that `useWindowsKoffi` finds it.
 *
 * @returns whether it is there; false if the registry cannot be reached
 */
export function fetchWindowsKoffi(architecture: WindowsArchitecture): boolean {
  const name = architectures[architecture];
  const folder = folderOf(name);
  if (existsSync(folder)) return true;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(path.join(cache, ".fetching-"));
  try {
    const options = { cwd: temporary, encoding: "utf8", timeout: fetchMs } as const;
    const packed = spawnSync("npm", ["pack", `@koromix/koffi-win32-${name}@${version()}`, "--silent", "--fetch-retries=0"], options);
    const archive = packed.stdout.trim().split("\n").at(-1) ?? "";
    if (packed.status !== 0 || spawnSync("tar", ["-xzf", archive], options).status !== 0) return false;
    // The name under which koffi looks for it.
    renameSync(path.join(temporary, "package"), path.join(temporary, "koffi"));
    renameSync(temporary, folder);
    return true;
  } catch {
    // Another process was faster, or the disk refuses.
    return existsSync(folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Called in a Windows process, before koffi is loaded: it also looks where Electron keeps an app's resources. */
export function useWindowsKoffi(): void {
  const folder = folderOf(process.arch);
  if (existsSync(folder)) Object.assign(process, { resourcesPath: folder });
}

function folderOf(name: string): string {
  return path.join(cache, `${name}-${version()}`);
}

/** Both parts of koffi must have the same one. */
function version(): string {
  const { version: installed } = JSON.parse(readFileSync(path.join(nodeModules, "koffi/package.json"), "utf8")) as { version: string }; // every package.json has it
  return installed;
}
