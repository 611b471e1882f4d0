/**
 * Finds Electron's runtime without starting a download by accident: `require("electron")` itself
 * downloads, noisily and without a limit, when the runtime is missing.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./bundles.ts";

const electronPackage = join(repositoryRoot, "node_modules/electron");

/** Absolute path of Electron's executable if its runtime is present; honours `ELECTRON_OVERRIDE_DIST_PATH`. */
export function findElectron(): string | undefined {
  const overrideFolder = process.env["ELECTRON_OVERRIDE_DIST_PATH"];
  const folder = overrideFolder ?? join(electronPackage, "dist");
  const executable = join(folder, executableName());
  return existsSync(executable) ? executable : undefined;
}

/**
 * Electron's executable, downloaded by Electron's own installer if it is missing.
 *
 * @param timeoutMs how long the download may take
 * @returns its path, or `undefined` where the download is not possible
 */
export function ensureElectron(timeoutMs: number): string | undefined {
  const found = findElectron();
  const installer = join(electronPackage, "install.js");
  if (found !== undefined || !existsSync(installer)) return found;
  spawnSync(process.execPath, [installer], { stdio: "ignore", timeout: timeoutMs, killSignal: "SIGKILL" });
  return findElectron();
}

function executableName(): string {
  const pathFile = join(electronPackage, "path.txt");
  if (existsSync(pathFile)) return readFileSync(pathFile, "utf8").trim();
  if (process.platform === "win32") return "electron.exe";
  return process.platform === "darwin" ? "Electron.app/Contents/MacOS/Electron" : "electron";
}
