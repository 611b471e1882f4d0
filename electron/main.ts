/** Starts and ends the app: one instance a profile, the broker, the window, the tray. */
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
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
  powerMonitor,
  protocol,
  safeStorage,
  session,
  shell,
  Tray,
} from "electron";
import { defaultProfileFolder } from "../clients/node/default-pipe-name.ts";
import packageJson from "../package.json" with { type: "json" };
import type { ConnectionView } from "../shared/views.ts";
import { type Application, compose } from "./compose.ts";
import { createLog, type OpenedLog } from "./diagnostics/log.ts";
import { logUnhandled } from "./diagnostics/unhandled.ts";
import { callGuards } from "./ipc/guards.ts";
import { createHandlers } from "./ipc/handlers.ts";
import { createEventSender, registerIpcRouter, type SendEvent } from "./ipc/router.ts";
import { builtInProviders } from "./oauth/provider-registry.ts";
import { policyFiles } from "./settings/policy.ts";
import { ruleSettings } from "./settings/ruled-settings.ts";
import { createAppEnd } from "./shell/app-end.ts";
import { linkIn, parseAppLink, registerAppLinks, targetIn } from "./shell/app-link.ts";
import { appOrigin, registerAppScheme, serveApp } from "./shell/app-protocol.ts";
import { createAttentionNotifications } from "./shell/attention-notification.ts";
import { turnDumpsOff } from "./shell/core-dumps.ts";
import { createFileDialogs } from "./shell/file-dialogs.ts";
import { configFolder, createLoginItem } from "./shell/login-item.ts";
import { createWindowKeeper } from "./shell/main-window.ts";
import { guardNavigation, refusePermissions } from "./shell/navigation-guard.ts";
import { createNetworkWatch } from "./shell/network-watch.ts";
import { ownCommand, restartCommand } from "./shell/own-command.ts";
import { pairingNotifier } from "./shell/pairing-notification.ts";
import { createPowerWatch } from "./shell/power-watch.ts";
import { createProviderFetch } from "./shell/provider-fetch.ts";
import { createProxySignIns } from "./shell/proxy-sign-ins.ts";
import { isSureToQuit } from "./shell/quit-question.ts";
import { onSystemShutdown } from "./shell/session-end.ts";
import { holdSingleInstance } from "./shell/single-instance.ts";
import { readStartOptions } from "./shell/start-options.ts";
import { staysNotifier } from "./shell/stays-notification.ts";
import { createSystemBrowser } from "./shell/system-browser.ts";
import { createSystemKeys, keepSystemKeys } from "./shell/system-keys.ts";
import { type AppTray, openTray } from "./shell/tray.ts";
import { openBatterySaver } from "./shell/windows-battery-saver.ts";

const { platform } = process;
const profileFolder = defaultProfileFolder(platform, process.env);
const startOptions = readStartOptions(process.argv.slice(1));
let application: Application | undefined;
let log: OpenedLog | undefined;
let tray: AppTray | undefined;

const windows = () => BrowserWindow.getAllWindows();
const sendEvent = createEventSender(windows);
const mainWindow = createWindowKeeper({
  BrowserWindow,
  preloadPath: join(import.meta.dirname, "../preload/preload.cjs"),
  onTarget: (target) => sendEvent("windowTargetChanged", target),
  onSessionEnd: () => end.endSession(),
});
const end = createAppEnd({
  app,
  running: () => application,
  isSure: (why, unsaved) => isSureToQuit(dialog, why, unsaved),
  relaunch: () => app.relaunch(restartCommand(ownCommand(app, process), process.argv, windows().length > 0)),
  log: { error: (event, error) => log?.error(event, error), warn: (event) => log?.warn(event) },
  onClosed: () => log?.close(),
});

