/**
 * The Chromium behind the app's windows. Invariant: at most one runs, it is started when the first page is
 * wanted and again after a person closed its last visible window, and it ends with this process.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page, type Route } from "playwright";
import { chromiumSandbox, findChromium, installChromiumSentence, launchArguments } from "../../build/chromium.ts";
import type { ParentChannel } from "./parent-channel.ts";

export interface HostBrowserOptions {
  readonly headed: boolean;
  /** Told where Chromium can be reached over CDP; without it no debugging port is opened. */
  readonly parent: ParentChannel | undefined;
  /** Answers every request of every page. */
  readonly onRequest: (route: Route, page: Page | undefined) => Promise<void>;
  /** A page that the app did not ask for: something called `window.open`. */
  readonly onForeignPage: (page: Page) => void;
}

export interface HostBrowser {
  /** Starts Chromium ahead of the first page. */
  readonly prepare: () => void;
  readonly newPage: () => Promise<Page>;
  readonly close: () => Promise<void>;
}

/** Makes the owner of the app's Chromium; nothing is started yet. */
export function createHostBrowser(options: HostBrowserOptions): HostBrowser {
  let launched: Promise<BrowserContext> | undefined;
  const ownPages = new WeakSet<Page>();
  let expectedPages = 0;
  const { headed } = options;

  const launch = async (): Promise<BrowserContext> => {
    const context = await launchContext(options);
    context.on("page", (page) => {
      if (expectedPages === 0 && !ownPages.has(page)) options.onForeignPage(page);
    });
    context.once("close", () => {
      launched = undefined;
    });
    return context;
  };
  const running = (): Promise<BrowserContext> => (launched ??= launch());

  return {
    prepare: () => void running().catch(() => undefined),
    newPage: async () => {
      const context = await running();
      // Chromium starts with one blank page of its own, which becomes the first window. Where nobody sees it, it stays as it is:
      // Chromium would end with its last page, and a window that is opened just then would be lost.
      const blank = headed ? context.pages().find((page) => !ownPages.has(page) && page.url() === "about:blank") : undefined;
      expectedPages += 1;
      try {
        const page = blank ?? (await context.newPage());
        ownPages.add(page);
        return page;
      } finally {
        expectedPages -= 1;
      }
    },
    close: async () => {
      const context = await launched?.catch(() => undefined);
      await context?.close();
    },
  };
}

async function launchContext(options: HostBrowserOptions): Promise<BrowserContext> {
  const choice = findChromium();
  if (choice === undefined) throw new Error(installChromiumSentence);
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-chromium-"));
  options.parent?.tell({ kind: "browser-folder", path: folder });
  const profile = join(folder, "profile");
  const context = await chromium.launchPersistentContext(profile, {
    ...choice,
    artifactsDir: join(folder, "artifacts"),
    headless: !options.headed,
    chromiumSandbox,
    viewport: null,
    // The host ends Chromium itself, after the app has said goodbye.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [...launchArguments, ...(options.parent === undefined ? [] : ["--remote-debugging-port=0"])],
  });
  // Not when the context closes: Chromium writes into its folder until it has ended, which `close` awaits.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  await context.route("**/*", (route) => options.onRequest(route, pageOf(route)));
  options.parent?.tell({ kind: "browser", endpoint: debuggingEndpoint(profile) });
  return context;
}

/** Chromium writes the port it chose, and the path of its browser endpoint, into its profile. */
function debuggingEndpoint(profile: string): string {
  const [port, path] = readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n");
  return `ws://127.0.0.1:${port}${path}`;
}

/** The page a request belongs to; a popup's first request comes before its page exists. */
function pageOf(route: Route): Page | undefined {
  try {
    return route.request().frame().page();
  } catch {
    return undefined;
  }
}
