import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readCredentials } from "../clients/node/credentials-file.ts";
import { provider as mazda } from "../electron/oauth/providers/mazda.ts";
import { type Run, runProgram } from "../electron/pipe/testing/run-program.ts";
import { parseProgramFile } from "../electron/settings/program-file.ts";
import { newProfile, openBroker, openSession, valueOf } from "../electron/testing/composed-broker.ts";

interface Place {
  readonly folder: string;
  readonly programs: string;
  /** Runs the command with a new credentials file. */
  readonly make: (credentials: string, ...args: readonly string[]) => Promise<Run>;
}

async function place(): Promise<Place> {
  const folder = await mkdtemp(path.join(tmpdir(), "dms-programs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const programs = path.join(folder, "programs.json");
  const make: Place["make"] = (credentials, ...args) =>
    command("--output", programs, "--credentials-output", path.join(folder, credentials), ...args);
  return { folder, programs, make };
}

function command(...args: readonly string[]): Promise<Run> {
  return runProgram("cli/dms-connect.ts", ["program-file", ...args], {});
}

async function programsIn(file: string): Promise<ReturnType<typeof parsed>> {
  return parsed(await readFile(file, "utf8"));
}
function parsed(text: string) {
  return valueOf(parseProgramFile(text));
}

const lastDay = "2099-12-31";

describe("dms-connect program-file", () => {
  it("makes a program file and the credentials that belong to it, for their owner alone", async () => {
    const { folder, programs, make } = await place();
    const access = ["--user", "jdoe", "--user", "anna", "--user", "jdoe", "--provider", "mazda"];
    const rest = ["--publisher", "Vendor", "--until", lastDay, "--requests-per-minute", "600", "--client-id", "dealer-dms.1"];
    const { code, stdout, stderr } = await make("credentials.json", "--name", "Dealer DMS", ...access, ...rest);
    expect(code).toBe(0);
    const [entry] = await programsIn(programs);
    const credentials = await readCredentials(path.join(folder, "credentials.json"));
    expect(entry).toEqual({
      clientId: "dealer-dms.1",
      clientKey: credentials?.clientKey,
      name: "Dealer DMS",
      publisher: "Vendor",
      users: ["jdoe", "anna"],
      providers: ["mazda"],
      until: lastDay,
      requestsPerMinute: 600,
    });
    expect(Buffer.from(entry?.clientKey ?? "", "base64url")).toHaveLength(32);
    expect(`${stdout}${stderr}`).not.toContain(entry?.clientKey);
    expect(stdout).toContain("Client id: dealer-dms.1");
    expect(stdout).toContain(`Access: users jdoe, anna; providers mazda; until ${lastDay}; 600 requests a minute`);
    expect(stderr).toContain("--import-programs=FILE");
    expect((await readdir(folder)).sort()).toEqual(["credentials.json", "programs.json"]);
    for (const file of await readdir(folder)) {
      const { mode } = await stat(path.join(folder, file));
      expect(process.platform === "win32" || (mode & 0o777) === 0o600).toBe(true);
    }
  });

  it("adds to a program file that is there, each program with an id and a key of its own", async () => {
    const { programs, make } = await place();
    for (const name of ["One", "Two", "Three"]) expect(await make(`${name}.json`, "--name", name)).toMatchObject({ code: 0 });
    const entries = await programsIn(programs);
    expect(entries.map(({ name }) => name)).toEqual(["One", "Two", "Three"]);
    expect(entries.map(({ users, providers }) => [users, providers])).toEqual(entries.map(() => ["all", "all"]));
    expect(new Set(entries.flatMap(({ clientId, clientKey }) => [clientId, clientKey])).size).toBe(6);
  });

  it.skipIf(process.platform === "win32")(
    "takes a program file away from others who could read it (not exercised on Windows)",
    async () => {
      const { programs, make } = await place();
      await make("one.json", "--name", "One");
      await chmod(programs, 0o644);
      await make("two.json", "--name", "Two");
      expect((await stat(programs)).mode & 0o777).toBe(0o600);
    },
  );

  it("is taken by the app, and its credentials open a session that may do what it says", async () => {
    const { folder, programs, make } = await place();
    await make("credentials.json", "--name", "Dealer DMS", "--user", "jdoe", "--until", lastDay);
    const profile = newProfile();
    const { broker } = await openBroker(profile, mazda);
    expect(await broker.importPrograms(await readFile(programs, "utf8"))).toEqual({ ok: true, value: { imported: 1 } });
    const credentials = await readCredentials(path.join(folder, "credentials.json"));
    if (credentials === undefined) throw new Error("there are no credentials");
    const session = await openSession(profile, credentials);
    expect(await session.connectionGet({ provider: "mazda", user: "jdoe" })).toMatchObject({ ok: true, value: { state: "NotConnected" } });
    expect(await session.connectionGet({ provider: "mazda", user: "anna" })).toMatchObject({ ok: false, error: { code: "not_permitted" } });
    expect(broker.programs.list()).toMatchObject([{ name: "Dealer DMS", origin: "imported", clientId: credentials.clientId }]);
  });
});

describe("dms-connect program-file leaves everything as it is", () => {
  /** The run, and whether the folder is as it was. */
  async function attempt({ folder }: Place, run: () => Promise<Run>): Promise<Run & { readonly changed: boolean }> {
    const before = await contents(folder);
    const ended = await run();
    return { ...ended, changed: JSON.stringify(await contents(folder)) !== JSON.stringify(before) };
  }
  function refusal(code: number, problem: string): object {
    const stderr: unknown = expect.stringContaining(problem);
    return { code, stdout: "", stderr, changed: false };
  }
  async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
    const names = await readdir(folder);
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), "utf8")] as const)),
    );
  }

  it("where the credentials file is there", async () => {
    const here = await place();
    await here.make("one.json", "--name", "One");
    expect(await attempt(here, () => here.make("one.json", "--name", "Two"))).toEqual(refusal(2, "one.json is there already"));
  });

  it("where the program file is not one", async () => {
    const here = await place();
    for (const text of ["", "{}", '{"version":1,"registrations":[]}', " ".repeat(2 * 1024 * 1024)]) {
      await writeFile(here.programs, text);
      expect(await attempt(here, () => here.make("one.json", "--name", "One"))).toEqual(
        refusal(8, "programs.json, or choose another file"),
      );
    }
  });

  it("where the program file has this client id, or a hundred programs", async () => {
    const here = await place();
    await here.make("one.json", "--name", "One", "--client-id", "one");
    expect(await attempt(here, () => here.make("two.json", "--name", "Two", "--client-id", "one"))).toEqual(
      refusal(2, "a clientId occurs twice"),
    );
    const [entry] = await programsIn(here.programs);
    const hundred = Array.from({ length: 100 }, (_, index) => ({ ...entry, clientId: `program-${index}` }));
    await writeFile(here.programs, JSON.stringify({ version: 1, programs: hundred }));
    expect(await attempt(here, () => here.make("two.json", "--name", "Two"))).toEqual(refusal(2, "could not be imported: programs"));
  });

  it("where another command is writing the file", async () => {
    const here = await place();
    await writeFile(`${here.programs}.new`, "");
    expect(await attempt(here, () => here.make("one.json", "--name", "One"))).toEqual(refusal(1, "programs.json.new is there"));
  });

  it("where the folder does not exist", async () => {
    const here = await place();
    const nowhere = path.join(here.folder, "none", "programs.json");
    const credentials = path.join(here.folder, "credentials.json");
    const run = () => command("--name", "One", "--output", nowhere, "--credentials-output", credentials);
    expect(await attempt(here, run)).toEqual(refusal(1, "no such folder"));
    const other = () => command("--name", "One", "--output", here.programs, "--credentials-output", nowhere);
    expect(await attempt(here, other)).toEqual(refusal(1, "no such folder"));
  });

  it.each([
    [[], "--name NAME is missing"],
    [["--name", ""], "--name NAME is missing"],
    [["--name", "x".repeat(65)], "--name: "],
    [["--name", "Dealer\u202eSMD"], "--name: holds a character that cannot be seen"],
    [["--name", "One", "--publisher", ""], "--publisher: "],
    [["--name", "One", "--user", ""], "--user: at most 1,000"],
    [["--name", "One", "--user", "all"], "leave --user out to allow all"],
    [["--name", "One", "--provider", "a\tb"], "--provider: at most 1,000"],
    [["--name", "One", "--until", "2027-02-30"], "--until: "],
    [["--name", "One", "--until", "2020-01-01"], "--until: this day is over"],
    [["--name", "One", "--requests-per-minute", "many"], "--requests-per-minute must be a whole number"],
    [["--name", "One", "--requests-per-minute", "0"], "--requests-per-minute: "],
    [["--name", "One", "--client-id", "a b"], "--client-id: 1 to 128 of"],
    [["--name", "One", "--pipe", "name"], "takes neither --credentials nor --pipe"],
    [["--name", "One", "more"], "unexpected argument: more"],
  ])("after %j, which is bad usage", async (args, problem) => {
    const here = await place();
    expect(await attempt(here, () => here.make("one.json", ...args))).toEqual(refusal(2, problem));
  });

  it("where both files are the same, or one is missing", async () => {
    const here = await place();
    const same = ["--output", here.programs, "--credentials-output", here.programs];
    expect(await attempt(here, () => command("--name", "One", ...same))).toEqual(refusal(2, "are the same file"));
    expect(await attempt(here, () => command("--name", "One", ...same.slice(0, 2)))).toEqual(
      refusal(2, "--credentials-output FILE is missing"),
    );
  });
});
