/**
 * The C library and dms-token as Windows programs, 32 and 64 bit, under Wine, against the real pipe server in a Windows
 * Node. What only a real Windows shows: that a stranger on the name cannot impersonate the program (Wine keeps no
 * impersonation levels), and how the pipe's access list treats other users.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { knownClient, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { fetchWindowsKoffi } from "../../electron/pipe/windows/windows-koffi.ts";
import { windowsPipeName } from "../node/default-pipe-name.ts";
import { compile, isProgram, make } from "./testing/c-toolchain.ts";
import { Driver } from "./testing/driver.ts";
import { type Architecture, findWindowsNode, hasWine, startWine, type Wine, windowsPath } from "./testing/wine.ts";

const compilers = { x64: "x86_64-w64-mingw32-gcc", x86: "i686-w64-mingw32-gcc" } as const;
const setUpMs = 300_000;
const wineMs = 60_000;
const { clientId, clientKey } = knownClient;
const onUnix = process.platform !== "win32";

interface Pipes {
  readonly name: string;
  /** Somebody listens there and never answers. */
  readonly silentName: string;
}

const canTry = onUnix && isProgram("make") && hasWine();
if (onUnix && !canTry) console.log("skipped: the C client's Windows build was not exercised, because there is no Wine or no make.");

/** Started when the first test that needs it is about to run. */
let wine: Wine | undefined;
let serverNode: string | undefined;
beforeAll(() => {
  wine = canTry ? startWine() : undefined;
  serverNode = wine === undefined ? undefined : findServerNode(wine);
  if (wine === undefined) return;
  if (serverNode === undefined)
    console.log("skipped: the C client's Windows pipe, because no Node or no koffi for Windows could be fetched.");
}, setUpMs);
afterAll(() => wine?.dispose(), setUpMs);

