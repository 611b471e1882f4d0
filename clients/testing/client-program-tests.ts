/**
 * What every client program must do, as tests against the real broker, and the conformance kit besides. The programs
 * speak the commands of clients/conformance.md.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Order, programCommand } from "../../cli/conformance/command-words.ts";
import { type ProgramRun, startProgram } from "../../cli/conformance/program-run.ts";
import { runConformance, type ScenarioOutcome, scenarios } from "../../cli/conformance/run-conformance.ts";
import { readCredentials, writeCredentials } from "../node/credentials-file.ts";
import type { Credentials } from "../node/session-proof.ts";
import { connectedUser, startConnectedBroker } from "./connected-broker.ts";

type Words = readonly [string, ...string[]];

/** One program, started with `words` and an order. Called when the tests run: what is compiled before may take its time. */
export type ProgramUnderTest = () => Words;

const { provider, user } = connectedUser;
/** A virtual machine that starts beside other tests needs seconds. */
const startLimitMs = 60_000;
const wholeTestMs = 120_000;
export const conformanceMs = 300_000;

export interface Exceptions {
  /** Scenarios of the conformance kit that are not for this program. */
  readonly mayBeSkipped?: readonly string[];
  /** The program cannot watch connections. */
  readonly hasNoEvents?: true;
}

export function testClientProgram(program: ProgramUnderTest, { mayBeSkipped = [], hasNoEvents }: Exceptions = {}): void {
  describe("with the real broker", { timeout: wholeTestMs }, () => {
    testPairing((pipe) => settingFor(program, pipe));
    testTokens(async (pipe, credentials) => {
      const setting = settingFor(program, pipe);
      await writeCredentials(setting.credentialsFile, credentials);
      return setting;
    });
    it.skipIf(hasNoEvents)("is told what changes", async () => {
      const { profile, app, credentials, accessToken } = await startConnectedBroker();
      const { start, credentialsFile } = settingFor(program, profile.pipe);
      await writeCredentials(credentialsFile, credentials);
      const watching = start("watch");
      expect(await watching.line(() => true)).toBe(`${user} Active`);
      expect((await start("rejected", provider, user).ended).stdout.trim()).toBe(await accessToken());
      // That it was Refreshing meanwhile may be told as one with this.
      expect(await watching.line((line) => line === `${user} Active`)).toBeDefined();
      await app.close();
      expect(await watching.ended).toMatchObject({ code: 0, stderr: "" });
    });
  });

  it("passes every scenario of the conformance kit", { timeout: conformanceMs }, async () => {
    const words = program().map((word) => `"${word}"`);
    const outcomes = await conformanceOutcomes(words.join(" "));
    expect(outcomes.filter(({ outcome, name }) => outcome !== "ok" && !(outcome === "skip" && mayBeSkipped.includes(name)))).toEqual([]);
    expect(outcomes.length).toBe(scenarios.length);
  });
}

/** What the conformance kit finds about a program, in the form of `--exec`. Give a test `conformanceMs` for it. */
export async function conformanceOutcomes(exec: string, chosen: typeof scenarios = scenarios): Promise<readonly ScenarioOutcome[]> {
  const command = programCommand(exec);
  if (command === undefined) throw new Error("the command cannot be read");
  // Short waits: what is tested is that it waits and gives up, not for how long.
  const timing = { slowMs: 2_000, silenceMs: startLimitMs, usualMs: startLimitMs };
  return runConformance(chosen, { command, timing, clientTimeoutSeconds: 8, jobs: 2 }, () => undefined);
}

