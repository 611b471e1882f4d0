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
    await clock.advance(3_600_000);
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

  it("is noticed by a request that found none, and is looked for less and less often while names resolve all the same", async () => {
    const { clock, state } = await createState();
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      state.report(offline);
      const fromMs = clock.nowMs();
      while (!state.isUsable) await clock.advance(1_000);
      waits.push(clock.nowMs() - fromMs);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    state.report(undefined);
    state.report(offline);
    await clock.advance(2_000);
    expect(state.isUsable).toBe(true);
  });

  it("lets a program try again after two seconds, if the way to a provider begins by then", async () => {
    const { clock, network, state } = await createState();
    network.reachable = false;
    state.report(offline);
    expect((await state.whyNotForCaller())?.retryAfterSeconds).toBe(2);
    await clock.advance(3_000);
    expect((await state.whyNotForCaller())?.code).toBe("network_offline");
    network.reachable = true;
    expect([await state.whyNotForCaller(), state.isUsable]).toEqual([undefined, true]);
  });
});

describe("a network that wants a person", () => {
  it("is told with its reason, is tried again by itself, and by a program after ten seconds", async () => {
    const { clock, state } = await createState();
    state.report(portal);
    expect([state.isUsable, state.notice()]).toEqual([false, portal]);
    expect(await state.whyNotForCaller()).toMatchObject({ code: "network_sign_in_needed", retryAfterSeconds: 10 });
    await clock.advance(10_000);
    expect(await state.whyNotForCaller()).toBeUndefined();
    await clock.advance(20_000);
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
  });

  it("is over as soon as a request was answered", async () => {
    const { state } = await createState();
    state.report(portal);
    state.report(undefined);
    expect([state.isUsable, state.notice()]).toEqual([true, undefined]);
  });

  it("is not seen in a provider's own failures", async () => {
    const { state } = await createState();
    state.report(failure("provider_busy", { provider: "Mazda", status: 500 }));
    expect(state.isUsable).toBe(true);
  });
});

it("sets no timer any more when it is closed", async () => {
  const { clock, state } = await createState({ reachable: false });
  state.close();
  expect(clock.waitsMs).toEqual([]);
});
