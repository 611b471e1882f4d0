/**
 * The whole broker on a profile, started as the app starts it, without a window: real vault, pipe and callback endpoint;
 * only the browser, Electron's `safeStorage` and its session are stand-ins. Invariant: nothing here hides a failure.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Application, compose } from "../../electron/compose.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { createLog } from "../../electron/diagnostics/log.ts";
import { readStartOptions } from "../../electron/shell/start-options.ts";
import { FakeSafeStorage } from "../../electron/vault/testing/fake-key-places.ts";
import { ok } from "../../shared/result.ts";

/** What outlives the app on a computer: the profile's folder and the key that the system keeps for it. */
export interface StoryProfile {
  readonly folder: string;
  readonly pipe: string;
  readonly safeStorage: FakeSafeStorage;
}

export interface StoryApp {
  readonly application: Application;
  /** What the broker has opened in the browser, oldest first. */
  readonly openedUrls: readonly string[];
  readonly close: () => Promise<void>;
}

/** An empty profile below `watchedFolder`; its socket lies below `otherFolder`, since a socket is no file of the disk. */
export function newStoryProfile(watchedFolder: string, otherFolder: string, name: string): StoryProfile {
  mkdirSync(watchedFolder, { recursive: true });
  return { folder: join(watchedFolder, name), pipe: join(otherFolder, "pipes", `${name}.sock`), safeStorage: new FakeSafeStorage() };
}

/** Starts the app. It starts whatever the disk does: `application.status()` says how it went. */
export async function startStoryApp(profile: StoryProfile, provider: ProviderDefinition): Promise<StoryApp> {
  process.env["DMS_CONNECT_PIPE"] = profile.pipe;
  const openedUrls: string[] = [];
  const log = createLog({ folder: profile.folder });
  const application = await compose({
    profileFolder: profile.folder,
    log,
    version: "0.0.0",
    hostName: "faults",
    providers: [provider],
    safeStorage: profile.safeStorage,
    session: { setCertificateVerifyProc: () => undefined },
    fetch,
    browser: { open: async (url) => ok(void openedUrls.push(url)) },
    sendEvent: () => undefined,
    onPairingRequested: () => undefined,
    startOptions: readStartOptions([]),
  });
  return { application, openedUrls, close: () => application.close().finally(() => log.close()) };
}
