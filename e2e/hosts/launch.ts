/**
 * Starts the app for a test: on real Electron where its runtime is present, else on the Chromium host.
 * `DMS_CONNECT_HOST=chromium-host` chooses the latter in any case.
 */
import { join } from "node:path";
import { repositoryRoot } from "../../build/bundles.ts";
import { findElectron } from "../../build/electron-runtime.ts";
import type { AppUnderTest, LaunchOptions, WindowlessApp } from "./app-under-test.ts";
import { launchOnChromiumHost, launchWindowlessOnChromiumHost } from "./launch-chromium-host.ts";
import { launchOnElectron, launchWindowlessOnElectron } from "./launch-electron.ts";

export type { AppUnderTest, LaunchOptions, WindowlessApp } from "./app-under-test.ts";

/**
 * Starts the app and waits for its first window.
 *
 * @throws with the app's output if it ends before it has opened a window
 */
export async function launchApp(options: LaunchOptions): Promise<AppUnderTest> {
  const { electron, entry, args, environment } = startOf(options);
  return electron === undefined ? launchOnChromiumHost(entry, args, environment) : launchOnElectron(electron, entry, args, environment);
}

/** Starts the app without waiting for a window, for a start that is to open none. It may still be starting when this settles. */
export async function launchWithoutWindow(options: LaunchOptions): Promise<WindowlessApp> {
  const { electron, entry, args, environment } = startOf(options);
  return electron === undefined
    ? launchWindowlessOnChromiumHost(entry, args, environment)
    : launchWindowlessOnElectron(electron, entry, args, environment);
}

function startOf(options: LaunchOptions) {
  const entry = options.entry ?? join(repositoryRoot, "dist/main/main.mjs");
  const hasKeyStores = options.keyStores !== "none";
  const environment = {
    ...currentEnvironment(),
    ...(hasKeyStores ? {} : { DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(options.profile, "no-session-bus")}` }),
    ...options.env,
    DMS_CONNECT_PROFILE: options.profile,
  };
  // Chromium's own switch; the Chromium host takes it, too.
  const args = [...(hasKeyStores ? [] : ["--password-store=basic"]), ...(options.args ?? [])];
  const electron = process.env["DMS_CONNECT_HOST"] === "chromium-host" ? undefined : findElectron();
  return { electron, entry, args, environment };
}

/** The name of the host that `launchApp` would use here. */
export function hostName(): AppUnderTest["hostName"] {
  return process.env["DMS_CONNECT_HOST"] !== "chromium-host" && findElectron() !== undefined ? "electron" : "chromium-host";
}

function currentEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
