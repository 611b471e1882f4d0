/** `npm run bench -- NAME [--json FILE]`: measures one part of the product beside a baseline in the same run. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { BenchReport } from "./bench-report.ts";
import { benchPipe } from "./pipe-bench.ts";
import { benchVault } from "./vault-bench.ts";

const benches: Readonly<Record<string, () => Promise<BenchReport>>> = { pipe: benchPipe, vault: benchVault };

const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });
const [name = ""] = positionals;
const bench = benches[name];
if (bench === undefined) {
  console.error(`There is no bench named "${name}". Use one of: ${Object.keys(benches).join(", ")}.`);
  process.exitCode = 2;
} else {
  const report = await bench();
  for (const line of report.lines) console.log(line);
  for (const { what, measured, limit, met } of report.targets) {
    console.log(`${met ? "met   " : "MISSED"}  ${what}: ${measured} (target ${limit})`);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}
