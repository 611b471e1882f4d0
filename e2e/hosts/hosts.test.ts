import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleForNode, bundlePreload, bundleRenderer, repositoryRoot } from "../../build/bundles.ts";
import { findChromium, installChromiumSentence } from "../../build/chromium.ts";
import type { DmsConnectApi } from "../../shared/ipc-contract.ts";
import { type DmsClientView, type SettingsView, standardSettings } from "../../shared/views.ts";
import { type AppUnderTest, hostName, launchApp } from "./launch.ts";
import { processTree, stillRunning } from "./process-tree.ts";

/** What the fixture's page leaves in its world (fixtures/page.ts). */
interface PageWorld {
  readonly dmsConnect: DmsConnectApi;
  readonly events: readonly (readonly DmsClientView[])[];
  readonly inlineScriptRan?: boolean;
}
declare const window: PageWorld;
declare const document: { readonly querySelector: (selector: string) => unknown; readonly styleSheets: { readonly length: number } };

const canRun = hostName() === "electron" || findChromium() !== undefined;
if (!canRun) console.log(`Not exercised: the hosts. ${installChromiumSentence}`);

const settingsOf = (usualUser: string): SettingsView => ({ ...standardSettings, usualUser });

/** A start takes a second; this is for a machine that is busy with much else. */
const timeoutMs = 60_000;

