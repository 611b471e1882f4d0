/** The fuzzers against real servers: a sound one passes, and each deliberate fault is counted as what it is. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRandom } from "../crash/random.ts";
import { startCallbackTarget } from "./callback-target.ts";
import type { Sabotage } from "./child-contract.ts";
import { type FuzzTotals, RecentInputs, type Seen, seenLine, summaryLine, writeFinding } from "./findings.ts";
import { fuzz } from "./fuzz-run.ts";
import { cutIntoPieces, mutateBytes } from "./mutate-bytes.ts";
import { mutatedLine } from "./mutate-message.ts";
import { readFuzzOptions } from "./options.ts";
import { startBrokerTarget, startPipeTarget } from "./pipe-target.ts";

const targets = { pipe: startPipeTarget, callback: startCallbackTarget, broker: startBrokerTarget } as const;
/** Enough for every fault to be met. */
const runs = 1_000;
const timeoutMs = 120_000;
const connection = undefined;
/** Connections are gone long before, also those that Node keeps alive for its five seconds; what is leaked stays longer. */
const leftBehindMs = { pipe: 4_000, callback: 8_000 } as const;

async function run(target: keyof typeof targets, sabotage: Sabotage | undefined, boundMs: number) {
  const seen: Seen = new Map();
  const start = () => targets[target]({ boundMs, sabotage, seen, connection });
  const totals = await fuzz({ runs, seed: 11, boundMs, starts: [start], print: () => undefined, onFinding: () => undefined });
  return { totals, seen };
}

const kinds = ({ findings }: FuzzTotals) => new Set(findings.map(({ kind }) => kind));

/** What has to be reached even in few runs. */
const reached = {
  pipe: ["results", "events", "message_invalid", "session_not_authenticated", "method_unknown"],
  broker: ["results", "message_invalid", "not_connected", "not_permitted", "session_not_authenticated"],
  callback: ["303", "400", "404", "405", "421", "tls-400"],
} as const;

// At once: most of the time is waiting.
describe.concurrent.each(["pipe", "callback", "broker"] as const)("fuzzing the %s server", (target) => {
  it(
    "finds nothing in the sound one, and reaches answers of every kind",
    async () => {
      const { totals, seen } = await run(target, undefined, 60_000);
      expect(totals.findings).toEqual([]);
      expect(summaryLine(totals)).toMatch(/^runs=1000 crashes=0 hangs=0 leaks=0 maxRssMb=\d+$/);
      for (const what of reached[target]) expect(seenLine(seen)).toContain(` ${what}=`);
    },
    timeoutMs,
  );
});

describe.concurrent.each(["pipe", "callback"] as const)("fuzzing a %s server with a deliberate fault", (target) => {
  it.each([
    ["crash", "crash"],
    ["leak-secret", "leak"],
    ["leak-log", "leak"],
    ["leak-handle", "leak"],
  ] as const)(
    "counts %s as a %s",
    async (sabotage, kind) => {
      const { totals } = await run(target, sabotage, leftBehindMs[target]);
      expect(kinds(totals)).toEqual(new Set([kind]));
      // Each can be looked at, and repeated.
      for (const { inputs } of totals.findings) expect(inputs.length).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  it(
    "counts one that stops answering as a hang",
    async () => {
      const { totals } = await run(target, "hang", 3_000);
      expect(kinds(totals)).toEqual(new Set(["hang"]));
      expect(totals.findings).toHaveLength(1);
    },
    timeoutMs,
  );
});

describe("a connection that was found", () => {
  it(
    "sends the same again, alone, with its seed",
    async () => {
      const { totals } = await run("pipe", "leak-secret", 4_000);
      const [input] = totals.findings[0]?.inputs ?? [];
      const start = () => startPipeTarget({ boundMs: 4_000, sabotage: "leak-secret", seen: new Map(), connection: input?.connection });
      const again = await fuzz({ runs: 1, seed: 1, boundMs: 4_000, starts: [start], print: () => undefined, onFinding: () => undefined });
      expect(again.findings.flatMap(({ inputs }) => inputs)).toContainEqual(input);
    },
    timeoutMs,
  );

  it("is written with what repeats it, every byte of it visible", () => {
    const folder = mkdtempSync(join(tmpdir(), "dms-findings-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const bytes = 'one "line"\n\u0000\u00ff';
    const file = writeFinding(join(folder, "new"), "pipe-7", { kind: "leak", text: "why", inputs: [{ connection: 5, bytes }] }, "replay");
    expect(readFileSync(file, "utf8").split("\n")).toEqual([
      "leak: why",
      "# all of it again: replay",
      "",
      "# one connection again: replay --connection 5",
      String.raw`"one \"line\""`,
      String.raw`"\u0000\u00ff"`,
      "",
    ]);
  });

  it("is one of the last, where it cannot be told which", () => {
    const recent = new RecentInputs(2);
    for (const number of [1, 2, 3]) recent.note({ connection: number, bytes: "" });
    expect(recent.list().map(({ connection: seed }) => seed)).toEqual([2, 3]);
  });
});

describe("mutated input", () => {
  const message = { jsonrpc: "2.0", id: 1, method: "token.get", params: { provider: "mazda", user: "jdoe" } };
  const some = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 200 }, () => mutatedLine(message, random).toString("latin1"));
  };

  it("is the same for the same seed, and another for another", () => {
    expect(some(5)).toEqual(some(5));
    expect(some(5)).not.toEqual(some(6));
  });

  it("holds valid messages among the others", () => {
    const valid = some(5).filter((line) => line === JSON.stringify(message)).length;
    expect(valid).toBeGreaterThan(0);
    expect(valid).toBeLessThan(100);
  });

  it("survives mutation of nothing, and is whole again when cut into pieces", () => {
    for (let seed = 1; seed < 200; seed += 1) {
      const random = createRandom(seed);
      const bytes = mutateBytes(Buffer.from(seed % 2 === 0 ? "" : JSON.stringify(message)), random);
      expect(Buffer.concat(cutIntoPieces(bytes, random)).equals(bytes)).toBe(true);
    }
  });
});

describe("the command line", () => {
  it("takes a target, a number of runs and a seed", () => {
    expect(readFuzzOptions(["pipe", "--runs", "5", "--seed", "7"], () => 1)).toEqual({
      ok: true,
      value: { target: "pipe", runs: 5, seed: 7, connection: undefined, boundMs: 20_000, sabotage: undefined },
    });
    expect(readFuzzOptions(["pipe", "--seed", "3", "--connection", "4", "--findings", "folder"], () => 1)).toMatchObject({
      value: { seed: 3, connection: 4, findingsFolder: "folder" },
    });
    expect(readFuzzOptions(["callback"], () => 9)).toMatchObject({ ok: true, value: { target: "callback", seed: 9 } });
  });

  it.each([[[]], [["vault"]], [["pipe", "callback"]], [["pipe", "--runs", "0"]], [["pipe", "--sabotage", "all"]], [["pipe", "--what"]]])(
    "refuses %j",
    (args) => {
      expect(readFuzzOptions(args, () => 1)).toMatchObject({ ok: false });
    },
  );
});
