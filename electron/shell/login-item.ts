/**
 * Starts the app, without its window, when the person signs in to the computer: an entry of the system on Windows and macOS,
 * a file of the XDG Autostart specification on Linux.
 *
 * Invariant: only the entry of this very app is touched, and success means that it was read back as asked.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { App } from "electron";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { systemProblem } from "../../shared/system-problem.ts";
import type { OwnCommand } from "./own-command.ts";
import { hiddenOption } from "./start-options.ts";

export interface LoginItemParts {
  readonly platform: NodeJS.Platform;
  readonly app: Pick<App, "getLoginItemSettings" | "setLoginItemSettings" | "isPackaged">;
  readonly command: OwnCommand;
  /** Linux: the folder of the person's settings, `configFolder`. */
  readonly configFolder: string;
}

export interface LoginItem {
  /** Whether the system says so; what it cannot tell is taken for `false`. */
  readonly isOn: () => boolean;
  /** Fails with `login_item_failed`; then nothing is promised about the entry. */
  readonly set: (on: boolean) => Result<undefined>;
}

/** The login item of this app. */
export function createLoginItem(parts: LoginItemParts): LoginItem {
  const item = parts.platform === "win32" ? windowsItem(parts) : parts.platform === "darwin" ? macItem(parts) : desktopFileItem(parts);
  const isOn = (): boolean => {
    try {
      return item.isOn();
    } catch {
      return false;
    }
  };
  return {
    isOn,
    set: (on) => {
      try {
        const problem = item.set(on);
        if (problem !== undefined) return failed(problem);
      } catch (error) {
        return failed(systemProblem(error) ?? "system error");
      }
      return isOn() === on ? ok() : failed("the system did not take it");
    },
  };
}

/** XDG Base Directory Specification: the folder must be absolute to count. */
export function configFolder(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const chosen = env["XDG_CONFIG_HOME"];
  return chosen !== undefined && path.isAbsolute(chosen) ? chosen : path.join(home, ".config");
}

function failed(problem: string): Result<undefined> {
  return err(failure("login_item_failed", { problem }));
}

interface SystemItem {
  readonly isOn: () => boolean;
  /** A problem in a few words, if one is known. */
  readonly set: (on: boolean) => string | undefined;
}

/**
 * A value under `Software\Microsoft\Windows\CurrentVersion\Run`. Electron joins path and arguments as they are
 * (browser_win.cc, FormatCommandLineString): without quotes, a program `C:\Program.exe` would be started in place of one
 * in `C:\Program Files`.
 */
function windowsItem({ app, command }: LoginItemParts): SystemItem {
  const own = { path: `"${command.program}"`, args: [...command.args.map((argument) => `"${argument}"`), hiddenOption] };
  return {
    isOn: () => app.getLoginItemSettings(own).openAtLogin,
    set: (on) => {
      app.setLoginItemSettings({ ...own, openAtLogin: on });
      return undefined;
    },
  };
}

/** macOS passes no arguments: an app that was opened at login asks `wasOpenedAtLogin`. */
function macItem({ app }: LoginItemParts): SystemItem {
  return {
    isOn: () => app.getLoginItemSettings().openAtLogin,
    set: (on) => {
      // The entry would be that of the bare Electron that runs these sources.
      if (!app.isPackaged) return on ? "DMS Connect is not installed here" : undefined;
      // Taking away what is not there would be an error of the system's.
      if (app.getLoginItemSettings().openAtLogin !== on) app.setLoginItemSettings({ openAtLogin: on });
      const { status } = app.getLoginItemSettings();
      return on && status === "requires-approval" ? "it waits for your approval in System Settings, Login Items" : undefined;
    },
  };
}

/** https://specifications.freedesktop.org/autostart-spec/latest */
function desktopFileItem({ command, configFolder }: LoginItemParts): SystemItem {
  const folder = path.join(configFolder, "autostart");
  const file = path.join(folder, "dms-connect.desktop");
  const text = desktopFile(command);
  return {
    isOn: () => readFileSync(file, "utf8") === text,
    set: (on) => {
      if (on && text === undefined) return "the path of the program holds a line break";
      if (on && text !== undefined) replaceFile(folder, file, text);
      else rmSync(file, { force: true });
      return undefined;
    },
  };
}

/** undefined when the program's path cannot stand in such a file. */
function desktopFile({ program, args }: OwnCommand): string | undefined {
  const command = [program, ...args, hiddenOption];
  if (command.some((argument) => /\p{Cc}/u.test(argument))) return undefined;
  const lines = [
    "[Desktop Entry]",
    "Type=Application",
    "Name=DMS Connect",
    "Comment=Keeps the sign-ins of DMS programs",
    `Exec=${command.map(execArgument).join(" ")}`,
    "Terminal=false",
    "NoDisplay=true",
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Desktop Entry Specification, "The Exec key": quoted, with the quote, the backtick, the dollar sign and the backslash
 * escaped, and percent signs doubled; then escaped once more as any string of such a file.
 */
function execArgument(argument: string): string {
  const quoted = /^[\w@+=:,./-]+$/.test(argument) ? argument : `"${argument.replaceAll(/["`$\\]/g, String.raw`\$&`)}"`;
  return quoted.replaceAll("%", "%%").replaceAll("\\", String.raw`\\`);
}

/** The old file stays until the new one is whole. */
function replaceFile(folder: string, file: string, text: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Only names that end in `.desktop` are read there.
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
