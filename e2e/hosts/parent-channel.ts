/** What the Chromium host and the process that started it (a test) tell each other. */

/** Host to parent. */
export type HostMessage =
  /** Chromium runs and can be reached over CDP. */
  | { readonly kind: "browser"; readonly endpoint: string }
  /** How many windows there are now, loaded or not. */
  | { readonly kind: "windows"; readonly count: number }
  | { readonly kind: "window-loaded"; readonly browserUrl: string }
  | { readonly kind: "open-external"; readonly url: string }
  | { readonly kind: "notification"; readonly notification: number; readonly title: string; readonly body: string }
  | { readonly kind: "notification-closed"; readonly notification: number }
  /** What the tray icon would show now; the menu by its labels. */
  | { readonly kind: "tray"; readonly tooltip: string; readonly menu: readonly string[] }
  | { readonly kind: "browser-folder"; readonly path: string }
  | { readonly kind: "done"; readonly id: number };

/** Parent to host; each is answered by `done` with its id. */
export type ParentMessage =
  /** Whatever the host had to tell before is told when it is answered. */
  | { readonly kind: "ping"; readonly id: number }
  /** What the next file dialogs answer; without a path they are cancelled. */
  | { readonly kind: "dialog-answer"; readonly id: number; readonly path?: string }
  | { readonly kind: "power-event"; readonly id: number; readonly name: PowerEvent }
  | { readonly kind: "notification-click"; readonly id: number; readonly notification: number }
  /** Chooses the item of the tray icon's menu that has this label. */
  | { readonly kind: "tray-menu"; readonly id: number; readonly label: string };

export type PowerEvent = "suspend" | "resume" | "lock-screen" | "unlock-screen" | "on-ac" | "on-battery" | "shutdown";

export interface ParentChannel {
  readonly tell: (message: HostMessage) => void;
  /** Calls `listener` for each message; the parent is told when all listeners have returned. */
  readonly listen: (listener: (message: ParentMessage) => void) => void;
  /** Calls `listener` when the parent has ended or let go. */
  readonly onGone: (listener: () => void) => void;
}

/** The channel to the parent, or `undefined` if nobody started this process with one. */
export function connectToParent(): ParentChannel | undefined {
  const send = process.send?.bind(process);
  if (send === undefined) return undefined;
  const tell = (message: HostMessage): void => {
    // After a disconnect the parent is gone: nobody is left to tell.
    if (process.connected) send(message);
  };
  const listeners: ((message: ParentMessage) => void)[] = [];
  process.on("message", (message) => {
    // Only launch.ts holds the other end of this channel.
    const parentMessage = message as ParentMessage;
    for (const listener of listeners) listener(parentMessage);
    tell({ kind: "done", id: parentMessage.id });
  });
  return {
    tell,
    onGone: (listener) => void process.once("disconnect", listener),
    listen: (listener) => void listeners.push(listener),
  };
}
