/**
 * `npm start [-- arguments]`: starts the product on Electron, or on the Chromium host where Electron's
 * runtime cannot be had. Builds first if `dist/` is older than the sources.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { buildAll } from "./build-all.ts";
import { bundlePlans, repositoryRoot } from "./bundles.ts";
import { ensureChromium } from "./chromium.ts";
import { ensureElectron } from "./electron-runtime.ts";
import { isDistFresh } from "./freshness.ts";

/** Long enough for about 120 MB on a slow line. */
const downloadTimeoutMs = 120_000;

process.exitCode = await start(process.argv.slice(2));

/** Starts the app with `args` and returns its exit status. */
async function start(args: readonly string[]): Promise<number> {
  if (!isDistFresh(repositoryRoot, outputs()) && !(await buildAll((line) => console.log(line)))) return 1;

  const electron = ensureElectron(downloadTimeoutMs);
  // Electron refuses to start as root with its sandbox on (Linux containers, build machines).
  if (electron !== undefined) return run(electron, [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), repositoryRoot, ...args]);

  const chromium = ensureChromium((line) => console.log(line));
  if (!chromium.ok) {
    console.error(`Electron's runtime is missing (try \`npx install-electron\`), and there is no browser instead. ${chromium.error}`);
    return 1;
  }
  console.log("Electron's runtime is missing and could not be downloaded: starting on the Chromium host (for development, not for use).");
  return run(process.execPath, [join(repositoryRoot, "e2e/hosts/chromium-host.ts"), join(repositoryRoot, "dist/main/main.mjs"), ...args]);
}

function outputs(): readonly string[] {
  return bundlePlans.map((plan) => join("dist", plan.output));
}

/** Runs a program until it ends, passing on the signals this process gets. */
async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: "inherit" });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}
