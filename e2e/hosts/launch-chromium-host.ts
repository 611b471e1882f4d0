/** Runs the app on the Chromium host in a process of its own, and reaches its windows over CDP. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import type { AppUnderTest, TrayState, WindowlessApp } from "./app-under-test.ts";
import { createArrivals } from "./arrivals.ts";
import type { HostMessage, ParentMessage } from "./parent-channel.ts";
import { processTree } from "./process-tree.ts";

/** Starts the host and waits for the app's first window. */
export async function launchOnChromiumHost(
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<AppUnderTest> {
  const app = launchWindowlessOnChromiumHost(entry, args, environment);
  return { ...app, page: await app.nextWindow() };
}

/** Starts the host and waits for nothing. */
export function launchWindowlessOnChromiumHost(
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): WindowlessApp {
  const host = startHost(entry, args, environment);
  return {
    hostName: "chromium-host",
    pid: host.pid,
    nextWindow: host.nextWindow,
    windowCount: async () => {
      await host.ask((id) => ({ kind: "ping", id }));
      return host.windowCount();
    },
    nextOpenedUrl: host.nextOpenedUrl,
    notifications: () => host.notifications.map(({ title, body }) => `${title}\n${body}`),
    shownNotifications: () => host.notifications.flatMap(({ title, isShown }) => (isShown ? [title] : [])),
    clickNotification: (wanted) => {
      const found = host.notifications.findLast(({ title, isShown }) => isShown && title === wanted);
      if (found === undefined) throw new Error(`no notification is shown that is called ${wanted}`);
      return host.ask((id) => ({ kind: "notification-click", id, notification: found.notification }));
    },
    tray: host.tray,
    chooseFromTray: (label) => host.ask((id) => ({ kind: "tray-menu", id, label })),
    setDialogAnswer: (path) => host.ask((id) => ({ kind: "dialog-answer", id, ...(path === undefined ? {} : { path }) })),
    emitPowerEvent: (name) => host.ask((id) => ({ kind: "power-event", id, name })),
    processArguments: () => processTree(host.pid).map(({ commandLine }) => commandLine),
    output: host.output,
    exited: host.exited,
    kill: async () => {
      // Its browser would notice by itself, but a little later.
      for (const { pid } of processTree(host.pid)) killIfRunning(pid);
      await host.exited;
    },
    close: async () => {
      // The host turns SIGTERM into app.quit().
      host.child.kill("SIGTERM");
      return host.exited;
    },
  };
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with its parent.
  }
}

interface ToldNotification {
  readonly notification: number;
  readonly title: string;
  readonly body: string;
  isShown: boolean;
}

interface StartedHost {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly nextWindow: () => Promise<Page>;
  readonly windowCount: () => number;
  readonly nextOpenedUrl: () => Promise<string>;
  readonly notifications: readonly ToldNotification[];
  readonly tray: () => TrayState | undefined;
  readonly ask: (message: (id: number) => ParentMessage) => Promise<void>;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

function startHost(entry: string, args: readonly string[], environment: Readonly<Record<string, string>>): StartedHost {
  const mode = environment["DMS_CONNECT_HEADED"] === undefined ? "--headless" : "--headed";
  const child = spawn(process.execPath, [join(import.meta.dirname, "chromium-host.ts"), entry, mode, ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: environment,
  });
  const windows = createArrivals<string>();
  const openedUrls = createArrivals<string>();
  const notifications: ToldNotification[] = [];
  let tray: TrayState | undefined;
  let windowCount = 0;
  const answers = new Map<number, () => void>();
  const browserFolders: string[] = [];
  let endpoint = "";
  let output = "";
  let asked = 0;
  const connection = createConnection();

  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      output += text;
    });
  }
  child.on("message", (raw) => {
    // The host sends nothing else (parent-channel.ts).
    const message = raw as HostMessage;
    if (message.kind === "browser") endpoint = message.endpoint;
    else if (message.kind === "browser-folder") browserFolders.push(message.path);
    else if (message.kind === "windows") windowCount = message.count;
    else if (message.kind === "window-loaded") windows.add(message.browserUrl);
    else if (message.kind === "open-external") openedUrls.add(message.url);
    else if (message.kind === "notification") notifications.push({ ...message, isShown: true });
    else if (message.kind === "notification-closed") markClosed(notifications, message.notification);
    else if (message.kind === "tray") tray = { tooltip: message.tooltip, menu: message.menu };
    else answers.get(message.id)?.();
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  }).finally(() => {
    const ended = new Error(`the app ended:\n${output}`);
    windows.end(ended);
    openedUrls.end(ended);
    // A host that was killed could not remove its browser's folder.
    for (const folder of browserFolders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  return {
    child,
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    windowCount: () => windowCount,
    nextOpenedUrl: openedUrls.next,
    notifications,
    tray: () => tray,
    nextWindow: async () => {
      const url = await windows.next();
      return connection.newestPage(endpoint, url);
    },
    ask: (makeMessage) => {
      const id = ++asked;
      return new Promise((resolve) => {
        answers.set(id, resolve);
        child.send(makeMessage(id));
      });
    },
  };
}

function markClosed(notifications: readonly ToldNotification[], closed: number): void {
  for (const told of notifications) if (told.notification === closed) told.isShown = false;
}

interface Connection {
  /** The page at `url` that was opened last, in the browser at `endpoint`. */
  readonly newestPage: (endpoint: string, url: string) => Promise<Page>;
}

/** One CDP connection a browser: the host starts another one after a person closed the last window. */
function createConnection(): Connection {
  let current: { readonly endpoint: string; readonly browser: Browser } | undefined;
  return {
    newestPage: async (endpoint, url) => {
      if (current?.endpoint !== endpoint) current = { endpoint, browser: await chromium.connectOverCDP(endpoint) };
      const context = current.browser.contexts()[0];
      if (context === undefined) throw new Error("the app's browser has no context");
      return pageAt(context, url);
    },
  };
}

/** This connection may learn later than the host that a page exists, and later still where it is. */
async function pageAt(context: BrowserContext, url: string): Promise<Page> {
  const find = (): Page | undefined => context.pages().findLast((page) => page.url() === url);
  const found = Promise.withResolvers<Page>();
  const check = (): void => {
    const page = find();
    if (page !== undefined) found.resolve(page);
  };
  const watch = (page: Page): void => {
    page.on("framenavigated", check);
    check();
  };
  context.on("page", watch);
  for (const page of context.pages()) page.on("framenavigated", check);
  check();
  try {
    return await found.promise;
  } finally {
    context.off("page", watch);
    for (const page of context.pages()) page.off("framenavigated", check);
  }
}
