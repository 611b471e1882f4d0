/** What a test can do with the running app, whichever host runs it. */
import type { Page } from "playwright";
import type { PowerEvent } from "./parent-channel.ts";

export interface LaunchOptions {
  /** Profile folder, passed as `DMS_CONNECT_PROFILE`. */
  readonly profile: string;
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute path of the main bundle; the product's own by default. */
  readonly entry?: string;
  /** `none` (Linux only): a desktop without Secret Service, where `safeStorage` has but Chromium's fixed key. */
  readonly keyStores?: "usual" | "none";
}

export interface AppUnderTest extends WindowlessApp {
  /** The first window's page, loaded. */
  readonly page: Page;
}

/** What the icon in the tray shows: the menu by its labels. */
export interface TrayState {
  readonly tooltip: string;
  readonly menu: readonly string[];
}

/** The app as it is before its first window, which may never come. */
export interface WindowlessApp {
  readonly hostName: "electron" | "chromium-host";
  readonly pid: number;
  /** The page of the next window that is opened and was not handed out yet. */
  readonly nextWindow: () => Promise<Page>;
  /** How many windows the app has now, loaded or not. */
  readonly windowCount: () => Promise<number>;
  /** The next URL the app hands to the user's browser, in order; rejects when the app ends first. */
  readonly nextOpenedUrl: () => Promise<string>;
  /** Title and body of every notification so far; undefined where the host cannot see them. */
  readonly notifications: () => readonly string[] | undefined;
  /** Clicks the newest notification with this title that is still shown; throws if there is none, or on a host that cannot. */
  readonly clickNotification: (title: string) => Promise<void>;
  /** The titles of the notifications that are shown now; undefined where the host cannot see them. */
  readonly shownNotifications: () => readonly string[] | undefined;
  /** Undefined before there is one, and where the host cannot see it. */
  readonly tray: () => TrayState | undefined;
  /** Chooses from the tray icon's menu; throws on a host that cannot. */
  readonly chooseFromTray: (label: string) => Promise<void>;
  /** What every later file dialog answers; `undefined` cancels. */
  readonly setDialogAnswer: (path: string | undefined) => Promise<void>;
  /** Raises an event of `powerMonitor` in the app. */
  readonly emitPowerEvent: (name: PowerEvent) => Promise<void>;
  /** The command lines of all processes of the app, as any user of the machine can read them. */
  readonly processArguments: () => readonly string[];
  /** Everything the app wrote to its standard output and error so far. */
  readonly output: () => string;
  /** Ends the app as a power cut would: nothing is flushed or told. */
  readonly kill: () => Promise<void>;
  /** Quits the app as a person does and waits for its end; its exit status. */
  readonly close: () => Promise<number | null>;
  /** Settles with the exit status when the app ends, however it does; `null` after a signal. */
  readonly exited: Promise<number | null>;
}
