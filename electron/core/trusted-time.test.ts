import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { TrustedTime } from "./trusted-time.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const yearMs = 365 * dayMs;
const startMs = 1_795_000_000_000;

/** A computer whose clocks the test moves, and a provider that may tell its time. */
class Computer {
  trueMs = startMs;
  wallOffMs = 0;
  monotonic = 1_000;
  uptime = 500_000;
  /** What a provider that is asked says; undefined: it cannot be reached. */
  server: (() => number) | undefined;
  changes = 0;
  questions = 0;
  timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  readonly time: TrustedTime;

  constructor(wallOffMs = 0) {
    this.wallOffMs = wallOffMs;
    this.time = new TrustedTime({
      sources: { wallMs: () => this.trueMs + this.wallOffMs, monotonicMs: () => this.monotonic, uptimeMs: () => this.uptime },
      setTimer: (delayMs, callback) => {
        const timer = { atMs: this.monotonic + delayMs, callback };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((one) => one !== timer);
        };
      },
      ask: async () => {
        this.questions += 1;
        await Promise.resolve();
        if (this.server === undefined) return false;
        this.time.serverTold("mazda", dateHeader(this.server()));
        return true;
      },
      onChanged: () => {
        this.changes += 1;
      },
    });
  }

  /** Awake. */
  pass(ms: number): void {
    this.trueMs += ms;
    this.monotonic += ms;
    this.uptime += ms;
    const due = this.timers.filter(({ atMs }) => atMs <= this.monotonic);
    this.timers = this.timers.filter(({ atMs }) => atMs > this.monotonic);
    for (const { callback } of due) callback();
  }

  /** As Linux sleeps: the monotonic clock stands still. */
  sleep(ms: number): void {
    this.trueMs += ms;
    this.uptime += ms;
  }

  /** A virtual machine that was stopped: none of its clocks but the wall's knows. */
  stopped(ms: number): void {
    this.trueMs += ms;
  }

  honest(): this {
    this.server = () => this.trueMs;
    return this;
  }

  get offMs(): number {
    return this.time.nowMs() - this.trueMs;
  }
}

