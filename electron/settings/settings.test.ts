import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type SettingsView, standardSettings } from "../../shared/views.ts";

// Outside Electron, the npm package `electron` names the runtime's path, and would fetch a runtime to name one. With this
// it names a path without looking; electron-store then works with the absolute folder it is given.
vi.hoisted(() => {
  process.env["ELECTRON_OVERRIDE_DIST_PATH"] ??= "/not-needed-here";
});

const { openSettings } = await import("./settings.ts");

const nowMs = () => Date.UTC(2026, 10, 22, 14, 30, 5);
const standard: SettingsView = standardSettings;
const chosen: SettingsView = { ...standardSettings, theme: "dark", usualUser: "mmd10030.johndoe" };

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(folder: string) {
  return openSettings({ folder, nowMs });
}

/** A folder whose settings file holds `text`. */
function folderWith(text: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "settings.json"), text);
  return folder;
}

describe("settings", () => {
  it("are the standard ones in a new profile, without a notice", () => {
    const { settings, notices } = open(join(temporaryFolder(), "new", "profile"));
    expect(settings.read()).toEqual(standard);
    expect(notices).toEqual([]);
  });

  it("come back as saved after a restart", () => {
    const folder = temporaryFolder();
    expect(open(folder).settings.save(chosen).ok).toBe(true);
    expect(open(folder).settings.read()).toEqual(chosen);
  });

  it.skipIf(process.platform === "win32")("are readable by their owner only, even in a file that was not", () => {
    const folder = folderWith("{}");
    const path = join(folder, "settings.json");
    chmodSync(path, 0o644);
    const { settings } = open(folder);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    settings.save(chosen);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("fall back one by one when a value is wrong", () => {
    const { settings, notices } = open(folderWith('{"theme":"plaid","usualUser":"mmd10030.johndoe"}'));
    expect(settings.read()).toEqual({ ...standard, usualUser: "mmd10030.johndoe" });
    expect(notices).toMatchObject([{ code: "setting_ignored", params: { setting: "theme" } }]);
  });

  it.each([
    ["startAtLogin", "yes"],
    ["quietFrom", "24:00"],
    ["quietTo", "7:00"],
    ["mutedUsers", [""]],
    ["mutedUsers", "jdoe"],
    ["saveData", 1],
  ])("do not take %s to be %j", (setting, value) => {
    const { settings, notices } = open(folderWith(JSON.stringify({ theme: "dark", [setting]: value })));
    expect(settings.read()).toEqual({ ...standard, theme: "dark" });
    expect(notices).toMatchObject([{ code: "setting_ignored", params: { setting } }]);
  });

  it("keep quiet hours, muted users and the rest", () => {
    const folder = temporaryFolder();
    const all = { ...chosen, startAtLogin: true, quietFrom: "18:30", quietTo: "07:00", mutedUsers: ["jdoe"], saveData: true };
    expect(open(folder).settings.save(all).ok).toBe(true);
    expect(open(folder).settings.read()).toEqual(all);
  });

  it("keep values of another version in the file", () => {
    const folder = folderWith('{"theme":"light","fromTheFuture":[1,2]}');
    open(folder).settings.save(chosen);
    expect(JSON.parse(readFileSync(join(folder, "settings.json"), "utf8"))).toEqual({ ...chosen, fromTheFuture: [1, 2] });
  });

  it.each([["{"], [""], ["[1]"], ['"text"'], ["null"], ["\u0000\u0001"]])("keep a damaged file and start anew: %j", (text) => {
    const folder = folderWith(text);
    const { settings, notices } = open(folder);
    const kept = "settings.damaged-20261122-143005.json";
    expect(notices.map((notice) => [notice.code, notice.params])).toEqual([["settings_unreadable", { file: kept }]]);
    expect(readFileSync(join(folder, kept), "utf8")).toBe(text);
    expect(settings.read()).toEqual(standard);
    expect(settings.save(chosen).ok).toBe(true);
    expect(open(folder).settings.read()).toEqual(chosen);
    expect(open(folder).notices).toEqual([]);
  });

  it("do not overwrite a damaged file kept in the same second", () => {
    const folder = folderWith("first");
    open(folder);
    writeFileSync(join(folder, "settings.json"), "second");
    open(folder);
    const kept = readdirSync(folder).filter((name) => name.includes("damaged"));
    expect(kept.map((name) => readFileSync(join(folder, name), "utf8")).sort()).toEqual(["first", "second"]);
  });

  it("remove what a save that was killed left behind", () => {
    const folder = folderWith("{}");
    writeFileSync(join(folder, "settings.json.tmp-1234567890abcdef"), "{");
    open(folder);
    expect(readdirSync(folder)).toEqual(["settings.json"]);
  });

  it("still work, for this run, where no folder can be made", () => {
    const file = join(folderWith("{}"), "settings.json");
    const { settings, notices } = open(join(file, "profile"));
    expect(settings.read()).toEqual(standard);
    expect(notices.map((notice) => notice.code)).toEqual(["settings_unreadable"]);
    const saved = settings.save(chosen);
    expect(saved.ok).toBe(false);
  });
});