describe.skipIf(!canTry).each(["x64", "x86"] as const)("the C client for Windows, %s", (architecture) => {
  let runs = false;
  let folder = "";
  const file = (name: string): string => path.join(folder, name);
  const built = (name: string): string => file(`windows-${architecture}/${name}`);
  beforeAll(() => {
    runs = wine !== undefined && canRun(wine, architecture);
    if (!runs) {
      console.log(`skipped: the C client for Windows, ${architecture}: no ${compilers[architecture]}, or a Wine that cannot run it.`);
      return;
    }
    folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
    make(`windows-${architecture}`, folder);
    const compiler = compilers[architecture];
    compile({ compiler, sources: ["testing/driver.c", "dms_connect.c"], output: file("driver.exe"), forWindows: true });
    const loader = { compiler, sources: ["testing/load_dll.c"], forWindows: true };
    compile({ ...loader, output: file("load.exe"), flags: ["-municode"] });
    compile({ ...loader, output: file("load-stdcall.exe"), flags: ["-municode", "-DDMS_CONNECT_STDCALL"] });
  }, setUpMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(({ skip }) => skip(!runs, "this Wine, or this machine, has nothing for it"));

  const theWine = (): Wine => {
    if (wine === undefined) throw new Error("skipped without Wine");
    return wine;
  };
  function driver(): Driver {
    const [program, ...args] = theWine().command(file("driver.exe"));
    const home = process.env["HOME"] ?? "";
    const started = new Driver({ command: [program, ...args], env: { ...theWine().env, HOME: home } });
    onTestFinished(() => started.end());
    return started;
  }
  async function session(pipe: string): Promise<Driver> {
    const program = driver();
    expect(await program.ask("open", pipe)).toMatchObject({ result: 0, pipeName: pipe });
    expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({ result: 0 });
    return program;
  }
  /** The pipe server, on `name`, until the test ends. */
  async function serve(name: string): Promise<Pipes & { readonly stop: () => Promise<void> }> {
    const readyFile = file(`ready-${Math.random()}.json`);
    const script = path.join(import.meta.dirname, "testing/serve-windows-pipe.ts");
    const stopFile = `${readyFile}.stop`;
    const server = theWine().start(`${readyFile}.log`, serverNode ?? "", windowsPath(script), windowsPath(readyFile), name);
    const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
    const stop = async (): Promise<void> => {
      await writeFile(stopFile, "");
      await ended;
    };
    onTestFinished(stop, wineMs);
    const isReady = () => {
      if (!existsSync(readyFile)) throw new Error(`the server does not listen: ${readFileSync(`${readyFile}.log`, "utf8")}`);
    };
    await vi.waitFor(isReady, { timeout: wineMs, interval: 100 });
    // serve-windows-pipe.ts writes exactly this.
    return { ...(JSON.parse(await readFile(readyFile, "utf8")) as Pipes), stop };
  }
  let lastName = 0;
  const newName = (): string => `\\\\.\\pipe\\dms-connect-${architecture}-${process.pid}-${(lastName += 1)}`;

  describe("by itself", { timeout: wineMs }, () => {
    it("computes the test vectors", () => {
      expect(theWine().run(built("dms-token.exe"), "--self-test")).toEqual({ code: 0, stdout: "The test vectors are right.\n" });
    });

    it("needs no DLL but the system's", () => {
      const system = ["advapi32.dll", "bcrypt.dll", "kernel32.dll", "msvcrt.dll"];
      for (const name of ["dms-connect.dll", "dms-token.exe"]) expect(importedDlls(architecture, built(name))).toEqual(system);
    });

    it("is loaded at run time by undecorated names", () => {
      expect(theWine().run(file("load.exe"), windowsPath(built("dms-connect.dll")))).toEqual({ code: 0, stdout: "ok\n" });
    });

    it.skipIf(architecture !== "x86")("is loaded with stdcall where it was built for it", () => {
      expect(theWine().run(file("load-stdcall.exe"), windowsPath(built("dms-connect-stdcall.dll")))).toEqual({ code: 0, stdout: "ok\n" });
    });

    it("refuses a pipe of another computer, and what is no pipe", async () => {
      const program = driver();
      for (const name of [
        "\\\\server\\pipe\\dms-connect",
        "C:\\file",
        "\\\\.\\pipe\\",
        "\\\\.\\pipe\\a\\b",
        "\\\\.\\pipe\\../COM1",
        "\\\\.\\COM1",
      ]) {
        expect(await program.ask("open", name)).toMatchObject({ result: 2, detail: "argument_invalid" });
      }
    });

    it("says that nobody listens", async () => {
      expect(await driver().ask("open", newName())).toMatchObject({ result: 12, detail: "broker_unreachable" });
    });
  });

  describe("with the pipe server", { timeout: wineMs * 2 }, () => {
    beforeEach(({ skip }) => skip(serverNode === undefined, "no server can be run"));

    it("finds it on the default name of the user's SID and session, and prints a token", async () => {
      const { pipeName } = await driver().ask("open", "-");
      const identity = /S-1-5-21[-0-9]+/.exec(theWine().run("reg", "query", "HKU").stdout)?.[0] ?? "";
      const sessionId = /-(\d+)$/.exec(pipeName)?.[1] ?? "";
      expect(pipeName).toBe(windowsPipeName({ identity, sessionId }));
      await serve(pipeName);
      const credentials = path.join(folder, "Jürgen 😀", "credentials.json");
      await mkdir(path.dirname(credentials));
      await writeFile(credentials, JSON.stringify({ clientId, clientKey }));
      const run = theWine().run(built("dms-token.exe"), "mazda", "jdoe", "--credentials", windowsPath(credentials));
      expect(run).toEqual({ code: 0, stdout: `${someToken.accessToken}\n` });
      const header = theWine().run(built("dms-token.exe"), "mazda", "jdoe", "--header", "--credentials", windowsPath(credentials));
      expect(header.stdout).toContain(`Authorization: Bearer ${someToken.accessToken}\n`);
    });

    it("pairs, keeps its credentials, and uses them", async () => {
      const { name } = await serve(newName());
      const credentials = file("new folder/é/credentials.json");
      expect(theWine().run(built("dms-token.exe"), "pair", "--pipe", name, "--credentials", windowsPath(credentials)).code).toBe(0);
      expect(JSON.parse(await readFile(credentials, "utf8"))).toEqual({ clientId, clientKey });
      const run = theWine().run(built("dms-token.exe"), "mazda", "jdoe", "--pipe", name, "--credentials", windowsPath(credentials));
      expect(run).toMatchObject({ code: 0, stdout: `${someToken.accessToken}\n` });
    });

    it("does everything in one session", async () => {
      const program = await session((await serve(newName())).name);
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: someToken.accessToken });
      expect(await program.ask("rejected", "mazda", "jdoe")).toMatchObject({ result: 0, tokenId: "token-2" });
      expect(JSON.parse((await program.ask("list")).answer)).toMatchObject({ connections: [{ provider: "mazda" }] });
    });

    it("connects again after the server was restarted", async () => {
      const server = await serve(newName());
      const program = await session(server.name);
      await server.stop();
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 12, detail: "broker_unreachable" });
      await serve(server.name);
      expect(await program.ask("token", "mazda", "jdoe")).toMatchObject({ result: 0, accessToken: someToken.accessToken });
    });

    it("leaves a stranger that cannot prove, or never answers", async () => {
      const { name, silentName } = await serve(newName());
      const program = driver();
      await program.ask("open", name);
      const wrongKey = Buffer.alloc(32, 1).toString("base64url");
      expect(await program.ask("authenticate", clientId, wrongKey)).toMatchObject({ result: 13, detail: "broker_not_genuine" });
      await program.ask("timeout", "500");
      await program.ask("open", silentName);
      expect(await program.ask("authenticate", clientId, clientKey)).toMatchObject({ result: 12, detail: "timed_out" });
    });
  });
});

/** Whether this Wine runs programs of the architecture, and there is a compiler for it. */
function canRun({ run }: Wine, architecture: Architecture): boolean {
  const compiler = compilers[architecture];
  if (!isProgram(compiler)) return false;
  const folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
  try {
    const probe = path.join(folder, "probe.exe");
    compile({ compiler, sources: ["testing/probe.c"], output: probe, forWindows: true });
    return run(probe).code === 42;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The DLLs a program needs, by the compiler's own tools. */
function importedDlls(architecture: Architecture, program: string): readonly string[] {
  const { stdout } = spawnSync(compilers[architecture].replace(/gcc$/, "objdump"), ["-p", program], { encoding: "utf8" });
  return [...stdout.matchAll(/DLL Name: (\S+)/g)].map(([, name = ""]) => name.toLowerCase()).toSorted((a, b) => a.localeCompare(b));
}

/** A Node that this Wine runs, with what the server needs; programs of both architectures reach its pipes. */
function findServerNode({ run }: Wine): string | undefined {
  for (const architecture of ["x64", "x86"] as const) {
    const program = fetchWindowsKoffi(architecture) ? findWindowsNode(architecture) : undefined;
    if (program !== undefined && run(program, "-e", "process.exitCode = 42").code === 42) return program;
  }
  return undefined;
}
