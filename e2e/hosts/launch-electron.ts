/** Runs the app on real Electron through Playwright, with the system's browser and file dialogs taken over. */
import { _electron, type ElectronApplication, type Page } from "playwright";
import type { AppUnderTest, WindowlessApp } from "./app-under-test.ts";
import { createArrivals } from "./arrivals.ts";
import { processTree } from "./process-tree.ts";

/** Left in Electron's main process by `takeOver`, and read by the calls below. */
interface TakenOver {
  readonly urls: string[];
  readonly waiting: ((url: string) => void)[];
  dialogPath: string | undefined;
}
declare global {
  var dmsConnectUnderTest: TakenOver;
}

/** Starts Electron and waits for the app's first window. */
export async function launchOnElectron(
  executablePath: string,
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<AppUnderTest> {
  const app = await launchWindowlessOnElectron(executablePath, entry, args, environment);
  return { ...app, page: await app.nextWindow() };
}

/** Starts Electron and waits for its main process only. */
export async function launchWindowlessOnElectron(
  executablePath: string,
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<WindowlessApp> {
  // Electron refuses to start as root with its sandbox on.
  const rootArguments = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  // Without a desktop session Electron would not look for the secret service, and use a fixed key that the vault refuses.
  const isChosen = args.some((argument) => argument.startsWith("--password-store="));
  const keyringArguments = process.platform === "linux" && !isChosen ? ["--password-store=gnome-libsecret"] : [];
  const electron = await _electron.launch({
    executablePath,
    args: [...rootArguments, ...keyringArguments, entry, ...args],
    env: { ...environment },
  });
  const child = electron.process();
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (text: Buffer) => {
      output += text.toString("utf8");
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  await takeOver(electron);
  const windows = createArrivals<Page>();
  for (const page of electron.windows()) windows.add(page);
  electron.on("window", windows.add);
  void exited.then(() => windows.end(new Error(`the app ended:\n${output}`)));
  const pid = child.pid ?? 0;
  return {
    hostName: "electron",
    pid,
    nextWindow: async () => {
      const next = await windows.next();
      await next.waitForLoadState("load");
      return next;
    },
    windowCount: () => electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length),
    notifications: () => undefined,
    shownNotifications: () => undefined,
    clickNotification: () => Promise.reject(new Error("Playwright cannot click a notification of the system")),
    tray: () => undefined,
    chooseFromTray: () => Promise.reject(new Error("Playwright cannot reach the tray")),
    nextOpenedUrl: () => electron.evaluate(nextUrl),
    setDialogAnswer: (path) =>
      electron.evaluate((_electron, answer) => {
        globalThis.dmsConnectUnderTest.dialogPath = answer;
      }, path),
    // PowerMonitor is an EventEmitter; Electron's typings know only its own events for `emit`.
    emitPowerEvent: (name) =>
      electron.evaluate(({ powerMonitor }, event) => void powerMonitor.emit(event, { preventDefault: () => undefined }), name),
    processArguments: () => processTree(pid).map(({ commandLine }) => commandLine),
    output: () => output,
    exited,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    close: async () => {
      await electron.close();
      return exited;
    },
  };
}

/** Runs in Electron's main process: what would leave the app is kept for the test. */
async function takeOver(electron: ElectronApplication): Promise<void> {
  await electron.evaluate(({ shell, dialog }) => {
    const state: TakenOver = { urls: [], waiting: [], dialogPath: undefined };
    globalThis.dmsConnectUnderTest = state;
    shell.openExternal = async (url) => {
      const waiter = state.waiting.shift();
      if (waiter === undefined) state.urls.push(url);
      else waiter(url);
    };
    dialog.showOpenDialog = async () => ({ canceled: state.dialogPath === undefined, filePaths: [state.dialogPath ?? []].flat() });
    dialog.showSaveDialog = async () => ({ canceled: state.dialogPath === undefined, filePath: state.dialogPath ?? "" });
  });
}

/** Runs in Electron's main process. */
function nextUrl(): string | Promise<string> {
  const state = globalThis.dmsConnectUnderTest;
  return state.urls.shift() ?? new Promise((resolve) => state.waiting.push(resolve));
}
