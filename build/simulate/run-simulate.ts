/** `npm run simulate`: a quarter of a year of a busy workstation on a clock that runs as fast as it can. */
import { parseArgs } from "node:util";
import { type SimulationResult, simulate } from "./simulation.ts";

const usage = "usage: npm run simulate -- [--days N] [--connections N] [--seed S]";

const options = readOptions();
if (options === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  console.log(`simulate: ${options.days} days, ${options.connections} connections, seed ${options.seed}`);
  const result = await simulate({ ...options, onDay: (day) => day % 10 === 0 && console.log(`day ${day}`) });
  console.log(
    `asked=${result.asked} served=${result.served} expiredTokensServed=${result.expiredServed} grantsThatEnded=${result.reconnects}`,
  );
  console.log(summary(result));
  process.exitCode = isClean(result) ? 0 : 1;
}

function summary(result: SimulationResult): string {
  return [
    `refreshesPerConnectionPerDay=${result.refreshesPerConnectionPerDay.toFixed(2)}`,
    `maxRefreshesPerSecond=${result.maxRefreshesPerSecond}`,
    `storms=${result.storms}`,
    `falseReconnects=${result.falseReconnects}`,
    `longestUnservedSeconds=${result.longestUnservedSeconds.toFixed(1)}`,
  ].join(" ");
}

function isClean({ storms, falseReconnects, expiredServed, served }: SimulationResult): boolean {
  return storms === 0 && falseReconnects === 0 && expiredServed === 0 && served > 0;
}

function readOptions() {
  const known = {
    days: { type: "string", default: "90" },
    connections: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
  } as const;
  try {
    const { days, connections, seed } = parseArgs({ options: known }).values;
    const numbers = { days: Number(days), connections: Number(connections), seed: Number(seed) };
    const isUsable = Object.values(numbers).every((value) => Number.isInteger(value) && value > 0);
    return isUsable ? numbers : undefined;
  } catch {
    return undefined;
  }
}
