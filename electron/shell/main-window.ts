/**
 * The one window of the app, which comes and goes while the broker runs, and what it was opened for.
 *
 * Invariants: there is at most one window; a target is shown once, by the window that it was meant for: one that is open
 * and has asked already is told, any other one finds it when it asks.
 */
import type { BrowserWindow } from "electron";
import type { WindowTarget } from "../../shared/views.ts";
import type { Log } from "../core/ports.ts";
import { bringToFront, createMainWindow, type MainWindowParts } from "./window.ts";

export interface WindowKeeperParts {
  readonly BrowserWindow: MainWindowParts["BrowserWindow"] & { readonly getAllWindows: () => BrowserWindow[] };
  /** Absolute path of the preload bundle. */
  readonly preloadPath: string;
  /** Tells the open window where to go. */
  readonly onTarget: (target: WindowTarget) => void;
  /** Windows: the person signs out, or the computer shuts down. */
  readonly onSessionEnd: () => void;
}

export interface WindowKeeper {
  /** Opens the window or brings it to the front, on `target` if one is given. Before `start` this is only noted. */
  readonly show: (target?: WindowTarget) => void;
  /** From now on there can be windows. Opens one unless the app starts hidden and nobody has asked for one since. */
  readonly start: (how: { readonly log: Log; readonly hidden: boolean }) => void;
  /** What the window that asks was opened for; once. */
  readonly takeTarget: () => WindowTarget | undefined;
}

/** Makes the keeper; there is no window yet. */
export function createWindowKeeper(parts: WindowKeeperParts): WindowKeeper {
  let log: Log | undefined;
  let isWanted = false;
  let waiting: WindowTarget | undefined;
  let hasAsked = false;

  const open = (usedLog: Log): void => {
    hasAsked = false;
    const window = createMainWindow({ ...parts, log: usedLog });
    window.on("session-end", () => parts.onSessionEnd());
  };
  return {
    show: (target) => {
      if (log === undefined) {
        isWanted = true;
        waiting = target ?? waiting;
        return;
      }
      const [window] = parts.BrowserWindow.getAllWindows();
      if (window === undefined) {
        // Not where an earlier link led that nobody was shown: this time it is opened for another reason.
        waiting = target;
        return open(log);
      }
      if (!hasAsked) waiting = target ?? waiting;
      else if (target !== undefined) parts.onTarget(target);
      bringToFront(window);
    },
    start: (how) => {
      log = how.log;
      if (isWanted || !how.hidden) open(log);
    },
    takeTarget: () => {
      hasAsked = true;
      const target = waiting;
      waiting = undefined;
      return target;
    },
  };
}
