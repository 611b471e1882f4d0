/** Starts and ends the app: one instance a profile, the broker, the window. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  Notification,
  nativeImage,
  net,
  protocol,
  safeStorage,
  session,
  shell,
  Tray,
} from "electron";
import { defaultProfileFolder } from "../clients/node/default-pipe-name.ts";
import packageJson from "../package.json" with { type: "json" };
import { type Failure, failure } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { type Application, compose } from "./compose.ts";
import { createLog, type OpenedLog } from "./diagnostics/log.ts";
import { logUnhandled } from "./diagnostics/unhandled.ts";
import { callGuards } from "./ipc/guards.ts";
import { createHandlers } from "./ipc/handlers.ts";
import { createEventSender, registerIpcRouter } from "./ipc/router.ts";
import { builtInProviders } from "./oauth/provider-registry.ts";
import { policyFiles } from "./settings/policy.ts";
import { appOrigin, registerAppScheme, serveApp } from "./shell/app-protocol.ts";
import { turnDumpsOff } from "./shell/core-dumps.ts";
import { createFileDialogs } from "./shell/file-dialogs.ts";
import {
  applyRequestedSystemKeys,
  earlierSystemKeys as earlierSystemKeysIn,
  keepLocalState,
  rememberProvenSystemKeys,
  requestEarlierSystemKeys,
} from "./shell/local-state.ts";
import { guardNavigation, refusePermissions } from "./shell/navigation-guard.ts";
import { pairingNotifier } from "./shell/pairing-notification.ts";
import { createProviderFetch } from "./shell/provider-fetch.ts";
import { holdSingleInstance } from "./shell/single-instance.ts";
import { readStartOptions } from "./shell/start-options.ts";
import { createSystemBrowser } from "./shell/system-browser.ts";
import { createTray } from "./shell/tray.ts";
import { bringToFront, createMainWindow } from "./shell/window.ts";

/** A provider that does not answer must not keep the app from ending. */
const longestCloseMs = 3_000;
const profileFolder = defaultProfileFolder(process.platform, process.env);
/** Windows only. The app restarts after its answer has reached the window. */
const earlierSystemKeys = {
  available: () => earlierSystemKeysIn(profileFolder).length > 0,
  use: (): Result<undefined> => {
    if (!requestEarlierSystemKeys(profileFolder).ok) return err(failure("vault_locked"));
    setImmediate(() => {
      app.relaunch();
      app.quit();
    });
    return ok();
  },
  proven: () => void rememberProvenSystemKeys(profileFolder),
};
let application: Application | undefined;
let log: OpenedLog | undefined;
let tray: Tray | undefined;
let closing: Promise<void> | undefined;
let isClosed = false;

// First of all: what comes later holds secrets.
const dumps = turnDumpsOff();
mkdirSync(profileFolder, { recursive: true, mode: 0o700 });
app.setPath("userData", profileFolder);
registerAppScheme(protocol);
guardNavigation(app);
if (holdSingleInstance(app, showWindow)) {
  // The broker serves programs while its window is closed; the tray icon opens and ends it.
  app.on("window-all-closed", () => {
    if (tray === undefined) app.quit();
  });
  app.on("activate", showWindow);
  app.on("before-quit", closeBeforeQuit);
  // Electron reads the system's key file after this module has run: what it may overwrite is copied before.
  const systemKeys = process.platform === "win32" ? keepSystemKeys() : undefined;
  app
    .whenReady()
    .then(() => start({ ...dumps, ...systemKeys }))
    .catch(giveUp);
} else {
  app.quit();
}

/** Windows: what became of `Local State`, as words for the log. */
function keepSystemKeys() {
  const applied = applyRequestedSystemKeys(profileFolder, Date.now());
  const kept = keepLocalState(profileFolder, Date.now());
  return {
    systemKeysApplied: applied.ok ? (applied.value.applied ?? "none") : applied.error,
    systemKeysKept: kept.ok ? (kept.value.kept ?? "none") : kept.error,
  };
}

