/** What the Chromium host and the process that started it (a test) tell each other. */

/** Host to parent. */
export type HostMessage =
  /** Chromium runs and can be reached over CDP. */
  | { readonly kind: "browser"; readonly endpoint: string }
  | { readonly kind: "window-loaded"; readonly browserUrl: string }
  | { readonly kind: "open-external"; readonly url: string }
  | { readonly kind: "notification"; readonly title: string; readonly body: string }
  | { readonly kind: "browser-folder"; readonly path: string }
  | { readonly kind: "done"; readonly id: number };

/** Parent to host; each is answered by `done` with its id. */
export type ParentMessage =
  /** What the next file dialogs answer; without a path they are cancelled. */
  | { readonly kind: "dialog-answer"; readonly id: number; readonly path?: string }
  | { readonly kind: "power-event"; readonly id: number; readonly name: PowerEvent };

export type PowerEvent = "suspend" | "resume" | "lock-screen" | "unlock-screen";

export interface ParentChannel {
  readonly tell: (message: HostMessage) => void;
  /** Calls `listener` for each message; the parent is told when it returns. */
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
  return {
    tell,
    onGone: (listener) => void process.once("disconnect", listener),
    listen: (listener) => {
      process.on("message", (message) => {
        // Only launch.ts holds the other end of this channel.
        const parentMessage = message as ParentMessage;
        listener(parentMessage);
        tell({ kind: "done", id: parentMessage.id });
      });
    },
  };
}
