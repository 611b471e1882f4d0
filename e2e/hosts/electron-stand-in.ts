/**
 * The module that `import … from "electron"` finds on the Chromium host: the parts the app uses, typed
 * by Electron's own typings, and every other export as an object that throws when it is touched.
 */
import type * as Electron from "electron";
import type { Page, Route } from "playwright";
import { createHostBrowser } from "./host-browser.ts";
import { standIn } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";
import { toAppUrl } from "./scheme-origin.ts";
import { createStandInApp, type StandInApp } from "./stand-in-app.ts";
import { createStandInDesktop } from "./stand-in-desktop.ts";
import { createStandInIpc } from "./stand-in-ipc.ts";
import { createStandInNet } from "./stand-in-net.ts";
import { createStandInNotification } from "./stand-in-notification.ts";
import { createStandInSafeStorage } from "./stand-in-safe-storage.ts";
import { createStandInSession, type StandInSession } from "./stand-in-session.ts";
import { createStandInTray } from "./stand-in-tray.ts";
import { createStandInWindows } from "./stand-in-window.ts";

/** Everything the main process may import from `electron` by name. */
export const electronExports = [
  "app",
  "autoUpdater",
  "BaseWindow",
  "BrowserView",
  "BrowserWindow",
  "clipboard",
  "contentTracing",
  "crashReporter",
  "desktopCapturer",
  "dialog",
  "globalShortcut",
  "inAppPurchase",
  "ipcMain",
  "Menu",
  "MenuItem",
  "MessageChannelMain",
  "nativeImage",
  "nativeTheme",
  "net",
  "netLog",
  "Notification",
  "powerMonitor",
  "powerSaveBlocker",
  "protocol",
  "pushNotifications",
  "safeStorage",
  "screen",
  "session",
  "ShareMenu",
  "shell",
  "systemPreferences",
  "TouchBar",
  "Tray",
  "utilityProcess",
  "webContents",
  "WebContentsView",
  "webFrameMain",
  "View",
] as const satisfies readonly (keyof typeof Electron)[];

export type ElectronStandIn = Pick<typeof Electron, (typeof electronExports)[number]>;

export interface ElectronHost {
  readonly electron: ElectronStandIn;
  /** The main bundle has been evaluated. */
  readonly becomeReady: StandInApp["becomeReady"];
}

export interface ElectronHostOptions {
  readonly entry: string;
  readonly commandLine: readonly string[];
  readonly headed: boolean;
  readonly parent: ParentChannel | undefined;
  /** Without one, `safeStorage` has but a fixed key, as Chromium's on such a desktop. */
  readonly hasPasswordStore: boolean;
}

/** Builds the stand-in; Chromium starts once the app holds its profile or is ready. */
export function createElectronHost(options: ElectronHostOptions): ElectronHost {
  const { parent, headed } = options;
  const browser = createHostBrowser({
    headed,
    parent,
    onRequest: (route, page) => answerRequest(route, page),
    onForeignPage: (page) => {
      console.error("Chromium host: closed a page that window.open had made");
      page.close().catch(() => undefined);
    },
  });
  const ipc = createStandInIpc();
  const app = createStandInApp({
    entry: options.entry,
    commandLine: options.commandLine,
    onLocked: browser.prepare,
    closeWindows: () => windows.closeAll(),
    shutDown: async () => {
      await Promise.all([browser.close(), desktop.close()]);
    },
  });
  // A test that died cannot end its app any more.
  parent?.onGone(() => app.app.exit(1));
  const session = createStandInSession(app.isReady);
  const windows = createStandInWindows({
    newPage: browser.newPage,
    ipc,
    session,
    parent,
    appEmitter: app.emitter,
    isReady: app.isReady,
    onAllClosed: app.allWindowsClosed,
  });
  const desktop = createStandInDesktop({
    parent,
    headed,
    onThemeChange: (colorScheme) => {
      for (const page of windows.pages()) page.emulateMedia({ colorScheme }).catch(() => undefined);
    },
  });
  const answerRequest = async (route: Route, page: Page | undefined): Promise<void> => {
    if (page === undefined || !windows.mayRequest(page, route.request())) return route.abort("aborted");
    return answerFromApp(route, session);
  };

  const implemented: Partial<ElectronStandIn> = {
    app: app.app,
    BrowserWindow: windows.BrowserWindow,
    ipcMain: ipc.ipcMain,
    protocol: session.protocol,
    session: standIn<typeof Electron.session>("session", { defaultSession: session.session }),
    shell: desktop.shell,
    dialog: desktop.dialog,
    nativeTheme: desktop.nativeTheme,
    powerMonitor: desktop.powerMonitor,
    ...createStandInTray(parent),
    Notification: createStandInNotification(parent),
    net: createStandInNet(session.verifyProc),
    safeStorage: createStandInSafeStorage({
      userData: () => app.app.getPath("userData"),
      isReady: app.isReady,
      hasPasswordStore: options.hasPasswordStore,
    }),
  };
  return { electron: withThrowingRest(implemented), becomeReady: app.becomeReady };
}

function withThrowingRest(implemented: Partial<ElectronStandIn>): ElectronStandIn {
  const entries = electronExports.map((name) => [name, implemented[name] ?? standIn(name, {})]);
  // One entry for each name of the type.
  return Object.fromEntries(entries) as ElectronStandIn;
}

/** Requests for the app's own scheme are answered by its protocol handler, headers and all; others go where they are sent. */
async function answerFromApp(route: Route, session: StandInSession): Promise<void> {
  const request = route.request();
  const url = toAppUrl(request.url());
  if (url === request.url()) return route.continue();
  const headers = await request.allHeaders();
  const pseudo = Object.keys(headers).filter((name) => name.startsWith(":"));
  for (const name of pseudo) delete headers[name];
  const answer = await session.answer(new Request(url, { method: request.method(), headers }));
  if (answer === undefined) return route.abort("failed");
  return route.fulfill({
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  });
}
