/** Electron's `BrowserWindow` on the Chromium host: each window is a page of Chromium with the app's preload in an isolated world. */
import type { EventEmitter } from "node:events";
import type { BrowserWindow, BrowserWindowConstructorOptions, WebContents } from "electron";
import type { Page, Request as PageRequest } from "playwright";
import { HostedWindow, type HostedWindowParts } from "./hosted-window.ts";
import { NotImplementedError, standInClass } from "./not-implemented.ts";
import { toAppUrl } from "./scheme-origin.ts";
import { preventableEvent } from "./stand-in-app.ts";

export interface WindowParts extends HostedWindowParts {
  readonly appEmitter: EventEmitter;
  readonly isReady: () => boolean;
  readonly onAllClosed: () => void;
}

export interface StandInWindows {
  readonly BrowserWindow: typeof BrowserWindow;
  /** Asks every window to close; false if one refused. */
  readonly closeAll: () => Promise<boolean>;
  /** The pages of all open windows. */
  readonly pages: () => readonly Page[];
  /** Whether a page may make this request: navigation that the app forbids may not. */
  readonly mayRequest: (page: Page, request: PageRequest) => boolean;
}

/** Makes `BrowserWindow` and what the host needs of all windows. */
export function createStandInWindows(parts: WindowParts): StandInWindows {
  const open = new Map<number, HostedWindow>();
  let counter = 0;
  const all = (): BrowserWindow[] => [...open.values()].map(({ window }) => window);

  const tellCount = (): void => parts.parent?.tell({ kind: "windows", count: open.size });
  const construct = (options: unknown): BrowserWindow => {
    if (!parts.isReady()) throw new Error("Cannot create BrowserWindow before app is ready");
    const id = ++counter;
    const hosted = new HostedWindow(id, checkOptions(options), parts, () => {
      open.delete(id);
      tellCount();
      if (open.size === 0) parts.onAllClosed();
    });
    open.set(id, hosted);
    tellCount();
    parts.appEmitter.emit("web-contents-created", preventableEvent({}), hosted.contents);
    parts.appEmitter.emit("browser-window-created", preventableEvent({}), hosted.window);
    return hosted.window;
  };

  return {
    // Members that are missing throw (not-implemented.ts).
    BrowserWindow: standInClass("BrowserWindow", construct, {
      getAllWindows: all,
      fromId: (id: number) => open.get(id)?.window ?? null,
      fromWebContents: (contents: WebContents) => open.get(contents.id)?.window ?? null,
    }) as typeof BrowserWindow,
    closeAll: async () => {
      const answers = await Promise.all([...open.values()].map((hosted) => hosted.requestClose()));
      return answers.every(Boolean);
    },
    pages: () => [...open.values()].map(({ page }) => page).filter((page) => page !== undefined),
    mayRequest: (page, request) => {
      const owner = [...open.values()].find((hosted) => hosted.page === page);
      if (owner === undefined) return false;
      return !request.isNavigationRequest() || owner.mayNavigate(toAppUrl(request.url()), request.frame() === page.mainFrame());
    },
  };
}

/** The options a page of Chromium can honour, and those that ask for nothing it would not do anyway. */
const knownOptions = new Set([
  "title",
  "width",
  "height",
  "minWidth",
  "minHeight",
  "show",
  "autoHideMenuBar",
  "backgroundColor",
  "icon",
  "webPreferences",
]);
/** What a page in Chromium is in any case; other values cannot be had here. */
const fixedPreferences: Readonly<Record<string, unknown>> = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webviewTag: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  spellcheck: false,
};

function checkOptions(given: unknown): BrowserWindowConstructorOptions {
  // The constructor's one argument, in the app's own types.
  const options = (given ?? {}) as BrowserWindowConstructorOptions;
  for (const name of Object.keys(options)) {
    if (!knownOptions.has(name)) throw new NotImplementedError(`new BrowserWindow({ ${name} })`);
  }
  for (const [name, value] of Object.entries(options.webPreferences ?? {})) {
    if (name !== "preload" && fixedPreferences[name] !== value) throw new NotImplementedError(`webPreferences.${name}: ${String(value)}`);
  }
  return options;
}
