/** Runs the app on the Chromium host in a process of its own, and reaches its windows over CDP. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import type { AppUnderTest } from "./app-under-test.ts";
import { createArrivals } from "./arrivals.ts";
import type { HostMessage, ParentMessage } from "./parent-channel.ts";
import { processTree } from "./process-tree.ts";

/** Starts the host and waits for the app's first window. */
export async function launchOnChromiumHost(
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<AppUnderTest> {
  const host = startHost(entry, args, environment);
  const page = await host.nextWindow();
  return {
    hostName: "chromium-host",
    page,
    pid: host.pid,
    nextWindow: host.nextWindow,
    nextOpenedUrl: host.nextOpenedUrl,
    notifications: host.notifications,
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

interface StartedHost {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly nextWindow: () => Promise<Page>;
  readonly nextOpenedUrl: () => Promise<string>;
  readonly notifications: () => readonly string[];
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
  const notifications: string[] = [];
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
    else if (message.kind === "window-loaded") windows.add(message.browserUrl);
    else if (message.kind === "open-external") openedUrls.add(message.url);
    else if (message.kind === "notification") notifications.push(`${message.title}\n${message.body}`);
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
    nextOpenedUrl: openedUrls.next,
    notifications: () => notifications,
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
