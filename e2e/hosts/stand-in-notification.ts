/** Electron's `Notification` on the Chromium host, which shows none: the parent process is told what it would have said, and may click it. */
import { EventEmitter } from "node:events";
import type { Notification, NotificationConstructorOptions } from "electron";
import { standIn, standInClass } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";
import { preventableEvent } from "./stand-in-app.ts";

export function createStandInNotification(parent: ParentChannel | undefined): typeof Notification {
  const shown = new Map<number, EventEmitter>();
  let counter = 0;

  const construct = (options?: unknown): Notification => {
    // Electron's own typings say what the app may pass.
    const { title = "", body = "" } = options as NotificationConstructorOptions;
    const emitter = new EventEmitter();
    const notification = ++counter;
    const methods: Partial<Notification> = {
      show: () => {
        shown.set(notification, emitter);
        parent?.tell({ kind: "notification", notification, title, body });
        emitter.emit("show", preventableEvent({}));
      },
      close: () => {
        if (!shown.delete(notification)) return;
        parent?.tell({ kind: "notification-closed", notification });
        emitter.emit("close", preventableEvent({}));
      },
    };
    return standIn<Notification>("Notification", methods, emitter);
  };
  parent?.listen((message) => {
    if (message.kind !== "notification-click") return;
    const emitter = shown.get(message.notification);
    shown.delete(message.notification);
    parent.tell({ kind: "notification-closed", notification: message.notification });
    emitter?.emit("click", preventableEvent({}));
  });
  // Members that are missing throw (not-implemented.ts).
  return standInClass("Notification", construct, { isSupported: () => true }) as typeof Notification;
}