function testPairing(setting: (pipe: string) => Setting): void {
  it("pairs with the code that the window shows, keeps the key for its user alone, and gets a token", async () => {
    const { profile, app, accessToken } = await startConnectedBroker();
    const { start, credentialsFile } = setting(profile.pipe);
    const pairing = start("pair", "Client test");
    const code = await pairing.shows(/\b\d{6}\b/);
    const [prompt] = app.broker.pairings.list();
    expect(prompt).toMatchObject({ name: "Client test", code });
    await app.broker.pairings.approve(prompt?.pairingId ?? "", { users: "all", providers: "all" });
    expect(await pairing.ended).toMatchObject({ code: 0, stdout: "" });
    expect(process.platform === "win32" || (statSync(credentialsFile).mode & 0o077) === 0).toBe(true);
    // In the form that the Node client reads too.
    expect(await readCredentials(credentialsFile)).toMatchObject({ clientId: app.broker.programs.list().at(-1)?.clientId });
    expect(withoutCr(await start("token", provider, user).ended)).toEqual({ code: 0, stdout: `${await accessToken()}\n`, stderr: "" });
  });

  it("stores nothing when the person denies", async () => {
    const { profile, app } = await startConnectedBroker();
    const { start, credentialsFile } = setting(profile.pipe);
    const pairing = start("pair", "Client test");
    await pairing.shows(/\b\d{6}\b/);
    app.broker.pairings.deny(app.broker.pairings.list()[0]?.pairingId ?? "");
    const { code, stdout, stderr } = await pairing.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("not_paired");
    expect(await readCredentials(credentialsFile)).toBeUndefined();
  });
}

function testTokens(pairedSetting: (pipe: string, credentials: Credentials) => Promise<Setting>): void {
  it("gets another token after the API refused one", async () => {
    const { profile, credentials, accessToken } = await startConnectedBroker();
    const { start } = await pairedSetting(profile.pipe, credentials);
    const old = await accessToken();
    const renewed = withoutCr(await start("rejected", provider, user).ended);
    expect(renewed).toEqual({ code: 0, stdout: `${await accessToken()}\n`, stderr: "" });
    expect(renewed.stdout).not.toBe(`${old}\n`);
  });

  it("is told when the user has to reconnect", async () => {
    const { profile, server, credentials } = await startConnectedBroker();
    const { start } = await pairedSetting(profile.pipe, credentials);
    server.revokeAll();
    const orders: readonly Order[] = [
      ["rejected", provider, user],
      ["token", provider, user],
    ];
    for (const order of orders) {
      const { code, stdout, stderr } = await start(...order).ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain("reconnect_required");
    }
  });

  it("does not trust a broker that does not have its key, and shows the broker nothing", async () => {
    const { profile, credentials } = await startConnectedBroker();
    const wrongKey = { ...credentials, clientKey: randomBytes(32).toString("base64url") };
    const { start } = await pairedSetting(profile.pipe, wrongKey);
    const { code, stdout, stderr } = await start("token", provider, user).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("broker_not_genuine");
    expect(stderr).not.toContain(wrongKey.clientKey);
  });

  it("goes on after the app was restarted", async () => {
    const { profile, credentials, accessToken, restart } = await startConnectedBroker();
    const { start } = await pairedSetting(profile.pipe, credentials);
    const session = start("session");
    session.say(`${provider} ${user}`);
    expect(await session.line(() => true)).toBe(`${user} ok ${await accessToken()}`);
    await restart();
    session.say(`${provider} ${user}`);
    expect(await session.line(() => true)).toBe(`${user} ok ${await accessToken()}`);
    session.endInput();
    expect(await session.ended).toMatchObject({ code: 0, stderr: "" });
  });
}

interface Setting {
  readonly credentialsFile: string;
  readonly start: (...order: Order | readonly ["watch"]) => ProgramRun;
}

/** A folder with the program's credentials file, and a way to run it. */
function settingFor(program: ProgramUnderTest, pipe: string): Setting {
  const folder = mkdtempSync(path.join(tmpdir(), "dms-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const credentialsFile = path.join(folder, "credentials.json");
  const env = { DMS_CONNECT_PIPE: pipe, DMS_CONNECT_CREDENTIALS: credentialsFile, DMS_CONNECT_PROFILE: folder };
  const start: Setting["start"] = (...order) => {
    const started = startProgram({ words: [...program(), ...order], env, limitMs: startLimitMs });
    onTestFinished(() => {
      started.stop();
      return started.ended.then(() => undefined);
    });
    if (order[0] !== "session") started.endInput();
    return started;
  };
  return { start, credentialsFile };
}

/** Windows programs end lines with CR LF. */
function withoutCr<R extends { readonly stdout: string }>(end: R): R {
  return { ...end, stdout: end.stdout.replaceAll("\r\n", "\n") };
}
