import path from "node:path";
import { describe, expect, it } from "vitest";
import { findPython } from "../clients/testing/toolchains.ts";
import { type Run, runProgram } from "../electron/pipe/testing/run-program.ts";
import { scenarios } from "./conformance/run-conformance.ts";

const root = path.resolve(import.meta.dirname, "..");
const script = (file: string): string => `"${process.execPath}" "${path.join(root, file)}"`;
/** Many programs start one after the other, on a computer that may be busy. */
const timeout = 120_000;

function conformance(...args: string[]): Promise<Run> {
  return runProgram("cli/dms-connect.ts", ["conformance", ...args], {});
}

async function failedScenarios(exec: string, only: readonly string[], ...args: string[]): Promise<readonly string[]> {
  const { stdout } = await conformance("--exec", exec, "--only", only.join(","), "--jobs", "2", "--json", ...args);
  const report = JSON.parse(stdout) as { readonly scenarios: readonly { readonly name: string; readonly outcome: string }[] }; // the kit's own form
  expect(report.scenarios.map(({ name }) => name)).toEqual(only);
  return report.scenarios.filter(({ outcome }) => outcome === "FAIL").map(({ name }) => name);
}

/** Quick ones that the command line's `token` is meant for. */
const forTheCommandLine = scenarios.map(({ name }) => name).filter((name) => name !== "half-a-line" && name !== "silent-greeting");

describe("dms-connect conformance", { timeout }, () => {
  it("finds nothing wrong with dms-connect token, and skips what it does not offer", async () => {
    const exec = `${script("cli/dms-connect.ts")} {words} --credentials {credentials}`;
    const { code, stdout } = await conformance("--exec", exec, "--only", forTheCommandLine.join(","), "--slow", "2");
    const lines = stdout.trim().split("\n");
    expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^ok {4}token +prints the token$/));
    expect(lines).toContainEqual(expect.stringMatching(/^skip {2}restart-in-the-middle +the program has no command session$/));
    expect(lines.at(-1)).toMatch(/^conformance: \d+ ok, 0 failed, 8 skipped$/);
    expect(code).toBe(0);
  });

  const python = findPython();
  if (python === undefined) console.log("skipped: the kit was not tried on the Python client, because there is no python3.");
  it.skipIf(python === undefined)("finds nothing wrong with a program that takes provider and user only", async () => {
    const exec = `${python} -B "${path.join(root, "clients/python/sample.py")}" token {provider} {user}`;
    const { code, stdout } = await conformance("--exec", exec, "--only", "token,squatter,one-session");
    expect(stdout).toContain("conformance: 2 ok, 0 failed, 1 skipped");
    expect(code).toBe(0);
  });

  it("says what is wrong, and what to do", async () => {
    const exec = `${script("cli/conformance/testing/faulty-client.ts")} trusts-anyone`;
    const { code, stdout } = await conformance("--exec", exec, "--only", "squatter");
    expect(stdout).toMatch(/FAIL {2}squatter +went on after a proof that was wrong; .*\n {6}What to do: Check the broker's proof first/);
    expect(stdout).toContain("conformance: 0 ok, 1 failed, 0 skipped");
    expect(code).toBe(1);
  });

  it("says when the program cannot be started", async () => {
    const { code, stdout } = await conformance("--exec", path.join(root, "no-such-program"), "--only", "token");
    expect(stdout).toContain("the program could not be started");
    expect(code).toBe(1);
  });

  it("lists its scenarios", async () => {
    const { code, stdout } = await conformance("--list");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(scenarios.map(({ name }) => name));
    expect(code).toBe(0);
  });

  it.each([
    [[], "--exec CMD is missing"],
    [["--exec", 'program "'], "a quote that is not closed"],
    [["--exec", "program", "--only", "dance"], "no scenario named dance"],
    [["--exec", "program", "--jobs", "many"], "--jobs must be a whole number"],
    [["--exec", "program", "--pipe", "name"], "takes neither --credentials nor --pipe"],
    [["--exec", "program", "token"], "unexpected argument: token"],
  ])("refuses %j as bad usage", async (args, problem) => {
    const { code, stdout, stderr } = await conformance(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(problem);
  });
});

