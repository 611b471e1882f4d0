import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryRoot } from "../bundles.ts";
import { checkMistake, checkScenario, mistakes, modelFile, properties, scenarios } from "./rotation-model.ts";
import { makeVerifier, search, whyNoSpin } from "./spin.ts";

const missing = whyNoSpin();
if (missing !== undefined) console.log(`Not exercised: the model of the rotation protocol. ${missing}`);

/** A scenario takes some seconds; this is for a machine that is busy with much else. */
const timeoutMs = 300_000;

describe.skipIf(missing !== undefined)("the model of the rotation protocol", { timeout: timeoutMs }, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dms-connect-model-test-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(scenarios)("has every property when $name", async (scenario) => {
    const results = await checkScenario(scenario, join(folder, scenario.name));
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results).toHaveLength(1 + Object.keys(properties).length);
  });

  it.each(mistakes)("loses $breaks by $define, and tells how", async (mistake) => {
    const result = await checkMistake(mistake, join(folder, mistake.define));
    expect(result).toMatchObject({ passed: true });
    expect(result.story).not.toEqual([]);
  });

  it("does not count a search that was cut off as one that found nothing", async () => {
    const bounds = scenarios[0]?.bounds ?? {};
    const verifier = await makeVerifier(modelFile, join(folder, "cut"), bounds, { withClaims: false, optimised: false });
    expect(await search(verifier, undefined, 50)).toMatchObject({ verdict: "not completed", why: "max search depth too small" });
  });

  it("says what is wrong with a model that Spin cannot read", async () => {
    const broken = makeVerifier(join(repositoryRoot, "package.json"), join(folder, "broken"), {}, { withClaims: true, optimised: false });
    await expect(broken).rejects.toThrow(/spin failed:[^]*syntax error/);
  });

  it("leaves nothing beside the model", async () => {
    expect((await readdir(dirname(modelFile))).sort()).toEqual(["README.md", "rotation.pml"]);
  });
});

describe("npm run model", () => {
  it("says which package is missing, and fails", async () => {
    const emptyPath = await mkdtemp(join(tmpdir(), "dms-connect-model-path-"));
    try {
      const run = spawnSync(process.execPath, [join(repositoryRoot, "build/model/run-model.ts")], {
        env: { PATH: emptyPath },
        encoding: "utf8",
      });
      expect(run).toMatchObject({ status: 1, stderr: "" });
      expect(run.stdout).toMatch(/^The model checker Spin is missing: install the Debian package spin .*\n$/);
    } finally {
      await rm(emptyPath, { recursive: true });
    }
  });
});

describe("the page about the model", () => {
  it("names every property and every seeded mistake", async () => {
    const page = await readFile(join(dirname(modelFile), "README.md"), "utf8");
    for (const name of [...Object.keys(properties), ...mistakes.map(({ define }) => define)]) expect(page).toContain(`| \`${name}\``);
  });

  it("names only what the code has", async () => {
    const rows = await readMappedCode();
    expect(rows.length).toBeGreaterThan(10);
    for (const { file, names } of rows) {
      const code = await readFile(join(repositoryRoot, "electron/core", file), "utf8");
      expect(names).not.toEqual([]);
      expect(names.filter((name) => !code.includes(name)).map((name) => `${name} in ${file}`)).toEqual([]);
    }
  });
});

/** The right-hand column of "What stands for what": a file, then names in it. */
async function readMappedCode(): Promise<readonly { readonly file: string; readonly names: readonly string[] }[]> {
  const page = await readFile(join(dirname(modelFile), "README.md"), "utf8");
  return [...page.matchAll(/^\|.*\| `([\w-]+\.ts)`: (.*) \|$/gm)].map(([, file = "", names = ""]) => ({
    file,
    names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  }));
}
