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

export interface AppUnderTest {
  readonly hostName: "electron" | "chromium-host";
  /** The first window's page, loaded. */
  readonly page: Page;
  readonly pid: number;
  /** The page of the next window that is opened after the first. */
  readonly nextWindow: () => Promise<Page>;
  /** The next URL the app hands to the user's browser, in order; rejects when the app ends first. */
  readonly nextOpenedUrl: () => Promise<string>;
  /** Title and body of every notification so far; undefined where the host cannot see them. */
  readonly notifications: () => readonly string[] | undefined;
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
