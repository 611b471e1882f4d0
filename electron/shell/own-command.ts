/** How this very app is started again: by the system at login, or by itself. Invariant: nothing that came with a link is in it. */
import type { App } from "electron";
import { linkIn } from "./app-link.ts";
import { hiddenOption } from "./start-options.ts";

export interface OwnCommand {
  /** Absolute path of the program. */
  readonly program: string;
  /** What stands before the app's own arguments: the app's folder, where a bare Electron runs it. */
  readonly args: readonly string[];
}

export interface OwnProcess {
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The command of an installed app, or of a copy that runs from its sources. */
export function ownCommand(app: Pick<App, "isPackaged" | "getAppPath">, process: OwnProcess): OwnCommand {
  if (!app.isPackaged) return { program: process.execPath, args: [app.getAppPath()] };
  // The program inside an AppImage lies in a folder that goes away when it ends; the image's own path stays.
  return { program: process.env["APPIMAGE"] ?? process.execPath, args: [] };
}

/**
 * How the app starts again after its end, with the options of this start; hidden if it has no window now. A start by a link
 * had no options (`start-options.ts`): whatever came with it must not become one.
 *
 * @param argv this process's whole command line
 */
export function restartCommand(
  command: OwnCommand,
  argv: readonly string[],
  hasWindow: boolean,
): { readonly execPath: string; readonly args: string[] } {
  const kept = linkIn(argv) === undefined ? argv.slice(1).filter((argument) => argument !== hiddenOption) : command.args;
  return { execPath: command.program, args: [...kept, ...(hasWindow ? [] : [hiddenOption])] };
}
