/** The loop of the fuzzers, with servers that are made up: what it notices after a batch, and how servers take turns. */
import { describe, expect, it } from "vitest";
import type { Condition } from "./child-contract.ts";
import { type FuzzTarget, fuzz, type StartTarget } from "./fuzz-run.ts";
import type { ServerProcess } from "./server-process.ts";

const megabyte = 1024 * 1024;
const idle: Condition = {
  kind: "condition",
  held: { PipeWrap: 3 },
  bugs: [],
  logLeaks: [],
  memoryInUse: 20 * megabyte,
  rss: 100 * megabyte,
};
const sent = [{ connection: 5, bytes: "what was sent" }];

/** How a made-up server is, after so many batches since its start. */
interface MadeUp {
  readonly condition?: (batches: number) => Partial<Condition> | undefined;
  readonly isServed?: (batches: number) => boolean;
  readonly hasEnded?: (batches: number) => boolean;
}

function start({ condition = () => ({}), isServed = () => true, hasEnded = () => false }: MadeUp, started: () => void = () => undefined) {
  return async (): Promise<FuzzTarget> => {
    started();
    let batches = 0;
    const server: ServerProcess = {
      address: "",
      secureAddress: "",
      programs: undefined,
      hasEnded: () => hasEnded(batches),
      ended: Promise.resolve("ended with 3"),
      condition: async () => {
        const now = condition(batches);
        return now === undefined ? undefined : { ...idle, ...now };
      },
      state: () => "",
      kill: async () => undefined,
    };
    const batch = async () => {
      batches += 1;
      return [];
    };
    return { server, batch, recentInputs: () => sent, probe: async () => isServed(batches), close: server.kill };
  };
}

/** The findings of so many batches, as `kind: text`. */
async function found(madeUp: MadeUp, batches: number): Promise<readonly string[]> {
  const starts: [StartTarget] = [start(madeUp)];
  const options = { runs: batches * 5_000, seed: 1, boundMs: 1, starts, print: () => undefined, onFinding: () => undefined };
  const { findings } = await fuzz(options);
  for (const { inputs } of findings) expect(inputs).toEqual(sent);
  return findings.map(({ kind, text }) => `${kind}: ${text}`);
}

describe("after a batch", () => {
  it("nothing is found in a server that is as before", async () => {
    expect(await found({}, 30)).toEqual([]);
  });

  it("what it holds more than before is a leak", async () => {
    const held = (batches: number) => ({ held: { PipeWrap: 3 + batches, listeners: batches } });
    expect(await found({ condition: held }, 1)).toEqual(["leak: left behind: 1 PipeWrap, 1 listeners"]);
  });

  it("memory that goes on growing is a leak, and caches that fill at first are none", async () => {
    const fills = (batches: number) => ({ memoryInUse: (20 + Math.min(batches, 5) * 30) * megabyte });
    const grows = (batches: number) => ({ memoryInUse: (20 + batches * 5) * megabyte });
    expect(await found({ condition: fills }, 20)).toEqual([]);
    expect(await found({ condition: grows }, 15)).toEqual([`leak: memory in use has grown by ${50 * megabyte} bytes`]);
  });

  it("what the log was told of secrets is a leak, and what it was told of bugs a crash", async () => {
    const told = (batches: number) => (batches === 0 ? {} : { bugs: ["a bug"], logLeaks: ["TOKEN"] });
    expect(await found({ condition: told }, 1)).toEqual(["crash: a bug", "leak: the log was told: TOKEN"]);
  });

  it("a server that ended has crashed, whatever else is seen of it", async () => {
    const madeUp = { hasEnded: (batches: number) => batches > 0, isServed: (batches: number) => batches === 0 };
    expect(await found(madeUp, 1)).toEqual(["crash: the server's process ended with 3"]);
  });

  it("a server that serves nobody hangs, and so does one that says nothing", async () => {
    expect(await found({ isServed: (batches) => batches === 0 }, 1)).toEqual(["hang: a polite client was not served"]);
    expect(await found({ condition: (batches) => (batches === 0 ? {} : undefined) }, 1)).toEqual([
      "hang: the server's process does not answer",
    ]);
  });
});

describe("servers", () => {
  it("take turns by the seed of the batch, so that a batch repeats alone", async () => {
    const order: number[] = [];
    const [first, second] = [start({}, () => order.push(1)), start({}, () => order.push(2))] as const;
    const options = { boundMs: 1, starts: [first, second] as const, print: () => undefined, onFinding: () => undefined };
    await fuzz({ ...options, runs: 20_000, seed: 7 });
    expect(order).toEqual([2, 1]);
    await fuzz({ ...options, runs: 1, seed: 8 });
    expect(order).toEqual([2, 1, 1]);
  });

  it("are replaced after a finding, which is told with what repeats it", async () => {
    let started = 0;
    const told: unknown[] = [];
    const leaks = start({ condition: (batches) => ({ held: { PipeWrap: 3 + batches } }) }, () => {
      started += 1;
    });
    const options = { boundMs: 1, starts: [leaks] as const, print: () => undefined };
    await fuzz({ ...options, runs: 10_000, seed: 3, onFinding: ({ kind }, batch) => told.push([kind, batch]) });
    expect([started, told]).toEqual([
      2,
      [
        ["leak", { runs: 5_000, seed: 3 }],
        ["leak", { runs: 5_000, seed: 4 }],
      ],
    ]);
  });
});
