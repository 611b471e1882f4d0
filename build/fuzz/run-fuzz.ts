/**
 * `npm run fuzz -- pipe|callback --runs N`: sends mutated input to the real server in a process of its own, over its real
 * socket, and watches it. Ends with one line of totals, and with status 1 if it crashed, hung or leaked.
 *
 * A finding is printed with what repeats it, and what was sent is written to a file. Options: `--seed S` repeats a batch;
 * `--connection C` with it only one of its connections; `--findings FOLDER` is where files are written, else among the
 * temporary ones; `--bound-seconds B` (20) is how long an answer may take; `--sabotage KIND` gives the server a deliberate
 * fault, which has to be found.
 */
import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCallbackTarget } from "./callback-target.ts";
import { type Seen, seenLine, summaryLine, writeFinding } from "./findings.ts";
import { fuzz, type StartTarget } from "./fuzz-run.ts";
import { type FuzzOptions, readFuzzOptions } from "./options.ts";
import { startBrokerTarget, startPipeTarget } from "./pipe-target.ts";

// So that what is removed at the exit is removed then, too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const options = readFuzzOptions(process.argv.slice(2), () => randomInt(1, 2 ** 31));
if (options.ok) {
  const seen: Seen = new Map();
  const { target, runs, seed, boundMs, findingsFolder = join(tmpdir(), "dms-connect-fuzz") } = options.value;
  console.log(`fuzz: ${target} runs=${runs} seed=${seed}`);
  let found = 0;
  const totals = await fuzz({
    runs,
    seed,
    boundMs,
    starts: starts(options.value, seen),
    print: (line) => console.log(line),
    onFinding: (finding, batch) => {
      const replay = `npm run fuzz -- ${target} --runs ${batch.runs} --seed ${batch.seed}`;
      found += 1;
      const file = writeFinding(findingsFolder, `${target}-${batch.seed}-${finding.kind}-${found}`, finding, replay);
      console.log(`${finding.kind}: ${finding.text} (again: ${replay}; sent: ${file})`);
    },
  });
  console.log(seenLine(seen));
  console.log(summaryLine(totals));
  process.exitCode = totals.findings.length === 0 ? 0 : 1;
} else {
  console.error(options.error);
  process.exitCode = 2;
}

function starts(given: FuzzOptions, seen: Seen): readonly [StartTarget, ...StartTarget[]] {
  const { target, boundMs, sabotage, connection } = given;
  const targetOptions = { boundMs, sabotage, seen, connection };
  if (target === "callback") return [() => startCallbackTarget(targetOptions)];
  const pipe = () => startPipeTarget(targetOptions);
  // The whole broker is slower. It has no deliberate faults.
  return sabotage === undefined ? [() => startBrokerTarget(targetOptions), pipe, pipe, pipe] : [pipe];
}
