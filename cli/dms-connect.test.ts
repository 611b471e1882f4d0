import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeCredentials } from "../clients/node/credentials-file.ts";
import {
  type FakeBroker,
  type FakeBrokerOptions,
  knownClient,
  someConnection,
  someToken,
  startFakeBroker,
} from "../electron/pipe/testing/fake-broker.ts";
import { type Run, runProgram, startProgram } from "../electron/pipe/testing/run-program.ts";
import { failure } from "../shared/failure.ts";
import { type FailureCode, failureCatalogue } from "../shared/failure-catalogue.ts";
import { err, ok } from "../shared/result.ts";

let broker: FakeBroker;
afterEach(() => broker.dispose());

async function start(options: FakeBrokerOptions = {}): Promise<void> {
  broker = await startFakeBroker(options);
}
function environment(): Readonly<Record<string, string>> {
  return { DMS_CONNECT_PIPE: broker.pipe, XDG_CONFIG_HOME: broker.folder, LOCALAPPDATA: broker.folder };
}
function credentialsFile(): string {
  return path.join(broker.folder, "dms-connect-cli", "credentials.json");
}
function run(...args: string[]): Promise<Run> {
  return runProgram("cli/dms-connect.ts", args, environment());
}
async function runPaired(...args: string[]): Promise<Run> {
  await writeCredentials(credentialsFile(), knownClient);
  return run(...args);
}

describe("dms-connect pair", () => {
  it("shows the code, waits for approval and keeps the credentials for the user alone", async () => {
    await start();
    const approval = Promise.withResolvers<ReturnType<typeof ok<typeof knownClient>>>();
    broker.registry.decision = approval.promise;
    const program = startProgram("cli/dms-connect.ts", ["pair", "--name", "My script"], environment());
    await program.prints("Code: 123456");
    approval.resolve(ok(knownClient));
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(broker.registry.requests).toMatchObject([{ name: "My script" }]);
    expect(JSON.parse(await readFile(credentialsFile(), "utf8"))).toEqual({
      clientId: knownClient.clientId,
      clientKey: knownClient.clientKey,
    });
    const mode = (await stat(credentialsFile())).mode & 0o077;
    expect(process.platform === "win32" || mode === 0).toBe(true);
    expect(await run("token", "mazda", "jdoe")).toMatchObject({ code: 0 });
  });

  it("says so when the person refuses", async () => {
    await start();
    broker.registry.decision = Promise.resolve(err(failure("pairing_denied")));
    const { code, stdout, stderr } = await run("pair");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("pairing_denied");
  });
});

describe("dms-connect token", () => {
  beforeEach(() => start());

  it("prints the token and nothing else", async () => {
    expect(await runPaired("token", "mazda", "jdoe")).toEqual({ code: 0, stdout: `${someToken.accessToken}\n`, stderr: "" });
  });

  it("prints the whole answer, or the headers", async () => {
    expect(JSON.parse((await runPaired("token", "mazda", "jdoe", "--format", "json")).stdout)).toEqual(someToken);
    const { stdout } = await run("token", "mazda", "jdoe", "--format", "header");
    expect(stdout).toBe(`Authorization: Bearer ${someToken.accessToken}\nX-mazda-org: 10030/MMD\n`);
  });

  it("wants to be paired first", async () => {
    const { code, stdout, stderr } = await run("token", "mazda", "jdoe");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("dms-connect pair");
  });

  it("notices that it was removed", async () => {
    broker.registry.clients.clear();
    const { code, stderr } = await runPaired("token", "mazda", "jdoe");
    expect(code).toBe(13);
    expect(stderr).toContain("pair it again");
  });

  it("says when DMS Connect is not running", async () => {
    await broker.server.close();
    const { code, stderr } = await runPaired("token", "mazda", "jdoe");
    expect(code).toBe(12);
    expect(stderr).toContain("Start DMS Connect");
  });

  it.each([
    [["token", "mazda"], "USER is missing"],
    [["token", "mazda", "jdoe", "more"], "unexpected argument: more"],
    [["token", "mazda", "jdoe", "--format", "xml"], "--format must be"],
    [["token", "mazda", "jdoe", "--environment", "test"], "--environment must be"],
    [["token", "mazda", "jdoe", "--min-validity", "soon"], "--min-validity must be"],
    [["token", "mazda", "jdoe", "--unknown"], "--unknown"],
    [["steal"], "no command named steal"],
    [[], "a command is missing"],
  ])("refuses %j as bad usage", async (args, problem) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(problem);
    expect(stderr).toContain("usage: dms-connect");
  });
});

describe("failures of dms-connect token", () => {
  const examples: readonly (readonly [FailureCode, number])[] = [
    ["not_paired", 3],
    ["not_permitted", 4],
    ["not_connected", 5],
    ["grant_dead", 6],
    ["provider_unreachable", 7],
    ["provider_unknown", 8],
    ["rate_limited", 9],
    ["vault_locked", 10],
    ["shutting_down", 11],
    ["internal_error", 1],
  ];

  it("have an exit code for each word", () => {
    const words = new Set(Object.values(failureCatalogue).map(({ pipe }) => pipe));
    expect(new Set(examples.map(([code]) => failureCatalogue[code].pipe))).toEqual(words);
    expect(new Set(examples.map(([, exitCode]) => exitCode)).size).toBe(words.size);
  });

  it.each(examples)("%s ends with exit code %i and its remedy", async (failureCode, exitCode) => {
    const refusal = failure(failureCode);
    await start({ api: { tokenGet: () => Promise.resolve(err(refusal)) } });
    const { code, stdout, stderr } = await runPaired("token", "mazda", "jdoe");
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(stderr).toContain(refusal.remedy);
  });
});

describe("dms-connect list", () => {
  it("prints a table, or JSON", async () => {
    await start();
    const { code, stdout } = await runPaired("list");
    expect(code).toBe(0);
    expect(stdout.split("\n")[1]?.split(/ +/)).toEqual(["mazda", "production", "jdoe", "Active", "~2033-05-18", "-"]);
    expect(JSON.parse((await run("list", "--json")).stdout)).toEqual({ connections: [someConnection] });
  });
});

describe("dms-connect", () => {
  it("shows its version and its help", async () => {
    await start();
    const packageFile: unknown = JSON.parse(await readFile(path.resolve(import.meta.dirname, "../package.json"), "utf8"));
    expect(packageFile).toMatchObject({ version: (await run("--version")).stdout.trim() });
    const help = await run("--help");
    expect(help.code).toBe(0);
    for (const command of ["pair", "token", "list", "doctor", "vault"]) expect(help.stdout).toContain(`dms-connect ${command}`);
  });
});