describe.skipIf(!canRun)(`the app on ${hostName()}`, { timeout: timeoutMs }, () => {
  let folder = "";
  let app: AppUnderTest;
  const start = (profile: string, args: readonly string[] = []): Promise<AppUnderTest> =>
    launchApp({
      profile: join(folder, profile),
      args,
      entry: join(folder, "main/main.mjs"),
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dms-connect-hosts-"));
    const fixtures = join(import.meta.dirname, "fixtures");
    await Promise.all([
      bundleForNode("main", join(fixtures, "main.ts"), join(folder, "main/main.mjs")),
      bundlePreload(join(repositoryRoot, "electron/preload.ts"), join(folder, "preload/preload.cjs")),
      bundleRenderer(join(fixtures, "vite.config.ts"), join(folder, "renderer")),
    ]);
    app = await start("shared");
  }, timeoutMs);
  afterAll(async () => {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("answers the page's calls through preload, router and handler", async () => {
    await app.page.waitForFunction(() => document.querySelector("#state:not(:empty)") !== null);
    expect(await app.page.textContent("#state")).toBe("mmd10030.johndoe");
  });

  it("carries parameters in and events out", async () => {
    const result = await app.page.evaluate((view) => window.dmsConnect.invoke("settings.save", view), settingsOf("jane"));
    expect(result).toEqual({ ok: true, value: undefined });
    await app.page.waitForFunction(() => window.events.some(([client]) => client?.name === "jane"));
  });

  it("stops telling a listener that stopped listening", async () => {
    const seen = await app.page.evaluate(
      async ([one, two]) => {
        const first: string[] = [];
        const second: string[] = [];
        const stop = window.dmsConnect.on("clientsChanged", ([client]) => void first.push(client?.name ?? ""));
        const done = new Promise((resolve) => {
          window.dmsConnect.on("clientsChanged", ([client]) => {
            second.push(client?.name ?? "");
            if (second.length === 2) resolve(undefined);
          });
        });
        await window.dmsConnect.invoke("settings.save", one);
        stop();
        await window.dmsConnect.invoke("settings.save", two);
        await done;
        return { first, second };
      },
      [settingsOf("one"), settingsOf("two")] as const,
    );
    expect(seen).toEqual({ first: ["one"], second: ["one", "two"] });
  });

  it("refuses parameters of another shape, and calls and events the contract does not know", async () => {
    const outcome = await app.page.evaluate(
      async (tooMuch) => {
        // What a page could call if it did not keep to the contract.
        const invoke = window.dmsConnect.invoke as (name: string, params?: unknown) => Promise<{ error?: { code: string } }>;
        const on = window.dmsConnect.on as (name: string, listener: () => void) => void;
        const attempt = async (action: () => unknown): Promise<string> => {
          try {
            await action();
            return "accepted";
          } catch (error) {
            return String(error);
          }
        };
        return {
          shape: (await invoke("settings.save", tooMuch)).error?.code,
          call: await attempt(() => invoke("process.exit")),
          event: await attempt(() => on("tokens", () => undefined)),
        };
      },
      { ...settingsOf("jane"), extra: 1 },
    );
    expect(outcome).toEqual({ shape: "message_invalid", call: "Error: unknown call", event: "Error: unknown event" });
  });

  it("answers a bug in a handler as an internal error and writes it to the log", async () => {
    const result = await app.page.evaluate(() => window.dmsConnect.invoke("connections.list"));
    expect(result).toMatchObject({ ok: false, error: { code: "internal_error" } });
    expect(app.output()).toContain("a bug");
  });

  it("shows the page's world a frozen API and nothing of Electron or Node", async () => {
    const seen = await app.page.evaluate(() => {
      const world = globalThis as unknown as Record<string, unknown>;
      return {
        leaks: ["require", "module", "process", "ipcRenderer", "contextBridge", "electron", "Buffer"].filter((name) => name in world),
        bindings: Object.getOwnPropertyNames(world).filter((name) => /^(binding|receive)_/.test(name)),
        keys: Object.keys(window.dmsConnect),
        frozen: Object.isFrozen(window.dmsConnect) && Object.isFrozen(window.dmsConnect.invoke),
        replaceable: Object.getOwnPropertyDescriptor(world, "dmsConnect")?.writable,
      };
    });
    expect(seen).toEqual({ leaks: [], bindings: [], keys: ["invoke", "on"], frozen: true, replaceable: false });
  });

  it("applies the Content-Security-Policy, with a nonce for styles", async () => {
    expect(await app.page.evaluate(() => window.inlineScriptRan)).toBeUndefined();
    const styles = await app.page.evaluate(() => {
      // The page is Chromium's; this file is checked without the DOM's types.
      const dom = document as unknown as {
        readonly querySelector: (selector: string) => { readonly nonce: string };
        readonly createElement: (name: string) => { nonce: string; textContent: string; readonly sheet: unknown };
        readonly head: { readonly append: (element: unknown) => void };
      };
      return [dom.querySelector("meta[property=csp-nonce]").nonce, ""].map((nonce) => {
        const style = dom.createElement("style");
        style.nonce = nonce;
        style.textContent = "p { color: green }";
        dom.head.append(style);
        return { nonceLength: nonce.length, applied: style.sheet !== null };
      });
    });
    expect(styles).toEqual([
      { nonceLength: 24, applied: true },
      { nonceLength: 0, applied: false },
    ]);
    expect(
      await app.page.evaluate(() =>
        fetch("./index.html").then(
          () => "fetched",
          () => "blocked",
        ),
      ),
    ).toBe("blocked");
  });

  it("grants no permission, opens no second window and stays on its page", async () => {
    const url = app.page.url();
    const state = await app.page.evaluate(async () => {
      const web = globalThis as unknown as {
        readonly open: (url: string) => unknown;
        readonly location: { href: string };
        readonly navigator: { readonly permissions: { readonly query: (descriptor: object) => Promise<{ readonly state: string }> } };
      };
      web.open("https://example.invalid/");
      web.location.href = "https://example.invalid/";
      return (await web.navigator.permissions.query({ name: "geolocation" })).state;
    });
    expect(state).toBe("denied");
    expect(await app.page.evaluate(() => window.dmsConnect.invoke("settings.get"))).toMatchObject({ ok: true });
    expect(app.page.url()).toBe(url);
  });

  it("works the same after a reload", async () => {
    await app.page.reload();
    await app.page.waitForFunction(() => document.querySelector("#state:not(:empty)") !== null);
    expect(await app.page.evaluate(() => window.dmsConnect.invoke("settings.get"))).toMatchObject({ ok: true });
  });

  it("hands sign-in pages to the user's browser", async () => {
    const params = { provider: "mazda", environment: "acceptance", user: "jane" } as const;
    const result = await app.page.evaluate((connect) => window.dmsConnect.invoke("connect.start", connect), params);
    expect(result).toEqual({ ok: true, value: { connectionId: "c/jane" } });
    expect(await app.nextOpenedUrl()).toBe("https://idp.example/authorize?login_hint=jane");
  });

  it("lets the test answer file dialogs", async () => {
    const file = join(folder, "registration.json");
    await writeFile(file, "{}");
    await app.setDialogAnswer(file);
    const imported = () => app.page.evaluate(() => window.dmsConnect.invoke("registrations.import"));
    expect(await imported()).toEqual({ ok: true, value: { imported: 2 } });
    await app.setDialogAnswer(undefined);
    expect(await imported()).toEqual({ ok: true, value: { imported: 0 } });
  });

  it("passes power events and seals with safeStorage", async () => {
    await app.emitPowerEvent("resume");
    await app.page.waitForFunction(() => window.events.some(([client]) => client?.name === "resumed"));
    const result = await app.page.evaluate(() => window.dmsConnect.invoke("clients.list"));
    expect(result).toMatchObject({ ok: true, value: [{ name: expect.stringMatching(/^v1\d sealed$/) as string }] });
  });

  it.skipIf(hostName() === "electron")("tells what the tray shows, and chooses from its menu", async () => {
    expect(app.tray()).toEqual({
      tooltip: "DMS Connect: 2 connections need you",
      menu: ["2 connections need you", "Open DMS Connect", "Quit"],
    });
    await app.chooseFromTray("2 connections need you");
    await app.page.waitForFunction(() => window.events.some(([client]) => client?.name === "connections"));
  });

  it.skipIf(hostName() === "electron")("clicks a notification once, and knows which are gone", async () => {
    expect(app.shownNotifications()).toEqual(["once more"]);
    await app.clickNotification("once more");
    await app.page.waitForFunction(() => window.events.some(([client]) => client?.name === "clicked"));
    expect(app.shownNotifications()).toEqual([]);
    expect(app.notifications()).toHaveLength(2);
    expect(() => app.clickNotification("once more")).toThrow("no notification is shown");
  });

  it.skipIf(hostName() === "electron")("throws by name on a part of Electron the Chromium host does not have", async () => {
    const result = await app.page.evaluate(() => window.dmsConnect.invoke("connection.forget", { connectionId: "a/b/c" }));
    expect(result).toMatchObject({
      ok: false,
      error: { params: { error: "NotImplementedError: not implemented on the Chromium host: clipboard.readText" } },
    });
  });

  it("starts once a profile: a second start tells the first and ends", async () => {
    await expect(start("shared", ["--from-the-second"])).rejects.toThrow(/ended/);
    await app.page.waitForFunction(() => window.events.some(([client]) => client?.name === "--from-the-second"));
  });

  it("ends with all its processes when it quits", async () => {
    const other = await start("quitting");
    const pids = processTree(other.pid).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(2);
    expect(other.processArguments().some((line) => line.includes("main/main.mjs"))).toBe(true);
    expect(await other.close()).toBe(0);
    expect(other.output()).toContain("will-quit");
    expect(stillRunning(pids)).toEqual([]);
  });

  it("ends when its last window is closed", async () => {
    const other = await start("closing");
    await other.page.close();
    expect(await other.exited).toBe(0);
  });

  it("may stay without a window, and opens another one later", async () => {
    const other = await start("staying", ["--stay"]);
    await other.page.close();
    const next = other.nextWindow();
    await expect(start("staying")).rejects.toThrow(/ended/);
    const page = await next;
    expect(await page.evaluate(() => window.dmsConnect.invoke("settings.get"))).toMatchObject({ ok: true });
    expect(await other.close()).toBe(0);
  });

  it("leaves no process behind when it is killed, and starts again on the same profile", async () => {
    const other = await start("killed");
    await other.page.evaluate((view) => window.dmsConnect.invoke("settings.save", view), settingsOf("kept"));
    const pids = processTree(other.pid).map(({ pid }) => pid);
    await other.kill();
    await expect.poll(() => stillRunning(pids), { timeout: 10_000 }).toEqual([]);
    const again = await start("killed");
    expect(await again.page.evaluate(() => window.dmsConnect.invoke("settings.get"))).toMatchObject({ value: { usualUser: "kept" } });
    expect(await again.close()).toBe(0);
  });
});
