/**
 * Finds the Chromium that the Chromium host and the tests drive. Invariant: nothing is installed but by
 * `ensureChromium`, and there only by the system's own package manager.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright";
import { err, ok, type Result } from "../shared/result.ts";

/** How Playwright's `launch` is told which browser to start. */
export type ChromiumChoice = { readonly executablePath: string } | { readonly channel: "chrome" | "msedge" };

/** What the search looks at; tests give their own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly exists: (path: string) => boolean;
  /** Where Playwright would have put its own Chromium. */
  readonly playwrightChromium: () => string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Keeps the browser from doing anything on its own; the GPU and QUIC are of no use to a test. */
export const launchArguments: readonly string[] = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Chromium's own sandbox cannot be set up as root nor in most Linux containers, where this runs most. */
export const chromiumSandbox: boolean = process.platform !== "linux";

/** What to do where no browser was found. */
export const installChromiumSentence =
  "No Chromium, Chrome or Edge was found. Install one: `apt-get install -y --no-install-recommends chromium fonts-liberation` (Debian, as root), `npx playwright install chromium`, or Google Chrome from https://www.google.com/chrome/.";

/** The browser to use: the system's Chromium, else Playwright's own, else an installed Chrome or Edge. */
export function findChromium(machine: Machine = thisMachine): ChromiumChoice | undefined {
  const system = machine.platform === "linux" ? ["/usr/bin/chromium", "/usr/bin/chromium-browser"] : [];
  const executablePath = [...system, machine.playwrightChromium()].find((path) => path !== "" && machine.exists(path));
  if (executablePath !== undefined) return { executablePath };
  const channel = channels.find((name) => channelPaths(name, machine).some((path) => machine.exists(path)));
  return channel === undefined ? undefined : { channel };
}

/**
 * The browser to use, installing it by apt-get where that is possible (Debian, as root).
 *
 * @returns the choice, or a sentence that says what to install
 */
export function ensureChromium(print: (line: string) => void): Result<ChromiumChoice, string> {
  const found = findChromium();
  if (found !== undefined) return ok(found);
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return err(installChromiumSentence);
  print("Installing Chromium by apt-get.");
  if (!runApt(["install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"])) {
    runApt(["update"]);
    runApt(["install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]);
  }
  const installed = findChromium();
  return installed === undefined ? err(installChromiumSentence) : ok(installed);
}

const aptTimeoutMs = 300_000;

function runApt(args: readonly string[]): boolean {
  const run = spawnSync("apt-get", args, {
    stdio: "ignore",
    timeout: aptTimeoutMs,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return run.status === 0;
}

const channels = ["chrome", "msedge"] as const;

function channelPaths(channel: (typeof channels)[number], machine: Machine): readonly string[] {
  if (machine.platform === "darwin") {
    const name = channel === "chrome" ? "Google Chrome" : "Microsoft Edge";
    return [`/Applications/${name}.app/Contents/MacOS/${name}`];
  }
  if (machine.platform === "win32") {
    const suffix = channel === "chrome" ? "Google\\Chrome\\Application\\chrome.exe" : "Microsoft\\Edge\\Application\\msedge.exe";
    const roots = ["LOCALAPPDATA", "PROGRAMFILES", "PROGRAMFILES(X86)"].map((name) => machine.environment[name]);
    return roots.filter((root) => root !== undefined).map((root) => `${root}\\${suffix}`);
  }
  return channel === "chrome" ? ["/opt/google/chrome/chrome"] : ["/opt/microsoft/msedge/msedge"];
}

const thisMachine: Machine = {
  platform: process.platform,
  exists: existsSync,
  playwrightChromium: () => chromium.executablePath(),
  environment: process.env,
};
