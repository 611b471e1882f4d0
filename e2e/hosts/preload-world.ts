/**
 * What runs inside Chromium so that the app's preload bundle finds what Electron gives it: an isolated
 * world with `require("electron")`, and a context bridge to the page's world. Invariant: nothing crosses
 * the bridge but clones, and functions called by number; the page's world sees only what was exposed.
 *
 * The functions here are sent as source text: each may use only its parameters and the web platform.
 */
import { fromWire, toWire } from "./wire.ts";

/** The names that join the three sides of one window; unguessable, because the page shares the document. */
export interface WorldNames {
  /** Isolated world, by which CDP finds it. */
  readonly world: string;
  /** Binding to the main process, visible in the isolated world only. */
  readonly binding: string;
  /** Function of the isolated world that takes the main process's messages. */
  readonly receiver: string;
  /** DOM event from the preload's world to the page's. */
  readonly toPage: string;
  /** DOM event from the page's world to the preload's. */
  readonly toPreload: string;
}

/** The script for the page's world: it makes room for what the preload exposes. */
export function pageWorldSource(names: WorldNames): string {
  return `(${createBridgeEnd.toString()})(${JSON.stringify(names.toPreload)}, ${JSON.stringify(names.toPage)});`;
}

/** The script for the isolated world: runs the preload bundle with its own `require`. */
export function preloadWorldSource(names: WorldNames, preloadCode: string): string {
  return `if (window === window.top && location.href !== "about:blank") {
    ${toWire.toString()}
    ${fromWire.toString()}
    const expose = (${createBridgeEnd.toString()})(${JSON.stringify(names.toPage)}, ${JSON.stringify(names.toPreload)});
    const electron = (${createPreloadElectron.toString()})(${JSON.stringify(names)}, expose, toWire, fromWire);
    const module = { exports: {} };
    const require = (name) => {
      if (name === "electron" || name === "electron/renderer") return electron;
      throw new Error("not implemented on the Chromium host: require(" + JSON.stringify(name) + ") in a preload");
    };
    (function (exports, require, module) {\n${preloadCode}\n})(module.exports, require, module);
  }`;
}

interface WorldEvent {
  readonly detail: unknown;
}
interface WorldDocument {
  readonly addEventListener: (name: string, listener: (event: WorldEvent) => void) => void;
  readonly dispatchEvent: (event: unknown) => void;
}
declare const document: WorldDocument;
declare const location: { readonly href: string };

type Encoded = { readonly [kind: string]: unknown };
type Anything = (...args: readonly unknown[]) => unknown;

