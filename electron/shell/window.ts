/** Makes the app's window. Invariant: its page is sandboxed, isolated from the preload, and is never anything but the app's own. */
import type { BrowserWindow } from "electron";
import type { Log } from "../core/ports.ts";
import { appUrl } from "./app-protocol.ts";

export interface MainWindowParts {
  readonly BrowserWindow: new (options: Electron.BrowserWindowConstructorOptions) => BrowserWindow;
  /** Absolute path of the preload bundle. */
  readonly preloadPath: string;
  readonly log: Log;
}

/** Opens the main window and shows it once its first frame is painted. */
export function createMainWindow(parts: MainWindowParts): BrowserWindow {
  const window = new parts.BrowserWindow({
    title: "DMS Connect",
    width: 1000,
    height: 720,
    // The layout holds down to 400 CSS pixels, which is 200 % zoom on a small screen.
    minWidth: 400,
    minHeight: 480,
    show: false,
    autoHideMenuBar: true,
    webPreferences: {
      preload: parts.preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      // Electron would fetch dictionaries from a public server.
      spellcheck: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  window.loadURL(appUrl).catch((error: unknown) => {
    // Closing the window while it loads is no bug.
    if (!window.isDestroyed()) parts.log.error("window.load", error);
  });
  return window;
}

/** Brings a window to the front, from wherever it is. */
export function bringToFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
