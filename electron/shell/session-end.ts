/**
 * The end of the person's session, as far as Electron tells it: `shutdown` of powerMonitor on Linux and macOS; on Windows the
 * window's `session-end` (`main-window.ts`), so that an app without a window ends there as by a power cut, which costs nothing:
 * what is under way is on the disk.
 */
import type { EventEmitter } from "node:events";
import type { Event } from "electron";

/**
 * Calls `listener` when the computer shuts down or restarts, which waits a little until the app has ended.
 *
 * @param powerMonitor Electron's, whose typings for this event leave out what the listener gets
 */
export function onSystemShutdown(powerMonitor: EventEmitter, listener: () => void): void {
  powerMonitor.on("shutdown", (event: Event) => {
    event.preventDefault();
    listener();
  });
}
