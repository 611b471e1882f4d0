import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { NetworkState } from "./network-state.ts";
import { FakeClock, settled } from "./testing/fake-clock.ts";
import { FakeNetwork } from "./testing/fake-network.ts";

const offline = failure("network_offline");
const portal = failure("network_sign_in_needed", { provider: "Mazda" });

async function createState({ reachable = true, online = true, targets = ["https://mazda.test/token"] } = {}) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  network.reachable = reachable;
  network.online = online;
  const state = new NetworkState({ network, clock, targets: () => targets });
  let changes = 0;
  state.onChanged(() => {
    changes += 1;
  });
  state.start();
  await settled();
  return { clock, network, state, changes: () => changes };
}

describe("at the start and after a sleep", () => {
  it("waits until the way to a provider begins", async () => {
    const { clock, network, state } = await createState({ reachable: false });
    expect([state.isUsable, state.notice()]).toEqual([false, undefined]);
    await clock.advance(10_000);
    expect(state.isUsable).toBe(false);
    network.reachable = true;
    await clock.advance(2_000);
    expect(state.isUsable).toBe(true);
    state.suspend();
    network.reachable = false;
    expect(state.isUsable).toBe(false);
    await clock.advance(30_000);
    expect(state.isUsable).toBe(false);
    state.resume();
    await settled();
    expect(state.isUsable).toBe(false);
    network.reachable = true;
    await clock.advance(2_000);
    expect(state.isUsable).toBe(true);
  });

  it("goes on after a minute where names resolve for nobody but requests may get through", async () => {
    const { clock, state } = await createState({ reachable: false });
    await clock.advance(58_000);
    expect(state.isUsable).toBe(false);
    await clock.advance(4_000);
    expect(state.isUsable).toBe(true);
  });

  it("does not take a sleep that never came, or whose end nobody told, for more than a minute", async () => {
    const { clock, state } = await createState();
    state.suspend();
    await clock.advance(60_000);
    await settled();
    expect(state.isUsable).toBe(true);
  });

  it("looks for nothing while no provider is set up", async () => {
    const { network, state } = await createState({ reachable: false, targets: [] });
    expect([state.isUsable, network.looks]).toEqual([true, []]);
  });

  it("lets a program's request go after a look of five seconds at most", async () => {
    const { clock, network, state } = await createState({ reachable: false });
    network.canReach = () => new Promise(() => undefined);
    state.resume();
    let isDone = false;
    const asked = state.whyNotForCaller().then((why) => {
      isDone = true;
      return why;
    });
    await clock.advance(4_999);
    expect(isDone).toBe(false);
    await clock.advance(1);
    expect(await asked).toBeUndefined();
  });
});

describe("without a network", () => {
  it("says so once, tells programs at once, and goes on when the system says that it is back", async () => {
    const { clock, network, state, changes } = await createState();
    const before = changes();
    network.become(false);
    expect([state.isUsable, state.notice()?.code, (await state.whyNotForCaller())?.code]).toEqual([
      false,
      "network_offline",
      "network_offline",
    ]);
    network.become(false);
    expect(changes()).toBe(before + 1);
    network.become(true);
    await clock.advance(0);
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
  });

  it("stays so however long it lasts, while the system is sure", async () => {
    const { clock, network, state } = await createState();
    network.become(false);
    await clock.advance(24 * 3_600_000);
    expect([state.isUsable, state.notice()?.code]).toEqual([false, "network_offline"]);
  });

  it("is found out by a request that found none, and looked for less and less often", async () => {
    const { clock, network, state } = await createState();
    network.reachable = false;
    state.report(offline);
    await settled();
    expect([state.isUsable, state.notice()?.code]).toEqual([false, "network_offline"]);
    const looksAtMs: number[] = [];
    const startMs = clock.nowMs();
    network.canReach = async () => {
      looksAtMs.push(clock.nowMs() - startMs);
      return false;
    };
    await clock.advance(50_000);
    expect(looksAtMs).toEqual([2_000, 6_000, 14_000, 30_000]);
    network.canReach = async () => true;
    await clock.advance(45_000);
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
  });

  it("lets requests find out, a minute at a time, where no name ever resolves and requests get through all the same", async () => {
    const { clock, network, state } = await createState();
    network.reachable = false;
    state.report(offline);
    await settled();
    await clock.advance(59_000);
    expect(state.isUsable).toBe(false);
    await clock.advance(1_000);
    expect([state.isUsable, state.notice()?.code, await state.whyNotForCaller()]).toEqual([true, "network_offline", undefined]);
    state.report(offline);
    expect(state.isUsable).toBe(false);
    await clock.advance(60_000);
    state.report(undefined);
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
    await clock.advance(3_600_000);
    expect(state.isUsable).toBe(true);
  });

  it("lets a program try again after two seconds, if the way to a provider begins by then", async () => {
    const { clock, network, state } = await createState();
    network.reachable = false;
    state.report(offline);
    await settled();
    expect((await state.whyNotForCaller())?.retryAfterSeconds).toBe(2);
    await clock.advance(3_000);
    expect((await state.whyNotForCaller())?.code).toBe("network_offline");
    network.reachable = true;
    expect([await state.whyNotForCaller(), state.isUsable]).toEqual([undefined, true]);
  });
});

describe("what is no matter of the network", () => {
  it("is one provider whose name is not found, while another one's is", async () => {
    const { network, state, changes } = await createState({ targets: ["https://gone.test/token", "https://mazda.test/token"] });
    network.canReach = async (url) => url.includes("mazda");
    const before = changes();
    for (let failed = 0; failed < 20; failed += 1) state.report(offline);
    await settled();
    expect([state.isUsable, changes()]).toEqual([true, before]);
  });

  it.each([portal, failure("provider_busy", { provider: "Mazda", status: 500 })])("is $code", async (failed) => {
    const { state } = await createState();
    state.report(failed);
    await settled();
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
  });
});

describe("a look that hangs", () => {
  it("keeps nobody waiting when another way is there", async () => {
    const { state, network, clock } = await createState({ targets: ["https://hangs.test/token", "https://mazda.test/token"] });
    network.canReach = (url) => (url.includes("hangs") ? new Promise(() => undefined) : Promise.resolve(true));
    state.resume();
    await clock.advance(0);
    expect(state.isUsable).toBe(true);
  });

  it("is given up, and a minute after the start requests may go", async () => {
    const { state, network, clock } = await createState({ reachable: false });
    network.canReach = () => new Promise(() => undefined);
    state.resume();
    await clock.advance(59_000);
    expect(state.isUsable).toBe(false);
    await clock.advance(1_000);
    expect(state.isUsable).toBe(true);
  });
});

it("sets no timer any more when it is closed", async () => {
  const { clock, state } = await createState({ reachable: false });
  state.close();
  expect(clock.waitsMs).toEqual([]);
});

it("sets none for what becomes of a request that was still under way then", async () => {
  const { clock, network, state } = await createState();
  network.reachable = false;
  state.close();
  state.report(offline);
  await settled();
  expect(clock.waitsMs).toEqual([]);
});
