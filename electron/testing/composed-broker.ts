/**
 * The whole broker without a window, for tests: real vault, pipe and callback endpoint; only the browser, Electron's
 * `safeStorage` and its session are stand-ins. Invariant: whatever is opened here is closed when the test has finished.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { type BrokerClient, type Credentials, connectToBroker } from "../../clients/node/dms-connect-client.ts";
import { ok, type Result } from "../../shared/result.ts";
import type { StatusView } from "../../shared/views.ts";
import { compose } from "../compose.ts";
import type { ProviderDefinition } from "../core/provider-definition.ts";
import { createLog } from "../diagnostics/log.ts";
import type { WindowBroker } from "../ipc/handlers.ts";
import { readStartOptions } from "../shell/start-options.ts";
import { FakeSafeStorage } from "../vault/testing/fake-key-places.ts";

// electron-store asks the electron package where its binary is, which would start a download.
vi.hoisted(() => {
  process.env["ELECTRON_OVERRIDE_DIST_PATH"] ??= "/nowhere";
});

/** What outlives the app on a computer: the profile's folder and the key that the system keeps for it. */
export interface TestProfile {
  readonly folder: string;
  readonly pipe: string;
  readonly safeStorage: FakeSafeStorage;
}

export interface ComposedBroker {
  readonly broker: WindowBroker;
  readonly status: () => StatusView;
  /** What the broker has opened in the browser, oldest first. */
  readonly openedUrls: readonly string[];
  /** Quits the app; the profile can then be opened again. */
  readonly close: () => Promise<void>;
}

/** An empty profile in a folder of its own. */
export function newProfile(): TestProfile {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pipe = process.platform === "win32" ? `\\\\.\\pipe\\dms-connect-${randomUUID()}` : join(folder, "pipe.sock");
  return { folder, pipe, safeStorage: new FakeSafeStorage() };
}

export interface OpenBrokerOptions {
  readonly policyFiles?: readonly string[];
  /** The app's command line. */
  readonly args?: readonly string[];
}

/** Starts the app on a profile that no other app has open. */
export async function openBroker(
  profile: TestProfile,
  provider: ProviderDefinition,
  { policyFiles = [], args = [] }: OpenBrokerOptions = {},
): Promise<ComposedBroker> {
  vi.stubEnv("DMS_CONNECT_PIPE", profile.pipe);
  onTestFinished(() => void vi.unstubAllEnvs());
  const openedUrls: string[] = [];
  const log = createLog({ folder: profile.folder });
  const application = await compose({
    profileFolder: profile.folder,
    log,
    version: "0.0.0",
    hostName: "test",
    providers: [provider],
    safeStorage: profile.safeStorage,
    session: { setCertificateVerifyProc: () => undefined },
    fetch,
    browser: { open: async (url) => ok(void openedUrls.push(url)) },
    sendEvent: () => undefined,
    onPairingRequested: () => undefined,
    policyFiles,
    startOptions: readStartOptions(args),
  });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= application.close().finally(() => log.close()));
  onTestFinished(close);
  return { broker: valueOf(application.broker()), status: application.status, openedUrls, close };
}

/** A program's session on the pipe, with the credentials of an earlier pairing. */
export async function openSession(profile: TestProfile, credentials: Credentials): Promise<BrokerClient> {
  const session = valueOf(await connectToBroker({ pipe: profile.pipe, credentials }));
  onTestFinished(() => session.close());
  return session;
}

/** Pairs a program that may use everything; its session ends with the pairing. */
export async function pairProgram(profile: TestProfile, { pairings }: WindowBroker, name = "Test DMS"): Promise<Credentials> {
  const session = valueOf(await connectToBroker({ pipe: profile.pipe }));
  const approve = () => pairings.approve(pairings.list()[0]?.pairingId ?? "", { users: "all", providers: "all" });
  const paired = await session.pair({ name, onCode: () => void approve() });
  session.close();
  return valueOf(paired);
}

/** The value of a result that a test counts on. */
export function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`unexpected failure: ${JSON.stringify(result.error)}`);
  return result.value;
}
