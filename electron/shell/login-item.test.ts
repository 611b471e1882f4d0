import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App, LoginItemSettings, LoginItemSettingsOptions } from "electron";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ok } from "../../shared/result.ts";
import { configFolder, createLoginItem } from "./login-item.ts";
import type { OwnCommand } from "./own-command.ts";

const installed: OwnCommand = { program: "/opt/DMS Connect/dms-connect", args: [] };
const isRoot = process.getuid?.() === 0;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-login-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The part of Electron that keeps login items, which remembers one as Windows does: by its whole command. */
function fakeApp(how: { readonly isPackaged?: boolean; readonly status?: LoginItemSettings["status"]; readonly takes?: boolean } = {}) {
  const { isPackaged = true, status = "enabled", takes = true } = how;
  const commands = new Set<string>();
  const own = ({ path = "", args = [] }: LoginItemSettingsOptions = {}) => [path, ...args].join(" ");
  const app: Pick<App, "getLoginItemSettings" | "setLoginItemSettings" | "isPackaged"> = {
    isPackaged,
    setLoginItemSettings: (settings) => {
      if (!takes) return;
      if (settings.openAtLogin === true) commands.add(own(settings));
      else commands.delete(own(settings));
    },
    getLoginItemSettings: (options) => ({
      openAtLogin: commands.has(own(options)),
      wasOpenedAtLogin: false,
      status,
      executableWillLaunchAtLogin: false,
      launchItems: [],
    }),
  };
  return { app, commands };
}

describe("the login item on Windows", () => {
  it("is the quoted program with its option, and can be taken back", () => {
    const { app, commands } = fakeApp();
    const command: OwnCommand = { program: String.raw`C:\Program Files\DMS Connect\dms-connect.exe`, args: [] };
    const item = createLoginItem({ platform: "win32", app, command, configFolder: "" });
    expect(item.isOn()).toBe(false);
    expect(item.set(true)).toEqual(ok());
    expect([...commands]).toEqual([String.raw`"C:\Program Files\DMS Connect\dms-connect.exe" --hidden`]);
    expect(item.isOn()).toBe(true);
    expect(item.set(false)).toEqual(ok());
    expect(commands.size).toBe(0);
  });

  it("says that the system did not take it", () => {
    const { app } = fakeApp({ takes: false });
    const item = createLoginItem({ platform: "win32", app, command: installed, configFolder: "" });
    expect(item.set(true)).toMatchObject({
      ok: false,
      error: { code: "login_item_failed", params: { problem: "the system did not take it" } },
    });
  });
});

describe("the login item on macOS", () => {
  it("is the installed app's own", () => {
    const item = createLoginItem({ platform: "darwin", app: fakeApp().app, command: installed, configFolder: "" });
    expect([item.set(true), item.isOn(), item.set(false), item.isOn()]).toEqual([ok(), true, ok(), false]);
  });

  it.each([{ isPackaged: false }, { status: "requires-approval" as const }])("says why it is none: %j", (how) => {
    const item = createLoginItem({ platform: "darwin", app: fakeApp(how).app, command: installed, configFolder: "" });
    expect(item.set(true)).toMatchObject({ ok: false, error: { code: "login_item_failed" } });
  });
});

describe("the login item on Linux", () => {
  const item = (folder: string, command = installed) =>
    createLoginItem({ platform: "linux", app: fakeApp().app, command, configFolder: folder });
  const fileIn = (folder: string) => join(folder, "autostart/dms-connect.desktop");

  it("is a desktop file that is made with its folder, and removed", () => {
    const folder = join(temporaryFolder(), "config");
    const own = item(folder);
    expect(own.set(false)).toEqual(ok());
    expect(own.set(true)).toEqual(ok());
    expect(readFileSync(fileIn(folder), "utf8")).toBe(
      [
        "[Desktop Entry]",
        "Type=Application",
        "Name=DMS Connect",
        "Comment=Keeps the sign-ins of DMS programs",
        'Exec="/opt/DMS Connect/dms-connect" --hidden',
        "Terminal=false",
        "NoDisplay=true",
        "",
      ].join("\n"),
    );
    expect(own.isOn()).toBe(true);
    expect(own.set(false)).toEqual(ok());
    expect(readdirSync(join(folder, "autostart"))).toEqual([]);
    expect(own.isOn()).toBe(false);
  });

  it("is written anew for an app that was moved, and leaves the files of others", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "autostart"));
    writeFileSync(join(folder, "autostart/other.desktop"), "other");
    item(folder).set(true);
    const moved = item(folder, { program: "/usr/bin/dms-connect", args: [] });
    expect(moved.isOn()).toBe(false);
    expect(moved.set(true)).toEqual(ok());
    expect(readFileSync(fileIn(folder), "utf8")).toContain("Exec=/usr/bin/dms-connect --hidden\n");
    expect(readdirSync(join(folder, "autostart")).sort()).toEqual(["dms-connect.desktop", "other.desktop"]);
  });

  it("names the program so that a desktop finds it, whatever its path is", () => {
    const folder = temporaryFolder();
    const part = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
    fc.assert(
      fc.property(part, fc.array(part, { maxLength: 2 }), (program, args) => {
        expect(item(folder, { program, args }).set(true)).toEqual(ok());
        const [, exec = ""] = /^Exec=(.*)$/m.exec(readFileSync(fileIn(folder), "utf8")) ?? [];
        expect(parseExec(exec)).toEqual([program, ...args, "--hidden"]);
      }),
    );
  });

  it("cannot name a program whose path holds a line break", () => {
    const folder = temporaryFolder();
    expect(item(folder, { program: "/opt/a\nHidden=false", args: [] }).set(true)).toMatchObject({
      ok: false,
      error: { code: "login_item_failed" },
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says why it cannot be written, and leaves nothing", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "autostart"), "a file in its place");
    expect(item(folder).set(true)).toMatchObject({ ok: false, error: { code: "login_item_failed" } });
  });

  it.skipIf(isRoot || process.platform === "win32")(
    "leaves the old one where it may not write (not exercised as root or on Windows)",
    () => {
      const folder = temporaryFolder();
      item(folder).set(true);
      chmodSync(join(folder, "autostart"), 0o500);
      onTestFinished(() => chmodSync(join(folder, "autostart"), 0o700));
      expect(item(folder).set(false)).toMatchObject({ ok: false, error: { params: { problem: "no permission" } } });
      expect(item(folder).isOn()).toBe(true);
    },
  );

  it("lies in the person's own folder for settings", () => {
    expect(configFolder({ XDG_CONFIG_HOME: "/c" }, "/home/j")).toBe("/c");
    expect(configFolder({ XDG_CONFIG_HOME: "c" }, "/home/j")).toBe(join("/home/j", ".config"));
    expect(configFolder({}, "/home/j")).toBe(join("/home/j", ".config"));
  });
});

/** Reads the value of an Exec key as a desktop does: the string's escapes, then quotes, then percent signs. */
function parseExec(value: string): readonly string[] {
  const text = value.replaceAll(/\\(.)/g, (_all, escaped: string) => (escaped === "\\" ? "\\" : `?${escaped}`));
  const parts = text.match(/"(?:\\.|[^"\\])*"|[^ ]+/gu) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll(/\\(.)/g, "$1") : part).replaceAll("%%", "%"));
}