describe("the conformance kit", { timeout }, () => {
  const faulty = (fault: string): string => `${script("cli/conformance/testing/faulty-client.ts")} ${fault}`;
  const all = scenarios.map(({ name }) => name);

  it("finds nothing wrong with the test's own client, as long as it makes no mistake", async () => {
    expect(await failedScenarios(faulty("none"), all, "--slow", "2", "--silence", "30", "--client-timeout", "5")).toEqual([]);
  });

  it("finds nothing wrong with a client that sends requests right behind its proof", async () => {
    const only = ["token", "squatter", "one-session", "restart-in-the-middle"];
    expect(await failedScenarios(faulty("sends-behind-the-proof"), only, "--client-timeout", "5")).toEqual([]);
  });

  const squatters = ["squatter", "reflected-proof", "replayed-proof", "swapped-nonces", "truncated-proof", "empty-proof", "missing-proof"];
  it.each<[fault: string, found: readonly string[], notFound: readonly string[]]>([
    ["trusts-anyone", squatters, ["token"]],
    ["compares-beginnings", ["truncated-proof", "empty-proof"], ["squatter", "reflected-proof"]],
    ["knows-one-label", ["reflected-proof"], ["squatter", "truncated-proof"]],
    ["wrong-proof", ["token"], ["squatter"]],
    ["hurries", ["token"], ["squatter"]],
    ["sends-null", ["token"], ["nobody-listens"]],
    ["chatters", ["token"], ["reconnect-required"]],
    ["takes-any-answer", ["unasked-messages", "reordered-answers"], ["token", "one-session"]],
    ["decodes-pieces", ["split-utf8"], ["split-answer"]],
    ["small-buffer", ["long-token", "oversized-token"], ["token"]],
    ["retries-at-once", ["not-connected", "reconnect-required", "rate-limited", "provider-unavailable", "shutting-down"], ["token"]],
    ["hammers", ["close-every-time"], ["token", "close-in-the-middle"]],
    ["shows-messages", ["broken-json"], ["no-token-in-answer"]],
    ["prints-anything", ["no-token-in-answer"], ["broken-json"]],
    ["reads-on", ["endless-line"], ["oversized-token"]],
    ["claims-success", ["reconnect-required", "nobody-listens", "no-credentials"], ["token"]],
    ["says-nothing", ["reconnect-required", "squatter", "nobody-listens"], ["token"]],
    ["new-session-each-time", ["one-session"], ["reordered-answers"]],
    ["never-comes-back", ["restart-in-the-middle", "announced-restart"], ["one-session"]],
    ["blames-the-user", ["announced-restart"], ["one-session", "restart-in-the-middle"]],
    ["open-file", process.platform === "win32" ? [] : ["pair"], ["pair-denied"]],
  ])("finds a client that %s", async (fault, found, notFound) => {
    const only = all.filter((name) => found.includes(name) || notFound.includes(name));
    expect(new Set(await failedScenarios(faulty(fault), only, "--client-timeout", "5"))).toEqual(new Set(found));
  });

  it("finds a client that never gives up", async () => {
    const only = ["half-a-line", "silent-greeting"];
    expect(await failedScenarios(faulty("waits-forever"), only, "--silence", "3")).toEqual(only);
  });

  it("finds a client that does not show the code", async () => {
    expect(await failedScenarios(faulty("hides-the-code"), ["pair", "pair-denied"])).toEqual(["pair", "pair-denied"]);
  });

  it("finds a client that uses a nonce twice", async () => {
    expect(await failedScenarios(faulty("same-nonce"), ["token", "unknown-fields"], "--jobs", "1")).toEqual(["unknown-fields"]);
  });

  it("does not hold it against a program that it asks one after the other, but says so", async () => {
    const { code, stdout } = await conformance("--exec", faulty("one-after-the-other"), "--only", "one-slow-user,reordered-answers");
    expect(stdout).toMatch(/skip {2}one-slow-user +asks one after the other/);
    expect(stdout).toContain("asks one after the other, so nothing can come out of order");
    expect(code).toBe(0);
  });
});
