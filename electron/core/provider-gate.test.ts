import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { type Failure, failure } from "../../shared/failure.ts";
import { type Pass, ProviderGate, type ProviderLane, type Ticket, type Urgency } from "./provider-gate.ts";
import { FakeClock, settled } from "./testing/fake-clock.ts";

const lane: ProviderLane = { provider: "mazda", environment: "production", providerName: "Mazda" };
const other: ProviderLane = { provider: "webfleet", environment: "production", providerName: "Webfleet" };
const busy = failure("provider_busy", { provider: "Mazda", status: 502 });

function createGate() {
  const clock = new FakeClock();
  const gate = new ProviderGate({ clock, monotonicMs: clock.monotonicMs, random: () => 0 });
  const passed: { readonly name: string; readonly atMs: number; readonly pass: Pass }[] = [];
  const refused: string[] = [];
  const startMs = clock.nowMs();
  const ask = (name: string, urgency: Urgency, of = lane): Ticket => {
    const ticket = gate.enter(of, urgency);
    void ticket.pass.then((got) => {
      if (got.ok) passed.push({ name, atMs: clock.nowMs() - startMs, pass: got.value });
      else refused.push(`${name} ${got.error.code} ${got.error.retryAfterSeconds ?? "-"}`);
    });
    return ticket;
  };
  /** Sends one request after the other, each ending so. */
  const send = async (count: number, failed: Failure | undefined) => {
    for (let sent = 0; sent < count; sent += 1) {
      ask("sent", "caller");
      await clock.advance(200);
      passed.at(-1)?.pass.done(failed);
    }
  };
  return { clock, gate, passed, refused, ask, send };
}

describe("the cap of a provider", () => {
  it("never lets more than its number pass in any second, nor more than six at a time, whatever comes when", async () => {
    const request = record({
      afterMs: integer({ min: 0, max: 300 }),
      urgency: constantFrom<Urgency>("caller", "background"),
      lastsMs: integer({ min: 0, max: 400 }),
    });
    const runs: (readonly { afterMs: number; urgency: Urgency; lastsMs: number }[])[] = [];
    assert(
      property(array(request, { minLength: 1, maxLength: 60 }), (all) => {
        runs.push(all);
      }),
      { numRuns: 30 },
    );
    for (const run of runs) {
      const { clock, gate } = createGate();
      const sentAtMs: number[] = [];
      let underWay = 0;
      let most = 0;
      for (const { afterMs, urgency, lastsMs } of run) {
        await clock.advance(afterMs);
        void gate.enter({ ...lane, maxRequestsPerSecond: 8 }, urgency).pass.then((got) => {
          if (!got.ok) return;
          sentAtMs.push(clock.nowMs());
          underWay += 1;
          most = Math.max(most, underWay);
          clock.setTimer(lastsMs, () => {
            underWay -= 1;
            got.value.done(undefined);
          });
        });
      }
      await clock.advance(60_000);
      expect(sentAtMs).toHaveLength(run.length);
      for (const atMs of sentAtMs) expect(sentAtMs.filter((one) => one >= atMs && one < atMs + 1_000).length).toBeLessThanOrEqual(8);
      expect(most).toBeLessThanOrEqual(6);
    }
  });

  it("lets a program go before everything in the background, and whoever is promoted too", async () => {
    const { ask, passed, clock } = createGate();
    const tickets = Array.from({ length: 6 }, (_, number) => ask(`background-${number}`, "background"));
    ask("program", "caller");
    tickets[5]?.promote();
    await clock.advance(0);
    expect(passed.map(({ name }) => name)).toEqual([
      "background-0",
      "background-1",
      "background-2",
      "background-3",
      "program",
      "background-5",
    ]);
  });

  it("keeps two places for programs, however slow the provider is", async () => {
    const { ask, passed, clock } = createGate();
    for (let number = 0; number < 50; number += 1) ask("background", "background");
    await clock.advance(10_000);
    expect(passed).toHaveLength(4);
    ask("program", "caller");
    await settled();
    expect(passed.at(-1)?.name).toBe("program");
  });

  it("tells a program after 20 seconds that it cannot be served now", async () => {
    const { ask, refused, clock } = createGate();
    for (let number = 0; number < 6; number += 1) ask("slow", "caller");
    ask("program", "caller");
    await clock.advance(20_000);
    expect(refused).toEqual(["program requests_capped 1"]);
  });

  it("gives back what was not used, and counts nothing twice", async () => {
    const { ask, passed, clock } = createGate();
    for (let round = 0; round < 50; round += 1) {
      ask("unused", "background");
      await settled();
      passed.at(-1)?.pass.unused();
      passed.at(-1)?.pass.done(busy);
    }
    expect([passed.length, clock.nowMs()]).toEqual([50, new FakeClock().nowMs()]);
  });

  it("of one provider does not slow down another", async () => {
    const { ask, passed } = createGate();
    for (let number = 0; number < 50; number += 1) ask("many", "background");
    ask("one", "background", other);
    await settled();
    expect(passed.map(({ name }) => name)).toContain("one");
  });
});

