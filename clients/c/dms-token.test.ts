/** dms-token as scripts use it, built as `make` builds it. */
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ProgramEnd, type ProgramRun, startProgram } from "../../cli/conformance/program-run.ts";
import { scenarios } from "../../cli/conformance/run-conformance.ts";
import { knownClient, someToken } from "../../electron/pipe/testing/fake-broker.ts";
import { type Failure, failure } from "../../shared/failure.ts";
import type { FailureCode } from "../../shared/failure-catalogue.ts";
import type { TokenGetParams } from "../../shared/pipe-protocol.ts";
import { err, ok } from "../../shared/result.ts";
import { readCredentials, writeCredentials } from "../node/credentials-file.ts";
import { conformanceMs, conformanceOutcomes, testClientProgram } from "../testing/client-program-tests.ts";
import { compileMs, compiler, fakeBroker, temporaryFolder } from "./testing/c-library.ts";
import { availableSanitizers, compile, isProgram, make, programName } from "./testing/c-toolchain.ts";

const canMake = compiler !== undefined && process.platform !== "win32" && isProgram("make");
if (!canMake) console.log("skipped: dms-token and the C sample were not exercised, because there is no C compiler or no make.");

describe.skipIf(!canMake)("the C programs", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
    make("all", folder);
    const flags = availableSanitizers(compiler ?? "");
    compile({ compiler: compiler ?? "", sources: ["sample.c", "dms_connect.c"], output: path.join(folder, programName("sample")), flags });
  }, compileMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe("the sample", () => {
    testClientProgram(() => [path.join(folder, programName("sample"))], { hasNoEvents: true });
  });

  describe("make", () => {
    it("makes the libraries and dms-token", async () => {
      expect(await readdir(folder)).toEqual(expect.arrayContaining(["libdmsconnect.a", "libdmsconnect.so", "dms-token"]));
    });
  });

  describe("dms-token", () => {
    const home = { folder: "" };
    function start(pipe: string, ...words: string[]): ProgramRun {
      const env = { DMS_CONNECT_PIPE: pipe, XDG_CONFIG_HOME: home.folder };
      const run = startProgram({ words: [path.join(folder, "dms-token"), ...words], env, limitMs: 30_000 });
      onTestFinished(() => {
        run.stop();
        return run.ended.then(() => undefined);
      });
      run.endInput();
      return run;
    }
    function credentialsFile(): string {
      return path.join(home.folder, "dms-token", "credentials.json");
    }
    async function setUp(...options: Parameters<typeof fakeBroker>) {
      home.folder = temporaryFolder();
      await writeCredentials(credentialsFile(), knownClient);
      return fakeBroker(...options);
    }
    function run(pipe: string, ...words: string[]): Promise<ProgramEnd> {
      return start(pipe, ...words).ended;
    }

    it("prints the token and nothing else", async () => {
      const { pipe } = await setUp();
      expect(await run(pipe, "mazda", "jdoe")).toEqual({ code: 0, stdout: `${someToken.accessToken}\n`, stderr: "" });
    });

    it("passes the scenarios of the conformance kit that are about tokens", { timeout: conformanceMs }, async () => {
      const exec = `"${path.join(folder, "dms-token")}" {provider} {user} --credentials {credentials}`;
      // It waits its usual time for a broker that falls silent, which is too long for a test.
      const spoken = scenarios.filter(({ name }) => !["half-a-line", "silent-greeting"].includes(name));
      const outcomes = await conformanceOutcomes(exec, spoken);
      expect(outcomes.filter(({ outcome }) => outcome === "FAIL")).toEqual([]);
      expect(outcomes.filter(({ outcome }) => outcome === "ok").map(({ name }) => name)).toEqual(
        expect.arrayContaining(["token", "squatter", "close-in-the-middle"]),
      );
    });

    it("prints the headers", async () => {
      const { pipe } = await setUp();
      const stdout = `Authorization: Bearer ${someToken.accessToken}\nX-mazda-org: 10030/MMD\n`;
      expect(await run(pipe, "mazda", "jdoe", "--header")).toEqual({ code: 0, stdout, stderr: "" });
    });

    it("asks for what it was told", async () => {
      const asked: TokenGetParams[] = [];
      const tokenGet = (_client: unknown, params: TokenGetParams) => {
        asked.push(params);
        return Promise.resolve(ok(someToken));
      };
      const { pipe } = await setUp({ api: { tokenGet } });
      const options = ["--environment", "acceptance", "--organisation=10030/MMD", "--min-validity", "300"];
      expect(await run(pipe, ...options, "mazda", "--", "-jdoe")).toMatchObject({ code: 0 });
      expect(await run("/nowhere", "mazda", "jdoe", "--pipe", pipe, "--credentials", credentialsFile())).toMatchObject({ code: 0 });
      expect(asked).toEqual([
        { provider: "mazda", user: "-jdoe", environment: "acceptance", organisation: "10030/MMD", minValiditySeconds: 300 },
        { provider: "mazda", user: "jdoe" },
      ]);
    });

    it("pairs and keeps the key for the user alone", async () => {
      const { pipe, registry } = await setUp();
      rmSync(credentialsFile());
      const approval = Promise.withResolvers<ReturnType<typeof ok<typeof knownClient>>>();
      registry.decision = approval.promise;
      const pairing = start(pipe, "pair", "--name", "My script");
      expect(await pairing.shows(/Code: 123456/)).toBeDefined();
      approval.resolve(ok(knownClient));
      expect(await pairing.ended).toMatchObject({ code: 0, stdout: `Paired. The credentials are in ${credentialsFile()}.\n` });
      expect(registry.requests).toMatchObject([{ name: "My script" }]);
      expect(await readCredentials(credentialsFile())).toEqual({ clientId: knownClient.clientId, clientKey: knownClient.clientKey });
      expect((await stat(credentialsFile())).mode & 0o777).toBe(0o600);
      expect(await run(pipe, "mazda", "jdoe")).toMatchObject({ code: 0 });
    });

    it("says so when the person refuses, and keeps nothing", async () => {
      const { pipe, registry } = await setUp();
      rmSync(credentialsFile());
      registry.decision = Promise.resolve(err(failure("pairing_denied")));
      const { code, stdout, stderr } = await run(pipe, "pair");
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain("Error: not_paired (pairing_denied)");
      expect(await readCredentials(credentialsFile())).toBeUndefined();
    });

    const failures: readonly (readonly [FailureCode, number])[] = [
      ["internal_error", 1],
      ["not_paired", 3],
      ["not_permitted", 4],
      ["not_connected", 5],
      ["grant_dead", 6],
      ["provider_unreachable", 7],
      ["provider_unknown", 8],
      ["rate_limited", 9],
      ["vault_locked", 10],
      ["shutting_down", 11],
    ];
    it.each(failures)("ends after %s with exit code %i, as dms-connect does, and its remedy", async (word, exitCode) => {
      const refusal: Failure = failure(word, {}, { retryAfterSeconds: 5 });
      const { pipe } = await setUp({ api: { tokenGet: () => Promise.resolve(err(refusal)) } });
      const { code, stdout, stderr } = await run(pipe, "mazda", "jdoe");
      expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
      expect(stderr).toContain(`What to do: ${refusal.remedy}\nTry again in 5 seconds.\n`);
    });

    it("tells a broker that is not running from one that is not genuine, and from missing credentials", async () => {
      const { pipe, registry } = await setUp();
      registry.clients.clear();
      expect(await run(pipe, "mazda", "jdoe")).toMatchObject({ code: 13, stdout: "" });
      expect(await run(path.join(home.folder, "nobody.sock"), "mazda", "jdoe")).toMatchObject({ code: 12, stdout: "" });
      rmSync(credentialsFile());
      expect(await run(pipe, "mazda", "jdoe")).toMatchObject({ code: 3, stdout: "" });
    });

    it.each([
      [[], "PROVIDER is missing"],
      [["mazda"], "USER is missing"],
      [["mazda", "jdoe", "more"], "unexpected argument: more"],
      [["mazda", "jdoe", "--unknown"], "unknown option: --unknown"],
      [["mazda", "jdoe", "--environment"], "--environment needs a value"],
      [["mazda", "jdoe", "--environment", "test"], "--environment must be"],
      [["mazda", "jdoe", "--min-validity", "soon"], "--min-validity must be"],
      [["mazda", "jdoe", "--min-validity=100000"], "--min-validity must be"],
      [["mazda", "jdoe", "--name", "x"], "the other command"],
      [["pair", "--header"], "the other command"],
      [["pair", "more"], "unexpected argument: more"],
    ])("refuses %j as bad usage", async (words, problem) => {
      const { pipe } = await setUp();
      const { code, stdout, stderr } = await run(pipe, ...words);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(problem);
      expect(stderr).toContain("usage: dms-token");
    });

    it("shows its help, and tests itself", async () => {
      const { pipe } = await setUp();
      const help = await run(pipe, "--help");
      expect(help.code).toBe(0);
      for (const option of ["--environment", "--organisation", "--min-validity", "--header", "--credentials", "--pipe", "pair"]) {
        expect(help.stdout).toContain(option);
      }
      expect(await run(pipe, "--self-test")).toEqual({ code: 0, stdout: "The test vectors are right.\n", stderr: "" });
    });
  });

  it("export from the DLL exactly what the header declares", async () => {
    const [header, definitions] = await Promise.all(
      ["dms_connect.h", "dms-connect.def"].map((name) => readFile(path.join(import.meta.dirname, name), "utf8")),
    );
    const declared = [...(header ?? "").matchAll(/DMS_CALL (dms_\w+)\(/g)].map(([, name = ""]) => name);
    const exported = [...(definitions ?? "").matchAll(/^ {2}(\w+)$/gm)].map(([, name = ""]) => name);
    expect(exported.length).toBeGreaterThan(30);
    expect(new Set(exported)).toEqual(new Set(declared));
  });
});