/** One end of the bridge; the other world runs the same code with the names swapped. Returns `expose`. */
function createBridgeEnd(outName: string, inName: string): (key: string, value: unknown) => void {
  const functions = new Map<number, Anything>();
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>();
  let counter = 0;
  let lastReply: Encoded | undefined;

  // `detail` is cloned when another world reads it; dispatching is synchronous, so answers come within the call.
  const post = (message: Encoded): void => document.dispatchEvent(new CustomEvent(outName, { detail: message }));

  const encode = (value: unknown): Encoded => {
    if (typeof value === "function") {
      functions.set(++counter, value as Anything);
      return { f: counter };
    }
    if (value instanceof Promise) return encodePromise(value);
    if (value instanceof Error) return { e: value.message };
    if (Array.isArray(value)) return { a: value.map(encode) };
    if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      return { o: Object.entries(value).map(([key, item]) => [key, encode(item)]) };
    }
    return { v: value };
  };

  const encodePromise = (promise: Promise<unknown>): Encoded => {
    const id = ++counter;
    promise.then(
      (value) => post({ settle: id, ok: true, value: encode(value) }),
      (error: unknown) => post({ settle: id, ok: false, value: encode(error instanceof Error ? error : new Error(String(error))) }),
    );
    return { p: id };
  };

  const decode = (encoded: Encoded, freeze: boolean): unknown => {
    const frozen = <T>(value: T): T => (freeze ? Object.freeze(value) : value);
    if ("f" in encoded) return frozen((...args: readonly unknown[]) => call(encoded["f"] as number, args));
    if ("p" in encoded) return new Promise((resolve, reject) => waiting.set(encoded["p"] as number, { resolve, reject }));
    if ("e" in encoded) return new Error(String(encoded["e"]));
    if ("a" in encoded) return frozen((encoded["a"] as Encoded[]).map((item) => decode(item, freeze)));
    if ("o" in encoded)
      return frozen(Object.fromEntries((encoded["o"] as [string, Encoded][]).map(([key, item]) => [key, decode(item, freeze)])));
    return encoded["v"];
  };

  const call = (id: number, args: readonly unknown[]): unknown => {
    lastReply = undefined;
    post({ call: id, args: args.map(encode) });
    const reply = lastReply as Encoded | undefined;
    if (reply === undefined) throw new Error("the other side of the context bridge is gone");
    const value = decode(reply["value"] as Encoded, false);
    if (reply["ok"] !== true) throw value;
    return value;
  };

  const answer = (id: number, args: readonly Encoded[]): Encoded => {
    try {
      return { ok: true, value: encode(functions.get(id)?.(...args.map((item) => decode(item, false)))) };
    } catch (error) {
      return { ok: false, value: encode(error instanceof Error ? error : new Error(String(error))) };
    }
  };

  const receive = (message: Encoded): void => {
    if ("call" in message) post({ reply: answer(message["call"] as number, message["args"] as Encoded[]) });
    else if ("reply" in message) lastReply = message["reply"] as Encoded;
    else if ("settle" in message) settle(message);
    else if ("expose" in message) {
      const value = decode(message["value"] as Encoded, true);
      Object.defineProperty(globalThis, message["expose"] as string, { value, enumerable: true });
      post({ reply: { ok: true, value: encode(undefined) } });
    }
  };

  const settle = (message: Encoded): void => {
    const id = message["settle"] as number;
    const value = decode(message["value"] as Encoded, false);
    if (message["ok"] === true) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(value);
    waiting.delete(id);
  };

  document.addEventListener(inName, (event) => receive(event.detail as Encoded));
  return (key, value) => {
    lastReply = undefined;
    post({ expose: key, value: encode(value) });
    if (lastReply === undefined) throw new Error("the page's world does not listen: nothing was exposed");
  };
}

/** `require("electron")` of a preload: `contextBridge` and `ipcRenderer`, over the binding. */
function createPreloadElectron(
  names: WorldNames,
  expose: (key: string, value: unknown) => void,
  toWire: (value: unknown) => unknown,
  fromWire: (wire: unknown) => unknown,
): object {
  const world = globalThis as unknown as Record<string, (message: unknown) => void>;
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  const listeners = new Map<string, Set<Anything>>();
  let counter = 0;

  const only = (name: string, members: object): object =>
    new Proxy(members, {
      get: (target, key) => {
        if (typeof key === "symbol" || key in target || key === "then") return Reflect.get(target, key) as unknown;
        throw new Error(`not implemented on the Chromium host: ${name}.${key}`);
      },
    });
  const post = (message: object): void => world[names.binding]?.(JSON.stringify({ ...message, href: location.href }));

  world[names.receiver] = (message) => {
    const { kind, id, ok, value, channel, args } = message as {
      readonly kind: "reply" | "message";
      readonly id: number;
      readonly ok: boolean;
      readonly value: unknown;
      readonly channel: string;
      readonly args: readonly unknown[];
    };
    if (kind === "message") {
      const event = only("IpcRendererEvent", { sender: ipcRenderer });
      for (const listener of new Set(listeners.get(channel))) listener(event, ...args.map(fromWire));
      return;
    }
    if (ok) waiting.get(id)?.resolve(fromWire(value));
    else waiting.get(id)?.reject(new Error(String(value)));
    waiting.delete(id);
  };

  const remove = (channel: string, listener: Anything): object => {
    listeners.get(channel)?.delete(listener);
    return ipcRenderer;
  };
  const ipcRenderer: object = only("ipcRenderer", {
    invoke: (channel: string, ...args: readonly unknown[]) =>
      new Promise((resolve, reject) => {
        waiting.set(++counter, { resolve, reject });
        post({ kind: "invoke", id: counter, channel, args: args.map(toWire) });
      }),
    send: (channel: string, ...args: readonly unknown[]) => post({ kind: "send", id: 0, channel, args: args.map(toWire) }),
    on: (channel: string, listener: Anything) => {
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener));
      return ipcRenderer;
    },
    off: remove,
    removeListener: remove,
  });
  const contextBridge = only("contextBridge", { exposeInMainWorld: expose });
  return only("electron", { ipcRenderer, contextBridge });
}
