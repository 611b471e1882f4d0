/**
 * Gives the window its API and nothing else. Invariant: only the names of the contract pass, and
 * nothing of Electron (no `ipcRenderer`, no event object, no channel name) reaches the page.
 */
import { contextBridge, ipcRenderer } from "electron";
import { type DmsConnectApi, type EventName, ipcCalls, ipcChannels, ipcEvents } from "../shared/ipc-contract.ts";

type Listener = (payload: unknown) => void;

const listeners = new Map<string, Set<Listener>>();

const api: DmsConnectApi = {
  invoke: (name, ...params) => {
    if (!Object.hasOwn(ipcCalls, name)) return Promise.reject(new Error("unknown call"));
    // Electron types every answer as `any`; main's router answers each name with its own Result.
    return ipcRenderer.invoke(ipcChannels.invoke, name, params[0]) as ReturnType<typeof api.invoke<typeof name>>;
  },
  on: (name: EventName, listener) => {
    if (!Object.hasOwn(ipcEvents, name)) throw new Error("unknown event");
    // The set holds listeners of all events; main sends each name with its own payload.
    return addListener(name, listener as Listener);
  },
};

ipcRenderer.on(ipcChannels.event, (_event, name: unknown, payload: unknown) => {
  if (typeof name !== "string") return;
  for (const listener of listeners.get(name) ?? []) listener(payload);
});

contextBridge.exposeInMainWorld("dmsConnect", api);

function addListener(name: string, listener: Listener): () => void {
  const set = listeners.get(name) ?? new Set();
  listeners.set(name, set);
  // A wrapper of its own, so that one function may listen twice and stop once.
  const entry: Listener = (payload) => listener(payload);
  set.add(entry);
  return () => void set.delete(entry);
}