// First of all: what comes later holds secrets.
const dumps = turnDumpsOff();
mkdirSync(profileFolder, { recursive: true, mode: 0o700 });
app.setPath("userData", profileFolder);
registerAppScheme(protocol);
guardNavigation(app);
// Options of a later start have no effect: only what its link leads to is shown.
if (holdSingleInstance(app, (commandLine) => mainWindow.show(targetIn(commandLine)))) {
  if (linkIn(process.argv) !== undefined) mainWindow.show(targetIn(process.argv));
  // macOS, also before the app is ready.
  app.on("open-url", (event, url) => {
    event.preventDefault();
    mainWindow.show(parseAppLink(url));
  });
  const tellThatItStays = staysNotifier({ Notification, profileFolder, onClick: () => mainWindow.show() });
  // The broker serves programs while its window is closed; the tray icon opens and ends it. Not raised when the app quits.
  app.on("window-all-closed", () => (tray === undefined ? app.quit() : tellThatItStays()));
  app.on("before-quit", end.beforeQuit);
  const systemKeys = platform === "win32" ? keepSystemKeys(profileFolder) : undefined;
  app
    .whenReady()
    .then(() => start({ ...dumps, ...systemKeys }))
    .catch(giveUp);
} else {
  app.quit();
}

async function start(safety: Readonly<Record<string, string>>): Promise<void> {
  const opened = createLog({ folder: profileFolder });
  log = opened;
  opened.info("start", safety);
  logUnhandled(opened);
  onSystemShutdown(powerMonitor, end.endSession);
  refusePermissions(session.defaultSession);
  serveApp(protocol, join(import.meta.dirname, "../renderer"));
  registerAppLinks(app, platform);
  const showConnections = () => mainWindow.show({ page: "connections" });
  const trayActions = { onOpen: () => mainWindow.show(), onShowConnections: showConnections, onQuit: () => app.quit() };
  tray = openTray({ Tray, Menu, nativeImage, log: opened, ...trayActions });
  const browser = createSystemBrowser(shell);
  const composed = await composeOn(opened, browser);
  application = composed;
  const loginItem = createLoginItem({
    platform,
    app,
    command: ownCommand(app, process),
    configFolder: configFolder(process.env, homedir()),
  });
  const settings = ruleSettings({ settings: composed.settings, policy: composed.policy, loginItem });
  const enforced = settings.enforce();
  if (!enforced.ok) opened.warn("login-item", { problem: String(enforced.error.params["problem"]) });
  const files = createFileDialogs({ dialog, window: () => windows()[0] });
  const handlers = createHandlers({ ...composed, settings, files, browser, takeWindowTarget: mainWindow.takeTarget });
  registerIpcRouter({ ipcMain, handlers, guards: callGuards, windows, appOrigin, log: opened });
  const hidden = startOptions.hidden || wasOpenedAtLogin();
  mainWindow.start({ log: opened, hidden });
  opened.info("started", { hidden });
  // macOS, also when it opens the app at login: not before it is settled whether that start is hidden.
  app.on("activate", () => mainWindow.show());
}

async function composeOn(opened: OpenedLog, browser: ReturnType<typeof createSystemBrowser>): Promise<Application> {
  const { defaultSession } = session;
  const proxySignIns = createProxySignIns();
  const resolveProxy = (url: string) => defaultSession.resolveProxy(url);
  const notifyOfPairing = pairingNotifier({ Notification, onClick: () => mainWindow.show() });
  const attention = createAttentionNotifications({ Notification, onClick: mainWindow.show });
  const sendAndFollow: SendEvent = (name, payload) => {
    sendEvent(name, payload);
    // The payload of just this event.
    if (name === "connectionChanged") attention.follow(payload as ConnectionView);
  };
  return compose({
    profileFolder,
    log: opened,
    version: packageJson.version,
    hostName: hostName(),
    providers: builtInProviders,
    safeStorage,
    session: defaultSession,
    fetch: createProviderFetch({ net, proxySignIns, resolveProxy }),
    proxySignIns,
    network: createNetworkWatch({ net, session: defaultSession }),
    power: createPowerWatch({ powerMonitor, platform, isBatterySaverOn: await openBatterySaver() }),
    browser,
    sendEvent: sendAndFollow,
    onPairingRequested: (pairing) => {
      mainWindow.show();
      notifyOfPairing(pairing);
    },
    onAttention: attention.show,
    onAttentionCount: (count) => {
      tray?.showAttention(count);
      if (count === 0) attention.closeAll();
    },
    onShowRequested: mainWindow.show,
    policyFiles: policyFiles(platform, process.env),
    startOptions,
    ...(platform === "win32" ? { earlierSystemKeys: createSystemKeys(profileFolder, end.restart) } : {}),
  });
}

/** macOS passes no options to what it opens at login. */
function wasOpenedAtLogin(): boolean {
  return platform === "darwin" && app.getLoginItemSettings().wasOpenedAtLogin;
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
