/** What every test file of the window starts with: a browser, one build, and pages that close by themselves. */
import type { Browser } from "playwright";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type BuiltWindow, buildWindow, launchBrowser, type OpenWindow, openWindow, type WindowOptions } from "./built-window.ts";

const buildTimeoutMs = 60_000;

/** Where this computer has no browser the tests are skipped, with a line that says so. */
export const browser: Browser | undefined = await launchBrowser();
// oxlint-disable-next-line no-console -- the reader of the report must know what was not exercised
if (browser === undefined) console.warn("skipped: the window in a browser (no Chromium, Chrome or Edge here)");

type Open = (options: Pick<WindowOptions, "scenario"> & Partial<WindowOptions>) => Promise<OpenWindow>;

/** Builds the window before the tests of a `describe`; returns how they open it (1200 px, light, unless they say otherwise). */
export function useWindow(): Open {
  let built: BuiltWindow;
  beforeAll(async () => {
    built = await buildWindow();
  }, buildTimeoutMs);
  afterAll(async () => browser?.close());

  return async (options) => {
    if (browser === undefined) throw new Error("no browser");
    const opened = await openWindow(browser, built, { widthPx: 1200, colorScheme: "light", ...options });
    onTestFinished(opened.close);
    return opened;
  };
}

/** The parameters of every call of this name so far. */
export function callsOf(page: OpenWindow["page"], name: string): Promise<readonly unknown[]> {
  return page.evaluate((name) => window.mock.calls.filter((call) => call.name === name).map(({ params }) => params), name);
}
