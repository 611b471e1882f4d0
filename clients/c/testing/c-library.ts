/**
 * What tests of the C library share: the compiled driver, and brokers to let it talk to.
 *
 * Invariant: whatever is started here ends with its test; a driver that a sanitizer has stopped fails its test.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { type BrokerScript, ScriptedBroker } from "../../../cli/conformance/scripted-broker.ts";
import {
  type FakeBroker,
  type FakeBrokerOptions,
  knownClient,
  pipeIn,
  startFakeBroker,
} from "../../../electron/pipe/testing/fake-broker.ts";
import type { Credentials } from "../../node/session-proof.ts";
import { availableSanitizers, compile, findCompiler, programName } from "./c-toolchain.ts";
import { Driver } from "./driver.ts";

/** The C compiler of this machine, if it has one. */
export const compiler = findCompiler();
if (compiler === undefined) console.log("skipped: the C client was not exercised, because there is no C compiler.");

/** Compiling beside other tests takes its time. */
export const compileMs = 120_000;

export interface DriverOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user; only root may. */
  readonly userId?: number;
}

export interface LibrarySuite {
  /** A program that uses the library. */
  readonly driver: (options?: DriverOptions) => Driver;
  /** One with an authenticated session. */
  readonly session: (pipe: string, credentials?: Credentials) => Promise<Driver>;
}

/** Compiles the driver before the tests of a `describe`, with sanitizers where the compiler has them. */
export function useLibrary(): LibrarySuite {
  let folder = "";
  let driverFile = "";
  beforeAll(() => {
    if (compiler === undefined) return;
    folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
    driverFile = path.join(folder, programName("driver"));
    const flags = availableSanitizers(compiler);
    if (flags.length === 0) console.log("not exercised: the C library under sanitizers, which this compiler does not have.");
    compile({ compiler, sources: ["testing/driver.c", "dms_connect.c"], output: driverFile, flags });
    // Some tests play other users.
    chmodSync(folder, 0o755);
  }, compileMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const driver: LibrarySuite["driver"] = (options = {}) => {
    const started = new Driver({ ...options, command: [driverFile] });
    onTestFinished(() => started.end());
    return started;
  };
  const session: LibrarySuite["session"] = async (pipe, { clientId, clientKey } = knownClient) => {
    const program = driver();
    expect(await program.ask("open", pipe)).toMatchObject({ result: 0, pipeName: pipe });
    expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({ result: 0, code: "" });
    return program;
  };
  return { driver, session };
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "dms-c-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The real pipe server, with a stand-in behind it. */
export async function fakeBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const broker = await startFakeBroker(options);
  onTestFinished(broker.dispose);
  return broker;
}

/** A broker that does what the test tells it to. It knows `knownClient`. */
export async function scriptedBroker(script: BrokerScript): Promise<{ readonly broker: ScriptedBroker; readonly pipe: string }> {
  const pipe = pipeIn(temporaryFolder());
  const broker = new ScriptedBroker({ pipe, credentials: knownClient, usedNonces: new Set() }, script);
  await broker.start();
  onTestFinished(() => broker.stop());
  return { broker, pipe };
}
