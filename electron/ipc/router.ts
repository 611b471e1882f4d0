/**
 * The one door from the window into the main process. Invariant: a handler runs only for a call of the
 * contract, with parameters its guard accepted, asked by the main frame of one of the app's own windows;
 * and every call is answered with a `Result`, refusals and bugs too.
 */
import type { BrowserWindow, IpcMain, IpcMainInvokeEvent, WebContents } from "electron";
import { failure } from "../../shared/failure.ts";
import {
  type CallName,
  type CallParams,
  type CallValue,
  type EventName,
  type EventPayload,
  ipcCalls,
  ipcChannels,
} from "../../shared/ipc-contract.ts";
import { err, type Result } from "../../shared/result.ts";
import type { Log } from "../core/ports.ts";
import type { CallGuards } from "./guards.ts";

export type CallHandlers = {
  readonly [N in CallName]: (params: CallParams<N>) => Promise<Result<CallValue<N>>>;
};

export interface IpcRouterParts {
  readonly ipcMain: Pick<IpcMain, "handle" | "removeHandler">;
  readonly handlers: CallHandlers;
  readonly guards: CallGuards;
  /** The app's open windows at the time of asking. */
  readonly windows: () => readonly AppWindow[];
  /** Where the app's own pages live, e.g. `app://dms-connect`. */
  readonly appOrigin: string;
  readonly log: Log;
}

/** As much of a window as sending and checking need. */
export type AppWindow = Pick<BrowserWindow, "isDestroyed"> & {
  readonly webContents: Pick<WebContents, "id" | "isDestroyed" | "send">;
};

/**
 * Starts answering the window's calls.
 *
 * @returns a function that stops it
 */
export function registerIpcRouter(parts: IpcRouterParts): () => void {
  parts.ipcMain.handle(ipcChannels.invoke, (event, name: unknown, params: unknown) => answer(parts, event, name, params));
  return () => parts.ipcMain.removeHandler(ipcChannels.invoke);
}

export type SendEvent = <N extends EventName>(name: N, payload: EventPayload<N>) => void;

/** Makes the function that tells every open window about a change. */
export function createEventSender(windows: () => readonly AppWindow[]): SendEvent {
  return (name, payload) => {
    for (const window of windows()) {
      if (isOpen(window)) sendSafely(window, name, payload);
    }
  };
}

/** A page that is just going away must not break the change it would have been told about: it lists anew when it is back. */
function sendSafely(window: AppWindow, name: EventName, payload: unknown): void {
  try {
    window.webContents.send(ipcChannels.event, name, payload);
  } catch {
    // Electron throws when the frame was disposed between the check and the call.
  }
}

async function answer(parts: IpcRouterParts, event: IpcMainInvokeEvent, name: unknown, params: unknown): Promise<Result<unknown>> {
  if (!isOwnWindow(parts, event)) {
    parts.log.warn("ipc.refused", { reason: "foreign sender" });
    return err(failure("message_invalid", { problem: "it did not come from the app's own window" }));
  }
  if (!isCallName(name)) {
    parts.log.warn("ipc.refused", { reason: "unknown call" });
    return err(failure("method_unknown", { method: typeof name === "string" ? name.slice(0, 64) : typeof name }));
  }
  return callHandler(parts, name, params);
}

async function callHandler<N extends CallName>(parts: IpcRouterParts, name: N, params: unknown): Promise<Result<CallValue<N>>> {
  const guarded = parts.guards[name](params);
  if (!guarded.ok) {
    parts.log.warn("ipc.refused", { reason: "invalid parameters", call: name });
    return err(failure("message_invalid", { problem: guarded.error }));
  }
  try {
    return await parts.handlers[name](guarded.value);
  } catch (error) {
    parts.log.error(`ipc.${name}`, error);
    return err(failure("internal_error"));
  }
}

function isCallName(name: unknown): name is CallName {
  return typeof name === "string" && Object.hasOwn(ipcCalls, name);
}

/** Electron security checklist, "Validate the sender of all IPC messages": a frame or a page that came by navigation is none of ours. */
function isOwnWindow(parts: IpcRouterParts, event: IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  // `null` once the frame navigated or was destroyed; only the top frame has no parent.
  if (frame === null || frame.parent !== null) return false;
  const isKnown = parts.windows().some((window) => isOpen(window) && window.webContents.id === event.sender.id);
  return isKnown && originOf(frame.url) === parts.appOrigin;
}

function isOpen(window: AppWindow): boolean {
  return !window.isDestroyed() && !window.webContents.isDestroyed();
}

/** `URL.origin` is "null" for schemes Node does not know, so the parts are joined here. */
function originOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