describe("trouble on the way to a provider", () => {
  const portal = failure("network_sign_in_needed", { provider: "Mazda" });

  it("pauses that provider at once, says why to programs, and touches no other one", async () => {
    const { gate, ask, send, refused, passed } = createGate();
    await send(1, portal);
    ask("program", "caller");
    ask("other", "caller", other);
    await settled();
    expect([refused, passed.at(-1)?.name]).toEqual([["program network_sign_in_needed 3"], "other"]);
    expect(gate.notices()).toEqual([portal]);
  });

  it("is told once, however many providers meet it, and a proxy by its name", async () => {
    const { gate, ask, passed } = createGate();
    for (const of of [lane, other, { ...lane, environment: "acceptance" as const }]) ask("one", "caller", of);
    await settled();
    for (const { pass } of passed) pass.done(failure("proxy_sign_in_needed", { proxy: "proxy.test:3128" }));
    expect(gate.notices().map(({ params }) => params["proxy"])).toEqual(["proxy.test:3128"]);
  });

  it("is tried at once when the network is back or a person has done what it wanted, unlike a provider that fails itself", async () => {
    const { gate, ask, send, passed, refused } = createGate();
    await send(1, portal);
    for (let number = 0; number < 5; number += 1) ask("failing", "caller", other);
    await settled();
    for (const { pass } of passed.slice(1)) pass.done(busy);
    gate.networkIsBack();
    ask("now", "caller");
    ask("still paused", "caller", other);
    await settled();
    expect([passed.at(-1)?.name, refused]).toEqual(["now", ["still paused provider_paused 3"]]);
    passed.at(-1)?.pass.done(undefined);
    expect(gate.notices()).toEqual([]);
  });
});

it("holds its cap, and does not pause for years, whatever the wall clock does", async () => {
  const { gate, ask, send, clock, refused, passed } = createGate();
  await send(5, busy);
  clock.setBack(10 * 365 * 24 * 3_600_000);
  expect((gate.pauseOf("mazda", "production")?.nextTryAtMs ?? 0) - clock.nowMs()).toBeLessThanOrEqual(60_000);
  ask("program", "caller");
  await clock.advance(60_000);
  expect(refused).toEqual(["program provider_paused 60"]);
  ask("later", "caller");
  await settled();
  expect(passed.at(-1)?.name).toBe("later");
});

describe("a provider that only fails", () => {
  it("is paused after five failures in a row, with the time of the next try, and everybody who waits is told", async () => {
    const { gate, ask, send, refused, clock } = createGate();
    await send(4, busy);
    expect(gate.pauseOf("mazda", "production")).toBeUndefined();
    await send(1, busy);
    expect(gate.pauseOf("mazda", "production")).toEqual({ sinceMs: clock.nowMs(), nextTryAtMs: clock.nowMs() + 2_500, failure: busy });
    ask("program", "caller");
    ask("one of another provider", "caller", other);
    await settled();
    expect(refused).toEqual(["program provider_paused 3"]);
  });

  it("is not paused by failures with successes in between, or by dead grants", async () => {
    const { gate, send } = createGate();
    for (let round = 0; round < 5; round += 1) {
      await send(4, busy);
      await send(1, round % 2 === 0 ? undefined : failure("grant_dead", { provider: "Mazda" }));
    }
    expect(gate.pauseOf("mazda", "production")).toBeUndefined();
  });

  it("is tried by one request after the pause, and longer pauses follow, to a minute", async () => {
    const { gate, ask, passed, send, clock } = createGate();
    await send(5, busy);
    const pauses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const waitMs = (gate.pauseOf("mazda", "production")?.nextTryAtMs ?? 0) - clock.nowMs();
      pauses.push(waitMs);
      await clock.advance(waitMs);
      const before = passed.length;
      for (let number = 0; number < 5; number += 1) ask("again", "caller");
      await settled();
      expect(passed.length).toBe(before + 1);
      passed.at(-1)?.pass.done(busy);
      await settled();
    }
    expect(pauses).toEqual([2_500, 5_000, 10_000, 20_000, 30_000, 30_000]);
  });

  it("goes on as before once a request was answered, and tells so", async () => {
    const { gate, ask, passed, send, clock } = createGate();
    let changes = 0;
    gate.onChanged(() => {
      changes += 1;
    });
    await send(5, busy);
    await clock.advance(2_500);
    for (let number = 0; number < 5; number += 1) ask("waiting", "caller");
    await settled();
    const trial = passed.at(-1);
    trial?.pass.done(undefined);
    await settled();
    expect([passed.length, gate.pauseOf("mazda", "production"), changes]).toEqual([10, undefined, 2]);
  });

  it("is paused at once when it says itself how long it will be away", async () => {
    const { gate, send, clock } = createGate();
    await send(1, failure("provider_busy", { provider: "Mazda", status: 503 }, { retryAfterSeconds: 40 }));
    expect(gate.pauseOf("mazda", "production")?.nextTryAtMs).toBe(clock.nowMs() + 40_000);
  });

  it("is not paused longer by requests that were sent before the pause", async () => {
    const { gate, ask, passed, clock } = createGate();
    for (let number = 0; number < 6; number += 1) ask("together", "caller");
    await settled();
    for (const { pass } of passed) pass.done(busy);
    expect(gate.pauseOf("mazda", "production")?.nextTryAtMs).toBe(clock.nowMs() + 2_500);
  });
});

it("answers everybody who waits when the app ends", async () => {
  const { gate, ask, refused } = createGate();
  for (let number = 0; number < 7; number += 1) ask("waiting", "caller");
  await settled();
  gate.close();
  ask("late", "background");
  await settled();
  expect(refused).toEqual(["waiting shutting_down -", "late shutting_down -"]);
});
