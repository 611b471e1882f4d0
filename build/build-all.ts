/** Makes every bundle and says in one line each how it went. */
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type BundlePlan, bundlePlans, repositoryRoot } from "./bundles.ts";

/**
 * Makes all bundles of the product side by side.
 *
 * @param print receives one line a bundle, with its size and time, or why it failed
 * @returns whether every bundle was made
 */
export async function buildAll(print: (line: string) => void): Promise<boolean> {
  const outcomes = await Promise.all(bundlePlans.map((plan) => buildOne(plan, print)));
  return outcomes.every(Boolean);
}

async function buildOne(plan: BundlePlan, print: (line: string) => void): Promise<boolean> {
  try {
    const bundle = await plan.make();
    const size = `${Math.ceil(bundle.bytes / 1024)} KiB`;
    print(
      `${bundle.name.padEnd(8)} ${relative(repositoryRoot, bundle.file).padEnd(26)} ${size.padStart(9)} ${bundle.elapsedMs.toFixed(0).padStart(6)} ms`,
    );
    return true;
  } catch (error) {
    print(`${plan.name.padEnd(8)} failed: ${reason(error)}`);
    return false;
  }
}

/** The bundler's message without its colours and the native stack behind it. */
function reason(error: unknown): string {
  const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
  return (message.split("\nStack backtrace:")[0] ?? message).trim();
}
