/** Prepares a machine for the tests. Invariant: only Debian's own package manager installs anything, and only as root. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ensureChromium } from "./chromium.ts";

const aptTimeoutMs = 300_000;
/** What the tests of the real secret service start, and the packages that bring it. */
const keyringPrograms = ["dbus-run-session", "gnome-keyring-daemon"];
const keyringPackages = ["dbus", "gnome-keyring"];

/** Installs what is missing where that is possible, and prints what the tests will have to do without. */
export function prepareTestMachine(print: (line: string) => void): void {
  const chromium = ensureChromium(print);
  if (!chromium.ok) print(chromium.error);
  if (process.platform === "linux") prepareKeyring(print);
}

/** Whether a Secret Service session can be started here. */
export function hasSecretService(): boolean {
  return process.platform === "linux" && keyringPrograms.every(isOnPath);
}

function prepareKeyring(print: (line: string) => void): void {
  if (keyringPrograms.every(isOnPath)) return;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    print(`Installing ${keyringPackages.join(" and ")} by apt-get.`);
    const install = ["install", "-y", "--no-install-recommends", ...keyringPackages];
    if (!runApt(install) && runApt(["update"])) runApt(install);
  }
  if (!keyringPrograms.every(isOnPath)) print("No secret service here: the tests of the real credential store are skipped.");
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function runApt(args: readonly string[]): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", args, { stdio: "ignore", timeout: aptTimeoutMs, env: environment }).status === 0;
}
