/**
 * `npm run soak -- --minutes N`: the real app with 200 connections at both stand-in providers, behind a network that delays,
 * cuts, corrupts and closes, while app and servers are restarted and programs ask all the time. Ends with one line of totals,
 * and with status 1 if one of its zeros is none, or if the run proves nothing.
 *
 * Options: `--minutes N` (1; fractions allowed), and then as long as it takes to look at each connection once more in peace;
 * `--seed S` repeats a schedule as far as timing allows; `--connections C` (200); `--sabotage KIND,KIND` gives the app
 * deliberate faults, which have to be found; `--verbose` tells what happens to the app, the servers and the network.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleChild } from "./child-bundle.ts";
import { readSoakOptions, type SoakCommand } from "./options.ts";
import { runSoak } from "./soak-run.ts";
import { detailLines, isClean, shortcomings, summaryLine } from "./totals.ts";

const options = readSoakOptions(process.argv.slice(2), () => randomInt(1, 2 ** 31));
if (options.ok) {
  process.exitCode = await soak(options.value);
} else {
  console.error(options.error);
  process.exitCode = 2;
}

/** Returns the exit status. */
async function soak(command: SoakCommand): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "dms-soak-"));
  let killApp: () => void = () => undefined;
  // Also when it is interrupted.
  process.once("exit", () => {
    killApp();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  const { minutes, seed, connections } = command;
  console.log(`soak: minutes=${minutes} seed=${seed} connections=${connections}`);
  const { totals, troubles } = await runSoak({
    ...command,
    folder: mkdtempSync(join(folder, "r-")),
    file: await bundleChild(folder),
    print: (line) => console.log(line),
    onApp: (killNow) => {
      killApp = killNow;
    },
  });
  const missing = shortcomings(totals, troubles, minutes);
  if (missing.length > 0) console.log(`proves nothing: ${missing.join(", ")}`);
  for (const line of detailLines(totals, troubles)) console.log(line);
  console.log(summaryLine(totals));
  return isClean(totals) && missing.length === 0 ? 0 : 1;
}
