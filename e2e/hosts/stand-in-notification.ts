/** Electron's `Notification` on the Chromium host, which shows none: the parent process is told what it would have said. */
import { EventEmitter } from "node:events";
import type { Notification, NotificationConstructorOptions } from "electron";
import { standIn, standInClass } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";

export function createStandInNotification(parent: ParentChannel | undefined): typeof Notification {
  const construct = (options?: unknown): Notification => {
    // Electron's own typings say what the app may pass.
    const { title = "", body = "" } = options as NotificationConstructorOptions;
    return standIn<Notification>(
      "Notification",
      { show: () => parent?.tell({ kind: "notification", title, body }), close: () => undefined },
      new EventEmitter(),
    );
  };
  // Members that are missing throw (not-implemented.ts).
  return standInClass("Notification", construct, { isSupported: () => true }) as typeof Notification;
}
