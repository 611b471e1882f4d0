/** What must be there before the demo can start: the bundles, and a browser. */
import { join } from "node:path";
import { buildAll } from "../build-all.ts";
import { bundlePlans, repositoryRoot } from "../bundles.ts";
import { ensureChromium } from "../chromium.ts";
import { ensureElectron } from "../electron-runtime.ts";
import { isDistFresh } from "../freshness.ts";

/** Long enough for about 120 MB on a slow line. */
const downloadTimeoutMs = 120_000;

/**
 * Builds if `dist/` is older than the sources, and finds or installs what shows the window.
 *
 * @throws with one sentence when something is missing that cannot be had
 */
export async function makeReady({ isAutomatic }: { readonly isAutomatic: boolean }): Promise<void> {
  const outputs = bundlePlans.map((plan) => join("dist", plan.output));
  const failures: string[] = [];
  const print = (line: string): void => void (/ failed: /.test(line) && failures.push(line));
  if (!isDistFresh(repositoryRoot, outputs) && !(await buildAll(print))) throw new Error(`the build failed: ${failures.join("; ")}`);
  // The automatic demo must not wait for a download that may never come; where Electron is present, it is used.
  if (!isAutomatic) ensureElectron(downloadTimeoutMs);
  const chromium = ensureChromium((line) => console.log(line));
  if (!chromium.ok) throw new Error(chromium.error);
}
