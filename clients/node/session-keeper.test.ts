import { describe, expect, it } from "vitest";
import { err, ok } from "../../shared/result.ts";
import { type BrokerFailure, brokerNotGenuine, brokerUnreachable, parseFailure, timedOut } from "./broker-failure.ts";
import type { BrokerClient } from "./dms-connect-client.ts";
import { pauseMs, repeatAfterMs } from "./reconnect-pause.ts";
import { SessionKeeper } from "./session-keeper.ts";
import { requestOver } from "./session-request.ts";

const absent = brokerUnreachable("not-sent");

function refusal(code: string, more: object = {}): BrokerFailure {
  return parseFailure({ data: { code, detail: code, retryable: true, ...more } });
}

/** A keeper whose time passes only when it waits, and a broker that is as the test says. */
class Trial {
  nowMs = 0;
  attempts = 0;
  /** What meets whoever connects. */
  broker: "there" | BrokerFailure = "there";
  readonly #ends: (() => void)[] = [];
  readonly #whenShuttingDown: ((why: BrokerFailure) => void)[] = [];
  readonly keeper = new SessionKeeper({
    connect: async () => {
      this.attempts += 1;
      return this.broker === "there" ? ok(this.#client()) : err(this.broker);
    },
    nowMs: () => this.nowMs,
    wait: async (milliseconds, signal) => {
      if (!signal.aborted) this.nowMs += milliseconds;
    },
    random: () => 0,
  });

  /** The broker ends all sessions. */
  async endSessions(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The app tells its programs that it goes away. */
  shutDown(retryAfterSeconds: number): void {
    for (const tell of this.#whenShuttingDown.splice(0)) tell(refusal("shutting_down", { retryAfterSeconds }));
  }

  #client(): BrokerClient {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.push(resolve);
    // Nothing else of a client matters here.
    const client: Partial<BrokerClient> = {
      closed: promise,
      close: resolve,
      onShuttingDown: (listener) => {
        this.#whenShuttingDown.push(listener);
        return () => undefined;
      },
    };
    return client as BrokerClient;
  }
}

describe("a program's session", () => {
  it("is opened once for a thousand callers", async () => {
    const trial = new Trial();
    const sessions = await Promise.all(Array.from({ length: 1000 }, () => trial.keeper.session()));
    expect(new Set(sessions.map((session) => session.ok && session.value)).size).toBe(1);
    expect(trial.attempts).toBe(1);
  });

  it("is not waited for where there was none", async () => {
    const trial = new Trial();
    trial.broker = absent;
    expect(await trial.keeper.session()).toEqual(err(absent));
    expect(trial.nowMs).toBe(0);
  });

  it("is looked for again for five seconds after it has ended", async () => {
    const trial = new Trial();
    await trial.keeper.session();
    trial.nowMs = 10_000;
    trial.broker = absent;
    await trial.endSessions();
    expect(await trial.keeper.session()).toEqual(err(absent));
    expect(trial.nowMs).toBeGreaterThan(13_000);
    expect(trial.nowMs).toBeLessThanOrEqual(15_000);
    expect(trial.attempts).toBeLessThan(10);
  });

  it("is there again as soon as the broker is", async () => {
    const trial = new Trial();
    await trial.keeper.session();
    trial.nowMs = 10_000;
    await trial.endSessions();
    expect(await trial.keeper.session()).toHaveProperty("ok", true);
    expect(trial).toMatchObject({ nowMs: 10_000, attempts: 2 });
  });

  it("is not opened at once when the app says that it is closing", async () => {
    const trial = new Trial();
    const first = await trial.keeper.session();
    trial.nowMs = 10_000;
    if (first.ok) trial.keeper.retire(first.value, refusal("shutting_down"));
    expect(await trial.keeper.session()).toHaveProperty("ok", true);
    expect(trial.nowMs).toBe(10_250);
  });

  it("is not opened before the time that the app has told, and whoever asks sooner is told it", async () => {
    const trial = new Trial();
    await trial.keeper.session();
    trial.nowMs = 10_000;
    trial.shutDown(30);
    await trial.endSessions();
    expect(await trial.keeper.session()).toMatchObject({ ok: false, error: { code: "shutting_down", retryAfterSeconds: 30 } });
    trial.nowMs += 29_999;
    await trial.keeper.session();
    expect(trial.attempts).toBe(1);
    trial.nowMs += 1;
    expect(await trial.keeper.session()).toHaveProperty("ok", true);
    expect(trial).toMatchObject({ nowMs: 40_000, attempts: 2 });
  });

  it("is waited for when the app is back soon", async () => {
    const trial = new Trial();
    await trial.keeper.session();
    trial.nowMs = 10_000;
    trial.shutDown(3);
    await trial.endSessions();
    expect(await trial.keeper.session()).toHaveProperty("ok", true);
    expect(trial).toMatchObject({ nowMs: 13_000, attempts: 2 });
  });

  it("makes no storm, however often it is asked for", async () => {
    for (const [broker, mostAMinute] of [
      [absent, 65],
      [timedOut(), 15],
      [refusal("rate_limited", { retryAfterSeconds: 20 }), 4],
      [refusal("internal_error"), 15],
      [brokerNotGenuine(), 2],
    ] as const) {
      const trial = new Trial();
      trial.broker = broker;
      for (; trial.nowMs < 60_000; trial.nowMs += 5) await Promise.all([trial.keeper.session(), trial.keeper.session()]);
      expect(trial.attempts).toBeLessThanOrEqual(mostAMinute);
      expect(trial.attempts).toBeGreaterThan(0);
    }
  });

  it("that always ends at once is opened ever more rarely, and whoever asks gets an answer", async () => {
    const trial = new Trial();
    for (const endMs = 120_000; trial.nowMs < endMs; trial.nowMs += 100) {
      await trial.keeper.session();
      await trial.endSessions();
    }
    expect(trial.attempts).toBeLessThan(15);
  });

  it("forgets earlier failures once it has lasted", async () => {
    const trial = new Trial();
    for (let round = 0; round < 20; round += 1) {
      await trial.keeper.session();
      trial.nowMs += 6_000;
      await trial.endSessions();
    }
    expect(trial).toMatchObject({ nowMs: 120_000, attempts: 20 });
  });

  it("waits before a request is repeated as long as the broker asks", async () => {
    const trial = new Trial();
    const answers = [err(refusal("rate_limited", { retryAfterSeconds: 2 })), ok("told")];
    const request = async () => answers.shift() ?? ok("asked too often");
    expect(await requestOver(trial.keeper, request, true)).toEqual(ok("told"));
    expect(trial).toMatchObject({ nowMs: 2_000, attempts: 1 });
  });

  it("is closed for good, also while it is being opened", async () => {
    const trial = new Trial();
    const asked = trial.keeper.session();
    trial.keeper.close();
    for (const answer of [await asked, await trial.keeper.session()]) {
      expect(answer).toMatchObject({ ok: false, error: { detail: "session_closed" } });
    }
    expect(trial.attempts).toBe(1);
  });
});

describe("a pause", () => {
  it("is never shorter than the broker said, nor longer than five minutes because of it", () => {
    expect(pauseMs(refusal("rate_limited", { retryAfterSeconds: 20 }), 1, 0)).toBe(20_000);
    expect(pauseMs(refusal("rate_limited", { retryAfterSeconds: 1e12 }), 1, 0)).toBe(300_000);
    expect(pauseMs(refusal("rate_limited", { retryAfterSeconds: -5 }), 1, 0)).toBe(1_000);
  });

  it("differs between programs", () => {
    expect(pauseMs(absent, 1, 1)).toBeGreaterThan(pauseMs(absent, 1, 0));
  });
});

describe("a request that failed", () => {
  const ended = brokerUnreachable("connection-ended");
  it.each<[what: string, why: BrokerFailure, ifRepeatable: number | undefined, otherwise: number | undefined]>([
    ["the broker never got it", absent, 0, 0],
    ["the connection ended", ended, 0, undefined],
    ["no answer came in time", timedOut(), undefined, undefined],
    ["the app closes", refusal("shutting_down"), 0, undefined],
    ["the program's access was changed", refusal("not_paired", { detail: "session_not_authenticated", retryable: false }), 0, undefined],
    ["too many requests, for a moment", refusal("rate_limited", { retryAfterSeconds: 2 }), 2_000, undefined],
    ["too many requests, for longer", refusal("rate_limited", { retryAfterSeconds: 20 }), undefined, undefined],
    ["the provider is busy for a moment", refusal("provider_unavailable", { retryAfterSeconds: 1 }), 1_000, undefined],
    ["the provider cannot be reached", refusal("provider_unavailable"), undefined, undefined],
    [
      "the provider refuses the registration",
      refusal("provider_unavailable", { retryable: false, retryAfterSeconds: 1 }),
      undefined,
      undefined,
    ],
    ["the user must sign in", refusal("reconnect_required", { retryable: false }), undefined, undefined],
    ["the program is not paired", refusal("not_paired", { retryable: false }), undefined, undefined],
  ])("because %s is repeated, or not", (_what, why, ifRepeatable, otherwise) => {
    expect([repeatAfterMs(why, true), repeatAfterMs(why, false)]).toEqual([ifRepeatable, otherwise]);
  });
});
