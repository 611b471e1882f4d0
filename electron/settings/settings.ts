/**
 * The settings of the app, in `settings.json` (electron-store). Nothing secret is ever kept here.
 *
 * Invariants: every value is checked when read, and a wrong one falls back alone; values this version does not know stay
 * in the file; a file that cannot be parsed is kept under its date before a new one is written (`clearInvalidConfig`
 * would replace it by `{}`, so it stays off). The file is readable by its owner only.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import Store from "electron-store";
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { systemProblem } from "../../shared/system-problem.ts";
import { type SettingsView, standardSettings } from "../../shared/views.ts";

/** `HH:MM`, or nothing. */
const timeOfDay = z.union([z.literal(""), z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)]);

/** One entry a setting: how it is checked … */
const settingShapes = {
  theme: z.enum(["system", "light", "dark"]),
  usualUser: z.string().max(256),
  startAtLogin: z.boolean(),
  quietFrom: timeOfDay,
  quietTo: timeOfDay,
  mutedUsers: z.array(z.string().min(1).max(256)).max(1000).readonly(),
  saveData: z.boolean(),
};
/** … and what stands in for a missing or wrong one. */
const settingsSchema = z.object({
  theme: settingShapes.theme.catch(standardSettings.theme),
  usualUser: settingShapes.usualUser.catch(standardSettings.usualUser),
  startAtLogin: settingShapes.startAtLogin.catch(standardSettings.startAtLogin),
  quietFrom: settingShapes.quietFrom.catch(standardSettings.quietFrom),
  quietTo: settingShapes.quietTo.catch(standardSettings.quietTo),
  mutedUsers: settingShapes.mutedUsers.catch(standardSettings.mutedUsers),
  saveData: settingShapes.saveData.catch(standardSettings.saveData),
});

export interface Settings {
  readonly read: () => SettingsView;
  /** Fails with `settings_not_saved` when the file cannot be written; the old one then stands. */
  readonly save: (view: SettingsView) => Result<undefined>;
}

export interface OpenedSettings {
  readonly settings: Settings;
  /** `settings_unreadable` when the file had to be put aside, `setting_ignored` for each value that is not valid. */
  readonly notices: readonly Failure[];
}

/** Opens the settings in `folder` (absolute). Never fails: without a usable file the standard settings apply. */
export function openSettings({ folder, nowMs = Date.now }: { readonly folder: string; readonly nowMs?: () => number }): OpenedSettings {
  const path = join(folder, "settings.json");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    removeStrayFiles(folder);
    const notices = setAsideIfDamaged(path, nowMs());
    const store = openStore(folder, path);
    return { settings: settingsOn(store), notices: [...notices, ...ignoredValues(readStore(store))] };
  } catch {
    // Not even the folder can be used: the app still runs, and saving says so.
    return {
      settings: settingsOnceUsable(() => openStore(folder, path)),
      notices: [failure("settings_unreadable", { file: basename(path) })],
    };
  }
}

function settingsOn(store: Store): Settings {
  return {
    read: () => settingsSchema.parse(readStore(store)),
    save: (view) => {
      try {
        store.set({ ...settingsSchema.parse(view) });
        return ok();
      } catch (error) {
        return err(notSaved(error));
      }
    },
  };
}

function notSaved(error: unknown): Failure {
  return failure("settings_not_saved", { problem: systemProblem(error) ?? "system error" });
}

function ignoredValues(stored: Record<string, unknown>): readonly Failure[] {
  return Object.entries(settingShapes)
    .filter(([name, shape]) => stored[name] !== undefined && !shape.safeParse(stored[name]).success)
    .map(([setting]) => failure("setting_ignored", { setting }));
}

/** The file may have become unreadable since it was opened. */
function readStore(store: Store): Record<string, unknown> {
  try {
    return store.store;
  } catch {
    return {};
  }
}

/** The standard settings, until the first save that finds a usable file. */
function settingsOnceUsable(open: () => Store): Settings {
  let opened: Settings | undefined;
  return {
    read: () => opened?.read() ?? settingsSchema.parse({}),
    save: (view) => {
      try {
        opened ??= settingsOn(open());
      } catch (error) {
        return err(notSaved(error));
      }
      return opened.save(view);
    },
  };
}

function openStore(folder: string, path: string): Store {
  const store = new Store({ cwd: folder, name: "settings", configFileMode: 0o600, clearInvalidConfig: false });
  if (existsSync(path)) chmodSync(path, 0o600);
  return store;
}

/** Renames a file that holds no JSON object; says so in a notice. Throws the system's error when even that fails. */
function setAsideIfDamaged(path: string, nowMs: number): readonly Failure[] {
  if (!existsSync(path) || holdsObject(path)) return [];
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  let aside = path.replace(/\.json$/, `.damaged-${stamp}.json`);
  for (let number = 2; existsSync(aside); number += 1) aside = path.replace(/\.json$/, `.damaged-${stamp}-${number}.json`);
  renameSync(path, aside);
  chmodSync(aside, 0o600);
  return [failure("settings_unreadable", { file: basename(aside) })];
}

function holdsObject(path: string): boolean {
  const text = readFileSync(path, "utf8");
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** A process killed while conf was saving leaves `settings.json.tmp-…` behind. */
function removeStrayFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith("settings.json.tmp-")) rmSync(join(folder, name), { force: true });
  }
}
