import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isOpenToOthers } from "../../clients/node/credentials-file.ts";
import { type Credentials, connectToBroker, pairWithBroker } from "../../clients/node/dms-connect-client.ts";
import { parseCredentials } from "../../clients/node/parse-answers.ts";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import { repositoryRoot } from "../bundles.ts";
import { findChromium, installChromiumSentence } from "../chromium.ts";

/** Short: the demo's own sockets lie below it. */
let folder = "";
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "d-"));
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

it("serves a client that has only what it printed, pairs another one, and leaves nothing behind at Ctrl+C", { timeout: 60_000 }, async ({
  skip,
}) => {
  skip(findChromium() === undefined, `not exercised: npm run demo -- --serve. ${installChromiumSentence}`);
  const demo = start("--serve");
  await demo.printed(/^Ctrl\+C ends it\.$/m);
  const [, pipe = ""] = await demo.printed(/^DMS_CONNECT_PIPE=(.+)$/m);
  const [, credentialsFile = ""] = await demo.printed(/^DMS_CONNECT_CREDENTIALS=(.+)$/m);
  expect(await isOpenToOthers(credentialsFile)).toBe(false);

  const credentials = parseCredentials(JSON.parse(readFileSync(credentialsFile, "utf8")));
  const [, user = "", url = ""] = await demo.printed(/^ {2}webfleet (\S+) production GET (\S+)$/m);
  const headers = await tokenHeaders(pipe, credentials, user);
  expect((await requestLoopback(url, { headers })).status).toBe(200);

  let code = "";
  const paired = await pairWithBroker({ pipe, name: "Second program", onCode: (shown) => void (code = shown) });
  if (!paired.ok) throw new Error(paired.error.message);
  expect(await tokenHeaders(pipe, paired.value, user)).toEqual(headers);
  await demo.printed(new RegExp(`^The program "Second program" asks to be paired\\. Its code must be ${code}\\.$`, "m"));

  demo.type("expire webfleet");
  await demo.printed(/^Webfleet refuses all access tokens/m);
  expect((await requestLoopback(url, { headers })).status).toBe(401);

  // Windows has no signal that a program could answer.
  if (process.platform === "win32") demo.type("quit");
  else child?.kill("SIGINT");
  expect(await demo.ended).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

it("prints its options, and refuses one it does not know", async () => {
  const help = start("--help");
  expect(await help.ended).toBe(0);
  expect(help.output()).toMatch(/--auto[^]*--serve[^]*--help/);
  const wrong = start("--surprise");
  expect(await wrong.ended).toBe(2);
  expect(wrong.output()).toMatch(/^demo: Unknown option '--surprise'\nusage: npm run demo/);
});

async function tokenHeaders(pipe: string, credentials: Credentials | undefined, user: string): Promise<Readonly<Record<string, string>>> {
  if (credentials === undefined) throw new Error("there are no credentials");
  const connected = await connectToBroker({ pipe, credentials });
  if (!connected.ok) throw new Error(connected.error.message);
  const token = await connected.value.tokenGet({ provider: "webfleet", user });
  connected.value.close();
  if (!token.ok) throw new Error(token.error.message);
  return token.value.headers;
}

interface RunningDemo {
  readonly output: () => string;
  /** The first match in the output; rejects when the demo ends without one. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly type: (line: string) => void;
  readonly ended: Promise<number | null>;
}

function start(option: string): RunningDemo {
  const temporary = Object.fromEntries(["TMPDIR", "TMP", "TEMP"].map((name) => [name, folder]));
  const env = { ...process.env, ...temporary };
  const started = spawn(process.execPath, [join(repositoryRoot, "build/demo.ts"), option], { env });
  child = started;
  let output = "";
  const checks = new Set<() => void>();
  for (const input of [started.stdout, started.stderr]) {
    createInterface({ input }).on("line", (line) => {
      output += `${line}\n`;
      for (const check of checks) check();
    });
  }
  const ended = once(started, "close").then(() => started.exitCode);
  return {
    output: () => output,
    ended,
    type: (line) => void started.stdin.write(`${line}\n`),
    printed: async (pattern) => {
      const found = Promise.withResolvers<RegExpExecArray>();
      const check = (): void => {
        const match = pattern.exec(output);
        if (match !== null) found.resolve(match);
      };
      checks.add(check);
      check();
      const endedWithout = ended.then((): never => {
        throw new Error(`the demo ended early: ${output}`);
      });
      return Promise.race([found.promise, endedWithout]);
    },
  };
}
