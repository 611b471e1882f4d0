/**
 * `npm test`: prepares the machine, builds, runs vitest and the end-to-end specs. The last line is the totals of both;
 * ends with status 1 if anything failed, or a runner crashed or ran nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostName } from "../e2e/hosts/launch.ts";
import { buildAll } from "./build-all.ts";
import { repositoryRoot } from "./bundles.ts";
import { type CommandLine, withSecretService } from "./secret-service.ts";
import { hasSecretService, prepareTestMachine } from "./test-machine.ts";
import { playwrightTotals, runnerTotals, type TestTotals, totalsLine, vitestTotals } from "./test-totals.ts";

/** No run takes this long; a hanging one must still end with a totals line. */
const runnerTimeoutMs = 30 * 60_000;

const print = (line: string): void => console.log(line);

print(`End-to-end host: ${hostName()}`);
prepareTestMachine(print);
const totals = [await build(), ...runTests()];
print(totalsLine(totals));
process.exitCode = totals.some(({ failed }) => failed > 0) ? 1 : 0;

/** The tests run even if this failed, so that one run shows everything; then it counts as a failure. */
async function build(): Promise<TestTotals> {
  const complete = await buildAll(print);
  if (!complete) print("The build failed: counted as one failure.");
  return { passed: 0, failed: complete ? 0 : 1, skipped: 0 };
}

function runTests(): readonly TestTotals[] {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-test-"));
  try {
    return [runVitest(join(folder, "vitest.json")), runPlaywright(folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runVitest(report: string): TestTotals {
  // Many tests start browsers and servers of their own; many others wait for time to pass most of the time.
  const args = ["run", "--maxWorkers=3", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const exitCode = run(nodeScript("vitest/vitest.mjs", args));
  return runnerTotals("vitest", exitCode, report, vitestTotals, print);
}

function runPlaywright(folder: string): TestTotals {
  const report = join(folder, "playwright.json");
  const command = nodeScript("@playwright/test/cli.js", ["test", "--config", "e2e/playwright.config.ts"], {
    DMS_CONNECT_E2E_REPORT: report,
  });
  const exitCode = run(hasSecretService() ? withSecretService(command, folder) : command);
  return runnerTotals("Playwright", exitCode, report, playwrightTotals, print);
}

/** A script below `node_modules`, run by this Node. */
function nodeScript(script: string, args: readonly string[], environment: CommandLine["environment"] = {}): CommandLine {
  return { program: process.execPath, args: [join(repositoryRoot, "node_modules", script), ...args], environment };
}

/** Exit status of a command; `null` if it was killed or did not start. */
function run({ program, args, environment }: CommandLine): number | null {
  return spawnSync(program, args, {
    cwd: repositoryRoot,
    stdio: "inherit",
    timeout: runnerTimeoutMs,
    env: { ...process.env, ...environment },
  }).status;
}
