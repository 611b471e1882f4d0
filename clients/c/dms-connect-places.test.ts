/** Where the C library finds the pipe, and how it keeps credentials. */
import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { publishBrokerFile } from "../../electron/pipe/broker-file.ts";
import { knownClient, pipeIn } from "../../electron/pipe/testing/fake-broker.ts";
import { defaultPipeName, systemPipeNameSources } from "../node/default-pipe-name.ts";
import { compiler, fakeBroker, temporaryFolder, useLibrary } from "./testing/c-library.ts";
import type { Report } from "./testing/driver.ts";

const { clientId, clientKey } = knownClient;
const onUnix = process.platform !== "win32";

describe.skipIf(compiler === undefined)("the C library", () => {
  const { driver, session } = useLibrary();

  describe("finding the pipe", () => {
    const nowhere = path.join(import.meta.dirname, "no such folder");
    const env = (changes: Readonly<Record<string, string>>) => ({
      HOME: nowhere,
      LOCALAPPDATA: nowhere,
      DMS_CONNECT_PROFILE: nowhere,
      ...changes,
    });
    const opens = async (variables: Readonly<Record<string, string>>): Promise<Report> => driver({ env: variables }).ask("open", "-");

    it("takes the program's own word, then DMS_CONNECT_PIPE, then broker.json", async () => {
      const broker = await fakeBroker();
      const profile = temporaryFolder();
      const unused = pipeIn(temporaryFolder());
      await publishBrokerFile(profile, broker.pipe);
      expect(await opens(env({ DMS_CONNECT_PROFILE: profile }))).toMatchObject({ result: 0, pipeName: broker.pipe });
      const told = await driver({ env: env({ DMS_CONNECT_PROFILE: profile, DMS_CONNECT_PIPE: unused }) }).ask("open", "-");
      expect(told).toMatchObject({ result: 12, detail: "broker_unreachable", pipeName: unused });
      const insisting = await driver({ env: env({ DMS_CONNECT_PIPE: unused }) }).ask("open", broker.pipe);
      expect(insisting).toMatchObject({ result: 0, pipeName: broker.pipe });
    });

    it("finds broker.json where the Node client finds it", async () => {
      const broker = await fakeBroker();
      const home = temporaryFolder();
      const inHome = { linux: ".config/dms-connect", darwin: "Library/Application Support/dms-connect", win32: "dms-connect" };
      const profile = path.join(
        home,
        process.platform === "darwin" || process.platform === "win32" ? inHome[process.platform] : inHome.linux,
      );
      await mkdir(profile, { recursive: true });
      await publishBrokerFile(profile, broker.pipe);
      expect(await opens({ HOME: home, LOCALAPPDATA: home })).toMatchObject({ result: 0, pipeName: broker.pipe });
    });

    it.skipIf(process.platform !== "linux")("goes by XDG_CONFIG_HOME if that is an absolute path", async () => {
      const broker = await fakeBroker();
      const home = temporaryFolder();
      const profile = path.join(home, ".config/dms-connect");
      await mkdir(profile, { recursive: true });
      await publishBrokerFile(profile, broker.pipe);
      expect(await opens({ HOME: "/nowhere", XDG_CONFIG_HOME: path.join(home, ".config") })).toMatchObject({ pipeName: broker.pipe });
      expect(await opens({ HOME: home, XDG_CONFIG_HOME: "relative" })).toMatchObject({ pipeName: broker.pipe });
    });

    it.each(["", "{", '{"name":7}', "[]", '{"name":"a\\u0000b"}'])("does without a broker.json that holds %j", async (content) => {
      const profile = temporaryFolder();
      await writeFile(path.join(profile, "broker.json"), content);
      const variables = env({ DMS_CONNECT_PROFILE: profile });
      expect((await opens(variables)).pipeName).toBe(
        await defaultPipeName({ ...systemPipeNameSources(), env: {}, temporaryFolder: "/tmp" }),
      );
    });

    it.skipIf(!onUnix).each([
      [{ XDG_RUNTIME_DIR: "/run/user/1" }, "/tmp"],
      [{ XDG_RUNTIME_DIR: "/run/user/1/" }, "/tmp"],
      [{ XDG_RUNTIME_DIR: "relative" }, "/tmp"],
      [{ TMPDIR: "/var/tmp/" }, "/var/tmp"],
      [{}, "/tmp"],
    ] as const)("has the Node client's default name with %j", async (variables, temporary) => {
      const expected = await defaultPipeName({ ...systemPipeNameSources(), env: variables, temporaryFolder: temporary });
      expect((await opens(env(variables))).pipeName).toBe(expected);
    });

    it.each(["relative.sock", `/${"long".repeat(40)}`, "\\\\server\\pipe\\name"])(
      "refuses %j, which is no pipe of this computer",
      async (name) => {
        expect(await driver().ask("open", name)).toMatchObject({ result: 2, detail: "argument_invalid" });
      },
    );
  });

  describe("the credentials file", () => {
    it.skipIf(!onUnix)("is refused while others can read it", async () => {
      const { pipe } = await fakeBroker();
      const file = path.join(temporaryFolder(), "credentials.json");
      await writeFile(file, JSON.stringify({ clientId, clientKey }), { mode: 0o640 });
      const program = driver();
      await program.ask("open", pipe);
      for (const command of ["authenticate-with-file", "load"]) {
        expect(await program.ask(command, file)).toMatchObject({ result: 3, detail: "credentials_open_to_others" });
      }
      await chmod(file, 0o600);
      expect(await program.ask("authenticate-with-file", file)).toMatchObject({ result: 0 });
    });

    const damaged: readonly (readonly [string, string])[] = [
      ["nothing", ""],
      ["null", "null"],
      ["an array", "[]"],
      ["no key", '{"clientId":"a"}'],
      ["a key that is a number", '{"clientId":"a","clientKey":7}'],
      ["a key that is cut off", `{"clientId":"a","clientKey":"${clientKey.slice(0, 42)}"}`],
      ["a key of more bits than 32 bytes have", `{"clientId":"a","clientKey":"${"A".repeat(42)}B"}`],
      ["an id with a blank", `{"clientId":"a b","clientKey":"${clientKey}"}`],
      ["70,000 blanks", " ".repeat(70_000)],
    ];
    it.each(damaged)("counts as missing when it holds %s", async (_what, content) => {
      const file = path.join(temporaryFolder(), "credentials.json");
      await writeFile(file, content, { mode: 0o600 });
      for (const command of ["authenticate-with-file", "load"]) {
        expect(await driver().ask(command, file)).toMatchObject({ result: 3, detail: "credentials_missing" });
      }
    });

    it.skipIf(!onUnix)("replaces a link instead of writing where it leads", async () => {
      const { pipe } = await fakeBroker();
      const folder = temporaryFolder();
      const [elsewhere, file] = [path.join(folder, "elsewhere"), path.join(folder, "credentials.json")];
      await writeFile(elsewhere, "untouched");
      await symlink(elsewhere, file);
      expect(await (await session(pipe)).ask("save", file)).toMatchObject({ result: 0 });
      expect(await readFile(elsewhere, "utf8")).toBe("untouched");
      const written = await lstat(file);
      expect({ isFile: written.isFile(), mode: written.mode & 0o777 }).toEqual({ isFile: true, mode: 0o600 });
    });

    it.skipIf(!onUnix)("is a file: a named pipe is not waited for", async () => {
      const fifo = path.join(temporaryFolder(), "credentials.json");
      execFileSync("mkfifo", ["-m", "600", fifo]);
      expect(await driver().ask("load", fifo)).toMatchObject({ result: 3, detail: "credentials_missing" });
    });

    it("may have a name of any letters", async () => {
      const { pipe } = await fakeBroker();
      const file = path.join(temporaryFolder(), "Jürgen 😀", "crédentials.json");
      const program = await session(pipe);
      expect(await program.ask("save", file)).toMatchObject({ result: 0 });
      expect(await program.ask("authenticate-with-file", file)).toMatchObject({ result: 0 });
    });

    it("that cannot be written is told, and nothing is left behind", async () => {
      const { pipe } = await fakeBroker();
      const parent = temporaryFolder();
      await mkdir(path.join(parent, "taken"));
      const program = await session(pipe);
      expect(await program.ask("save", path.join(parent, "taken"))).toMatchObject({ result: 1, detail: "credentials_not_written" });
      expect(await readdir(parent)).toEqual(["taken"]);
    });
  });
});
