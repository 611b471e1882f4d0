/** Prepares a machine for the tests. Invariant: only Debian's own package manager installs anything, and only as root. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ensureChromium } from "./chromium.ts";

const aptTimeoutMs = 300_000;
/** What the tests of the real secret service start. */
const keyringPrograms = ["dbus-run-session", "gnome-keyring-daemon"];

const linuxTools: readonly Tools[] = [
  {
    programs: keyringPrograms,
    packages: ["dbus", "gnome-keyring"],
    without: "No secret service here: the tests of the real credential store are skipped.",
  },
  {
    programs: ["cc", "make"],
    packages: ["gcc", "make", "libc6-dev"],
    without: "No C compiler here: the tests of the C client, of disk faults and of the rotation model are skipped.",
  },
  {
    programs: ["x86_64-w64-mingw32-gcc", "i686-w64-mingw32-gcc"],
    packages: ["gcc-mingw-w64-x86-64-win32", "gcc-mingw-w64-i686-win32"],
    without: "No C compiler for Windows here: the C client is not built for Windows.",
  },
  {
    programs: ["wine"],
    packages: ["wine", "wine64"],
    without: "No Wine here: the pipe of Windows, and the clients on it, are not exercised.",
  },
  {
    programs: ["javac"],
    packages: ["openjdk-17-jdk-headless"],
    without: "No Java here: the tests of the Java client are skipped.",
  },
  {
    programs: ["mcs", "mono"],
    packages: ["mono-mcs", "mono-runtime", "libmono-system-core4.0-cil"],
    without: "No Mono here: the tests of the C# client are skipped.",
  },
  { programs: ["spin"], packages: ["spin"], without: "No Spin here: the rotation model is not checked." },
];

/** Installs what is missing where that is possible, and prints what the tests will have to do without. */
export function prepareTestMachine(print: (line: string) => void): void {
  const chromium = ensureChromium(print);
  if (!chromium.ok) print(chromium.error);
  if (process.platform !== "linux") return;
  for (const tools of linuxTools) prepareTools(tools, print);
}

/** Whether a Secret Service session can be started here. */
export function hasSecretService(): boolean {
  return process.platform === "linux" && keyringPrograms.every(isOnPath);
}

interface Tools {
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  readonly without: string;
}

function prepareTools({ programs, packages, without }: Tools, print: (line: string) => void): void {
  if (programs.every(isOnPath)) return;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    print(`Installing ${packages.join(", ")} by apt-get.`);
    const install = ["install", "-y", "--no-install-recommends", ...packages];
    if (!runApt(install) && runApt(["update"])) runApt(install);
  }
  if (!programs.every(isOnPath)) print(without);
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function runApt(args: readonly string[]): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", args, { stdio: "ignore", timeout: aptTimeoutMs, env: environment }).status === 0;
}