/** As a server writes it: whole seconds, cut off. */
function dateHeader(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

async function asked(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe("the time", () => {
  it.each([10 * yearMs, -10 * yearMs, 17 * yearMs, -hourMs, hourMs])(
    "stays where it is when the wall clock jumps by %i ms",
    async (jumpMs) => {
      const computer = new Computer().honest();
      computer.time.serverTold("mazda", dateHeader(computer.trueMs));
      computer.pass(minuteMs);
      computer.wallOffMs += jumpMs;
      expect(computer.offMs).toBe(0);
      await asked();
      expect(Math.abs(computer.offMs)).toBeLessThanOrEqual(500);
      expect(computer.time.notice()?.code).toBe(jumpMs > 0 ? "clock_fast" : "clock_slow");
      computer.wallOffMs = 0;
      computer.pass(1);
      await asked();
      expect([Math.abs(computer.offMs) <= 500, computer.time.notice()]).toEqual([true, undefined]);
    },
  );

  it("does not notice summer time, which moves no Unix time, and asks nobody", () => {
    const computer = new Computer().honest();
    for (let hour = 0; hour < 48; hour += 1) computer.pass(hourMs);
    expect([computer.offMs, computer.questions, computer.changes]).toEqual([0, 0, 0]);
  });

  it("follows a synchronisation that moves the clock in small steps", () => {
    const computer = new Computer(4 * minuteMs);
    for (let step = 0; step < 8; step += 1) {
      computer.pass(minuteMs);
      computer.wallOffMs -= minuteMs / 2;
      computer.time.nowMs();
    }
    expect([computer.offMs, computer.questions]).toEqual([0, 0]);
  });

  it("counts a night's sleep as the time it was, without asking", () => {
    const computer = new Computer().honest();
    computer.sleep(9 * hourMs);
    expect([computer.offMs, computer.questions]).toEqual([0, 0]);
  });

  it("learns from a provider that a virtual machine was stopped for 30 days, and is in doubt until then", async () => {
    const computer = new Computer().honest();
    computer.time.serverTold("mazda", dateHeader(computer.trueMs));
    computer.stopped(30 * dayMs);
    expect(computer.offMs).toBe(-30 * dayMs);
    expect(computer.time.doubt).toBeInstanceOf(Promise);
    await computer.time.doubt;
    expect([computer.offMs, computer.time.doubt, computer.time.notice(), computer.questions]).toEqual([0, undefined, undefined, 1]);
  });

  it("goes on as it went while no provider can be reached, and asks again each minute until one tells", async () => {
    const computer = new Computer();
    computer.wallOffMs = yearMs;
    expect(computer.offMs).toBe(0);
    await asked();
    expect(computer.time.doubt).toBeUndefined();
    computer.pass(minuteMs);
    await asked();
    expect([computer.offMs, computer.questions, computer.time.notice()]).toEqual([0, 2, undefined]);
    computer.honest().pass(minuteMs);
    await asked();
    expect([computer.questions, computer.time.notice()?.code]).toEqual([3, "clock_fast"]);
    computer.pass(10 * minuteMs);
    await asked();
    expect(computer.questions).toBe(3);
  });

  it("believes a provider at the start when the clock was wrong all along, and says by how much", () => {
    const computer = new Computer(-(2 * hourMs + 5 * minuteMs));
    computer.time.serverTold("mazda", dateHeader(computer.trueMs));
    expect(Math.abs(computer.offMs)).toBeLessThanOrEqual(500);
    expect(computer.time.notice()).toMatchObject({ code: "clock_slow", params: { offset: "2 h 05 min" } });
  });

  it("asks once when the network is there, makes nobody wait for that, and does not ask again once it was told", async () => {
    const computer = new Computer(-hourMs);
    computer.time.networkIsThere();
    expect(computer.time.doubt).toBeUndefined();
    await asked();
    computer.pass(hourMs);
    computer.honest().time.networkIsThere();
    await asked();
    computer.time.networkIsThere();
    expect([computer.questions, computer.time.notice()]).toMatchObject([2, { code: "clock_slow", params: { offset: "1 h 00 min" } }]);
    expect(computer.time.toldCorrectionMs).toBeGreaterThan(59 * minuteMs);
  });

  it("notices by a grant from the future that the clock was reset to 2009, and asks before anything else", async () => {
    const computer = new Computer(-17 * yearMs).honest();
    computer.time.notBefore(computer.trueMs - hourMs);
    expect(computer.offMs).toBe(-hourMs);
    await computer.time.doubt;
    expect(Math.abs(computer.offMs)).toBeLessThanOrEqual(500);
  });

  it("ignores a provider that lies, once another one and the computer agree", () => {
    const computer = new Computer();
    computer.time.serverTold("mazda", dateHeader(computer.trueMs));
    for (let word = 0; word < 5; word += 1) computer.time.serverTold("liar", dateHeader(computer.trueMs + 10 * yearMs));
    expect([computer.offMs, computer.time.notice()]).toEqual([0, undefined]);
  });

  it("comes back from a liar that spoke first as soon as somebody agrees with the computer", () => {
    const computer = new Computer();
    computer.time.serverTold("liar", dateHeader(computer.trueMs - yearMs));
    expect(computer.offMs).toBeLessThan(-300 * dayMs);
    computer.time.serverTold("mazda", dateHeader(computer.trueMs));
    computer.time.serverTold("liar", dateHeader(computer.trueMs - yearMs));
    expect(computer.offMs).toBe(0);
  });

  it("is not moved by one liar where the computer's clock is wrong as well, but by two who agree, or by its only witness", () => {
    const computer = new Computer(-3 * hourMs);
    computer.time.serverTold("mazda", dateHeader(computer.trueMs));
    for (let word = 0; word < 5; word += 1) computer.time.serverTold("liar", dateHeader(computer.trueMs + 2 * hourMs));
    expect(Math.abs(computer.offMs)).toBeLessThanOrEqual(500);
    computer.time.serverTold("webfleet", dateHeader(computer.trueMs + 2 * hourMs));
    expect(Math.abs(computer.offMs - 2 * hourMs)).toBeLessThanOrEqual(500);

    const alone = new Computer(-3 * hourMs);
    alone.time.serverTold("mazda", dateHeader(alone.trueMs + dayMs));
    alone.time.serverTold("mazda", dateHeader(alone.trueMs));
    expect(alone.offMs).toBeGreaterThan(hourMs);
    alone.time.serverTold("mazda", dateHeader(alone.trueMs));
    expect(Math.abs(alone.offMs)).toBeLessThanOrEqual(500);
  });

  it("stays put whatever happens to the wall clock while providers are honest: never more than a minute off once asked", async () => {
    const event = record({ kind: constantFrom("pass", "sleep", "jump", "told"), ms: integer({ min: -10 * yearMs, max: 10 * yearMs }) });
    for (const events of sampleRuns(array(event, { minLength: 1, maxLength: 30 }))) {
      const computer = new Computer().honest();
      computer.time.serverTold("mazda", dateHeader(computer.trueMs));
      for (const { kind, ms } of events) {
        if (kind === "pass") computer.pass(Math.abs(ms) % dayMs);
        else if (kind === "sleep") computer.sleep(Math.abs(ms) % (60 * dayMs));
        else if (kind === "jump") computer.wallOffMs = ms;
        else computer.time.serverTold("mazda", dateHeader(computer.trueMs));
        computer.time.nowMs();
        await asked();
        expect(Math.abs(computer.offMs)).toBeLessThanOrEqual(minuteMs);
      }
    }
  });
});

/** fast-check's cases for a test that has to wait between steps. */
function sampleRuns<T>(of: Parameters<typeof property<[T]>>[0]): readonly T[] {
  const runs: T[] = [];
  assert(
    property(of, (value) => {
      runs.push(value);
    }),
  );
  return runs;
}
