import type { IpcMainInvokeEvent } from "electron";
import { describe, expect, it } from "vitest";
import { type CallName, ipcCalls, ipcChannels } from "../../shared/ipc-contract.ts";
import { ok, type Result } from "../../shared/result.ts";
import { type SettingsView, standardSettings } from "../../shared/views.ts";
import { callGuards } from "./guards.ts";
import { type AppWindow, type CallHandlers, createEventSender, registerIpcRouter } from "./router.ts";

const settings: SettingsView = { ...standardSettings, theme: "light", usualUser: "jane" };

describe("the ipc router", () => {
  it("passes accepted parameters to the handler and its result back", async () => {
    const router = startRouter();
    expect(await router.call("settings.save", settings)).toEqual({ ok: true, value: undefined });
    expect(router.handled).toEqual([["settings.save", settings]]);
  });

  it.each([
    ["an unknown name", "vault.dump"],
    ["a name every object has", "constructor"],
    ["a name that is no string", 7],
  ])("refuses %s", async (_what, name) => {
    const router = startRouter();
    expect(await router.call(name, undefined)).toMatchObject({ ok: false, error: { code: "method_unknown" } });
    expect(router.handled).toEqual([]);
  });

  it("refuses parameters its guard does not accept, and names the field but not the value", async () => {
    const router = startRouter();
    const result = await router.call("settings.save", { ...settings, usualUser: { secret: "hunter2" } });
    expect(result).toMatchObject({ ok: false, error: { code: "message_invalid" } });
    expect(JSON.stringify(result)).toContain("usualUser");
    expect(JSON.stringify(result)).not.toContain("hunter2");
    expect(router.handled).toEqual([]);
  });

  it.each([
    ["a window that is not the app's", { senderId: 99 }],
    ["a frame inside the window", { parent: {} }],
    ["a frame that is gone", { gone: true }],
    ["a page of another origin", { url: "https://evil.example/index.html" }],
    ["a page whose host only begins like the app's", { url: "app://dms-connect.evil/index.html" }],
    ["a page without a readable address", { url: "" }],
  ])("refuses %s", async (_what, sender) => {
    const router = startRouter();
    expect(await router.call("settings.save", settings, sender)).toMatchObject({ ok: false, error: { code: "message_invalid" } });
    expect(router.handled).toEqual([]);
    expect(router.logged).toEqual(["ipc.refused"]);
  });

  it("refuses a window that is closed", async () => {
    const router = startRouter({ closed: true });
    expect(await router.call("settings.save", settings)).toMatchObject({ ok: false });
    expect(router.handled).toEqual([]);
  });

  it("answers a handler that throws with internal_error, and logs what it threw", async () => {
    const router = startRouter({ throwing: new Error("a bug") });
    const result = await router.call("settings.save", settings);
    expect(result).toMatchObject({ ok: false, error: { code: "internal_error" } });
    expect(JSON.stringify(result)).not.toContain("a bug");
    expect(router.logged).toEqual(["ipc.settings.save: Error: a bug"]);
  });

  it("answers nothing once it was stopped", () => {
    const router = startRouter();
    router.stop();
    expect(router.channels).toEqual([]);
  });
});

describe("the event sender", () => {
  it("sends to every open window and to no closed one", () => {
    const sent: unknown[][] = [];
    const windows = [fakeWindow(1, false, sent), fakeWindow(2, true, sent), fakeWindow(3, false, sent)];
    createEventSender(() => windows)("pairingsChanged", []);
    expect(sent).toEqual([
      [1, ipcChannels.event, "pairingsChanged", []],
      [3, ipcChannels.event, "pairingsChanged", []],
    ]);
  });
});

interface Sender {
  readonly senderId?: number;
  readonly parent?: object;
  readonly gone?: boolean;
  readonly url?: string;
}

function startRouter(options: { readonly closed?: boolean; readonly throwing?: Error } = {}) {
  const listeners = new Map<string, (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown>();
  const handled: [CallName, unknown][] = [];
  const logged: string[] = [];
  const handler = (name: CallName) => async (params: unknown) => {
    if (options.throwing !== undefined) throw options.throwing;
    handled.push([name, params]);
    return ok();
  };
  const names = Object.keys(ipcCalls) as CallName[];
  const stop = registerIpcRouter({
    ipcMain: {
      handle: (channel, listener) => void listeners.set(channel, listener),
      removeHandler: (channel) => void listeners.delete(channel),
    },
    // Each answers like the handler of a call without a value.
    handlers: Object.fromEntries(names.map((name) => [name, handler(name)])) as unknown as CallHandlers,
    guards: callGuards,
    windows: () => [fakeWindow(1, options.closed ?? false, [])],
    appOrigin: "app://dms-connect",
    log: {
      info: () => undefined,
      warn: (event) => void logged.push(event),
      error: (event, error) => void logged.push(`${event}: ${String(error)}`),
    },
  });
  return {
    handled,
    logged,
    stop,
    get channels(): readonly string[] {
      return [...listeners.keys()];
    },
    call: async (name: unknown, params: unknown, sender: Sender = {}) =>
      // The router answers every call with a Result.
      (await listeners.get(ipcChannels.invoke)?.(fakeEvent(sender), name, params)) as Result<unknown>,
  };
}

function fakeEvent({ senderId = 1, parent, gone, url = "app://dms-connect/index.html" }: Sender): IpcMainInvokeEvent {
  // As much of Electron's event as a router may look at.
  return { sender: { id: senderId }, senderFrame: gone === true ? null : { parent: parent ?? null, url } } as unknown as IpcMainInvokeEvent;
}

function fakeWindow(id: number, closed: boolean, sent: unknown[][]): AppWindow {
  return {
    isDestroyed: () => closed,
    webContents: { id, isDestroyed: () => closed, send: (...args: unknown[]) => void sent.push([id, ...args]) },
  };
}
