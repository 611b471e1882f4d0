/** Electron's `app` on the Chromium host: paths, the order of start and quit events, and one instance a profile. */
import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { App, LoginItemSettings, LoginItemSettingsOptions } from "electron";
import { NotImplementedError, standIn } from "./not-implemented.ts";
import { createSingleInstanceLock } from "./single-instance-lock.ts";

export interface StandInAppOptions {
  /** Absolute path of the main bundle. */
  readonly entry: string;
  readonly commandLine: readonly string[];
  /** Called once this process holds the profile, so that slow things can start. */
  readonly onLocked: () => void;
  /** Closes every window; false if one of them refused. */
  readonly closeWindows: () => Promise<boolean>;
  /** Ends what else runs, before the process does. */
  readonly shutDown: () => Promise<void>;
}

export interface StandInApp {
  readonly app: App;
  readonly emitter: EventEmitter;
  /** The main bundle has been evaluated: `ready` follows. */
  readonly becomeReady: () => void;
  /** The last window closed: quits if nobody listens (as Electron does). */
  readonly allWindowsClosed: () => void;
  readonly isReady: () => boolean;
}

/** An event that can be prevented, as Electron passes it. */
export function preventableEvent<T extends object>(
  details: T,
): T & { readonly defaultPrevented: boolean; readonly preventDefault: () => void } {
  let prevented = false;
  return Object.defineProperty(
    Object.assign({}, details, {
      defaultPrevented: false,
      preventDefault: () => {
        prevented = true;
      },
    }),
    "defaultPrevented",
    { get: () => prevented },
  );
}

/** Makes `app`. */
export function createStandInApp(options: StandInAppOptions): StandInApp {
  const emitter = new EventEmitter();
  const ready = Promise.withResolvers<void>();
  const manifest = readManifest(options.entry);
  const paths = createPaths(manifest.name);
  const lock = createSingleInstanceLock(() => paths.get("userData"));
  let isReady = false;
  let quitting = false;
  let exiting = false;

  const exit = async (code: number): Promise<void> => {
    if (exiting) return;
    exiting = true;
    emitter.emit("quit", preventableEvent({}), code);
    await options.shutDown();
    lock.release();
    process.exit(code);
  };

  const quit = async (): Promise<void> => {
    if (quitting || exiting) return;
    quitting = true;
    const beforeQuit = preventableEvent({});
    emitter.emit("before-quit", beforeQuit);
    if (!beforeQuit.defaultPrevented && (await options.closeWindows())) {
      const willQuit = preventableEvent({});
      emitter.emit("will-quit", willQuit);
      if (!willQuit.defaultPrevented) return exit(0);
    }
    quitting = false;
  };

  const methods: Partial<App> = {
    isPackaged: false,
    getName: () => manifest.name,
    getVersion: () => manifest.version,
    getAppPath: () => manifest.folder,
    getLocale: () => Intl.DateTimeFormat().resolvedOptions().locale,
    getPath: (name) => paths.get(name),
    setPath: (name, path) => paths.set(name, path),
    isReady: () => isReady,
    whenReady: () => ready.promise,
    quit: () => void quit(),
    exit: (code = 0) => void exit(code),
    ...createLoginItems(options.entry),
    requestSingleInstanceLock: (additionalData) => {
      const held = lock.request(options.commandLine, additionalData, (argv, cwd, data) =>
        emitter.emit("second-instance", preventableEvent({}), argv, cwd, data),
      );
      if (held) options.onLocked();
      return held;
    },
    hasSingleInstanceLock: () => lock.isHeld(),
    releaseSingleInstanceLock: () => lock.release(),
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void quit());
  process.once("exit", () => lock.release());

  return {
    app: standIn<App>("app", methods, emitter, process.platform === "darwin" ? [] : ["dock"]),
    emitter,
    becomeReady: () => {
      if (exiting) return;
      isReady = true;
      emitter.emit("will-finish-launching");
      emitter.emit("ready", preventableEvent({}), {});
      ready.resolve();
    },
    allWindowsClosed: () => {
      if (quitting || exiting) return;
      if (!emitter.emit("window-all-closed")) void quit();
    },
    isReady: () => isReady,
  };
}

/** What starts at login, in memory: this host has no installed app that could. */
function createLoginItems(entry: string): Pick<App, "getLoginItemSettings" | "setLoginItemSettings"> {
  const commands = new Set<string>();
  const commandOf = ({ path = entry, args = [] }: LoginItemSettingsOptions = {}): string => [path, ...args].join(" ");
  return {
    setLoginItemSettings: (settings) => {
      if (settings.openAtLogin === true) commands.add(commandOf(settings));
      else commands.delete(commandOf(settings));
    },
    getLoginItemSettings: (options) =>
      standIn<LoginItemSettings>("LoginItemSettings", {
        openAtLogin: commands.has(commandOf(options)),
        wasOpenedAtLogin: false,
        status: commands.size > 0 ? "enabled" : "not-registered",
      }),
  };
}

interface Paths {
  readonly get: (name: string) => string;
  readonly set: (name: string, path: string) => void;
}

function createPaths(appName: string): Paths {
  const chosen = new Map<string, string>();
  const get = (name: string): string => chosen.get(name) ?? standardPath(name);
  const standardPath = (name: string): string => {
    switch (name) {
      case "home":
        return homedir();
      case "temp":
        return tmpdir();
      case "exe":
        return process.execPath;
      case "appData":
        return process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config");
      case "userData":
        // Beside, never on, the profile of an installed product: this host is for development.
        return join(get("appData"), `${appName}-chromium-host`);
      case "sessionData":
        return get("userData");
      case "logs":
        return join(get("userData"), "logs");
      default:
        throw new NotImplementedError(`app.getPath(${JSON.stringify(name)})`);
    }
  };
  return {
    get,
    set: (name, path) => {
      mkdirSync(path, { recursive: true });
      chosen.set(name, path);
    },
  };
}

/** The nearest `package.json` above the main bundle; a bundle of a test's own may have none. */
function readManifest(entry: string): { readonly folder: string; readonly name: string; readonly version: string } {
  let folder = dirname(entry);
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  const file = join(folder, "package.json");
  // npm sees to the form of these two fields.
  const manifest = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as {
    readonly name?: string;
    readonly version?: string;
  };
  return { folder, name: manifest.name ?? "app", version: manifest.version ?? "0.0.0" };
}
