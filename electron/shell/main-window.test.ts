import { EventEmitter } from "node:events";
import type { BrowserWindow } from "electron";
import { describe, expect, it } from "vitest";
import type { WindowTarget } from "../../shared/views.ts";
import { createWindowKeeper } from "./main-window.ts";

const connections: WindowTarget = { page: "connections", connectionId: "mazda/acceptance/jdoe" };
const settings: WindowTarget = { page: "settings" };
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Windows that do nothing but count, and say when they are raised or closed. */
function scene() {
  const open: EventEmitter[] = [];
  const state = { made: 0, raised: 0, told: [] as WindowTarget[], sessionsEnded: 0 };
  class Window extends EventEmitter {
    static getAllWindows(): BrowserWindow[] {
      return open as unknown as BrowserWindow[]; // they have what is used
    }
    constructor() {
      super();
      state.made += 1;
      open.push(this);
    }
    loadURL = async (): Promise<void> => undefined;
    isMinimized = (): boolean => false;
    show = (): void => undefined;
    focus = (): void => void (state.raised += 1);
    isDestroyed = (): boolean => false;
  }
  const keeper = createWindowKeeper({
    BrowserWindow: Window as unknown as Parameters<typeof createWindowKeeper>[0]["BrowserWindow"], // has what is used
    preloadPath: "/preload.cjs",
    onTarget: (target) => state.told.push(target),
    onSessionEnd: () => (state.sessionsEnded += 1),
  });
  return { state, keeper, window: () => open[0], close: () => void open.pop() };
}

describe("the window", () => {
  it("opens at the start, and at a hidden start only when somebody asks, before or after", () => {
    const usual = scene();
    usual.keeper.start({ log, hidden: false });
    expect(usual.state.made).toBe(1);

    const hidden = scene();
    hidden.keeper.start({ log, hidden: true });
    expect(hidden.state.made).toBe(0);
    hidden.keeper.show();
    expect(hidden.state.made).toBe(1);

    const asked = scene();
    asked.keeper.show();
    expect(asked.state.made).toBe(0);
    asked.keeper.start({ log, hidden: true });
    expect(asked.state.made).toBe(1);
  });

  it("is brought to the front when it is there already", () => {
    const { keeper, state } = scene();
    keeper.start({ log, hidden: false });
    keeper.show();
    keeper.show();
    expect(state).toMatchObject({ made: 1, raised: 2 });
  });

  it("says that the session ends", () => {
    const { keeper, state, window } = scene();
    keeper.start({ log, hidden: false });
    window()?.emit("session-end", {});
    expect(state.sessionsEnded).toBe(1);
  });
});

describe("what the window was opened for", () => {
  it("is found once by a window that opens", () => {
    const { keeper, state } = scene();
    keeper.show(connections);
    keeper.show();
    keeper.start({ log, hidden: false });
    expect([keeper.takeTarget(), keeper.takeTarget()]).toEqual([connections, undefined]);
    expect(state.told).toEqual([]);
  });

  it("is told to a window that has asked", () => {
    const { keeper, state } = scene();
    keeper.start({ log, hidden: false });
    expect(keeper.takeTarget()).toBeUndefined();
    keeper.show(settings);
    keeper.show();
    expect(state.told).toEqual([settings]);
    expect(keeper.takeTarget()).toBeUndefined();
  });

  it("is the newest one for a window that still loads", () => {
    const { keeper, state } = scene();
    keeper.start({ log, hidden: false });
    keeper.show(settings);
    keeper.show(connections);
    keeper.show();
    expect(keeper.takeTarget()).toEqual(connections);
    expect(state.told).toEqual([]);
  });

  it("is nothing for a window that a person opens, whatever the one before was for", () => {
    const { keeper, close } = scene();
    keeper.start({ log, hidden: false });
    keeper.show(settings);
    close();
    keeper.show();
    expect(keeper.takeTarget()).toBeUndefined();
    close();
    keeper.show(connections);
    expect(keeper.takeTarget()).toEqual(connections);
  });
});