async function start(safety: Readonly<Record<string, string>>): Promise<void> {
  const opened = createLog({ folder: profileFolder });
  log = opened;
  opened.info("start", safety);
  logUnhandled(opened);
  const windows = () => BrowserWindow.getAllWindows();
  const browser = createSystemBrowser(shell);
  const notifyOfPairing = pairingNotifier({ Notification, onClick: showWindow });
  refusePermissions(session.defaultSession);
  serveApp(protocol, join(import.meta.dirname, "../renderer"));
  const composed = await compose({
    profileFolder,
    log: opened,
    version: packageJson.version,
    hostName: hostName(),
    providers: builtInProviders,
    safeStorage,
    session: session.defaultSession,
    fetch: createProviderFetch(net),
    browser,
    sendEvent: createEventSender(windows),
    onPairingRequested: (pairing) => {
      showWindow();
      notifyOfPairing(pairing);
    },
    policyFiles: policyFiles(process.platform, process.env),
    startOptions: readStartOptions(process.argv.slice(1)),
    ...(process.platform === "win32" ? { earlierSystemKeys } : {}),
  });
  application = composed;
  const files = createFileDialogs({ dialog, window: () => windows()[0] });
  const handlers = createHandlers({ ...composed, files, browser });
  registerIpcRouter({ ipcMain, handlers, guards: callGuards, windows, appOrigin, log: opened });
  if (hostName() === "electron") tray = createTray({ Tray, Menu, nativeImage, onOpen: showWindow, onQuit: () => app.quit() });
  showWindow();
}

function showWindow(): void {
  if (application === undefined || log === undefined) return;
  const preloadPath = join(import.meta.dirname, "../preload/preload.cjs");
  bringToFront(BrowserWindow.getAllWindows()[0] ?? createMainWindow({ BrowserWindow, preloadPath, log }));
}

/** However often somebody quits, everything is closed once and in order before the app ends. */
function closeBeforeQuit(event: { readonly preventDefault: () => void }): void {
  if (isClosed || application === undefined) return;
  event.preventDefault();
  closing ??= closeAll(application);
}

async function closeAll(open: Application): Promise<void> {
  const mayGo = await mayClose(open).catch((error: unknown) => {
    // A host that cannot ask must still be able to end.
    log?.error("close", error);
    return true;
  });
  if (!mayGo) {
    closing = undefined;
    return;
  }
  const timeUp = new Promise<void>((resolve) => setTimeout(resolve, longestCloseMs));
  try {
    await Promise.race([open.close(), timeUp]);
  } catch (error) {
    log?.error("close", error);
  }
  log?.close();
  isClosed = true;
  app.quit();
}

/** Asks before a renewed sign-in is lost that the disk has refused: it may end at the provider with it. */
async function mayClose(open: Application): Promise<boolean> {
  const unsaved = await open.unsaved();
  const [why] = unsaved;
  if (why === undefined) return true;
  return await isSureToQuit(why, unsaved.length);
}

async function isSureToQuit(why: Failure, unsaved: number): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: "warning",
    title: "DMS Connect",
    message: `Sign-ins that could not be saved: ${unsaved}`,
    detail: `${why.message} If you quit now, these users may have to sign in again. ${why.remedy}`,
    buttons: ["Do not quit", "Quit anyway"],
    defaultId: 0,
    cancelId: 0,
  });
  return response === 1;
}

/** An app that could not start must neither stay without a window nor keep the next start from trying. */
function giveUp(error: unknown): void {
  log?.error("start", error);
  dialog.showErrorBox("DMS Connect", "DMS Connect could not start. Restart the computer. If it happens again, call your DMS vendor.");
  app.exit(1);
}

function hostName(): "electron" | "chromium-host" {
  return process.versions["electron"] === undefined ? "chromium-host" : "electron";
}
