/** Electron's `ipcMain` on the Chromium host, and the way from a window's preload to it. */
import { EventEmitter } from "node:events";
import type { IpcMain, IpcMainInvokeEvent } from "electron";
import { standIn } from "./not-implemented.ts";
import { fromWire, toWire } from "./wire.ts";

/** What a preload asks; `args` are in wire form. */
export interface PreloadRequest {
  readonly kind: "invoke" | "send";
  readonly id: number;
  readonly channel: string;
  readonly args: readonly unknown[];
  /** `location.href` of the asking frame, as its isolated world sees it. */
  readonly href: string;
}

export type PreloadReply = { readonly kind: "reply"; readonly id: number; readonly ok: boolean; readonly value: unknown };

export interface StandInIpc {
  readonly ipcMain: IpcMain;
  /** Runs the handler for a request of a preload; `undefined` for a `send`, which has no answer. */
  readonly dispatch: (event: IpcMainInvokeEvent, request: PreloadRequest) => Promise<PreloadReply | undefined>;
}

type Handler = (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown;

/** Makes `ipcMain`. */
export function createStandInIpc(): StandInIpc {
  const emitter = new EventEmitter();
  const handlers = new Map<string, Handler>();

  const handle = (channel: string, handler: Handler): void => {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
  };
  const methods: Partial<IpcMain> = {
    handle,
    handleOnce: (channel, handler: Handler) =>
      handle(channel, (event, ...args) => {
        handlers.delete(channel);
        return handler(event, ...args);
      }),
    removeHandler: (channel) => void handlers.delete(channel),
  };

  return {
    ipcMain: standIn<IpcMain>("ipcMain", methods, emitter),
    dispatch: async (event, { kind, id, channel, args }) => {
      if (kind === "send") {
        emitter.emit(channel, event, ...args.map(fromWire));
        return undefined;
      }
      try {
        const handler = handlers.get(channel);
        if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
        return { kind: "reply", id, ok: true, value: toWire(await handler(event, ...args.map(fromWire))) };
      } catch (error) {
        // Electron's own wording: only the message of an error crosses.
        return { kind: "reply", id, ok: false, value: `Error invoking remote method '${channel}': ${String(error)}` };
      }
    },
  };
}
